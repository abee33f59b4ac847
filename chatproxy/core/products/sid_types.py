"""The types of SIDs: two letters each.

Sources: the ``pattern`` of each resource in Twilio's OpenAPI documents, and the SIDs that appear on the wire only
(``SK`` as a user name, ``RQ`` in a header).
"""

PREFIXES = (
    "AC",  # account
    "CH",  # channel
    "CR",  # credential
    "IM",  # message
    "IN",  # invite
    "IS",  # service
    "MB",  # member
    "RL",  # role
    "US",  # user
    "BS",  # binding
    "WH",  # webhook
    "ME",  # media
    "FW",  # studio flow
    "MG",  # messaging service
    "HX",  # content
    "DY",  # delivery receipt
    "IG",  # address configuration
    "SK",  # API key
    "SM",  # SMS
    "MM",  # MMS
    "RQ",  # request
)

ACCOUNT, API_KEY, SERVICE, CHANNEL, USER, ROLE, REQUEST = "AC", "SK", "IS", "CH", "US", "RL", "RQ"
"""The types that have a meaning beyond that of a name: who asks, where, for whom, and which request it was."""

CONFIGURED = (ACCOUNT, SERVICE, CHANNEL, USER, ROLE)
"""The types of what programs are configured with, where no recorded write made it."""

HASHED_BY_PLACE = {
    prefix: place
    for place, prefix in enumerate("AC CH CR IM IN IS MB RL US BS WH ME FW MG HX DY IG SK SM MM RQ".split())  # noqa: SIM905 - a table to read
}
"""The number that stands for a type in the hash of a fresh SID, and by which canonical order compares types.

Seeded SIDs and fixtures in use were made with these numbers, so they stay for ever. A type that is not here is hashed
and ordered by its letters, and is not to be added here.
"""
