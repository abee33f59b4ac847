"""Programmable Chat v1.

Sources: Twilio's OpenAPI document ``twilio_chat_v1`` for paths, parameters and fields; what was seen on the wire for
page tokens and for ``ip-messaging``, which is the older name of the host. That the document's text allows a unique
name in place of a channel's SID, where its pattern does not, counts here.
"""

from chatproxy.core.products.product import Collection, Lists, Product, Urls

_CHANNELS, _USERS = "/v1/Services/{}/Channels", "/v1/Services/{}/Users"
_MEMBERS, _INVITES = f"{_CHANNELS}/{{}}/Members", f"{_CHANNELS}/{{}}/Invites"

MESSAGES = Collection(
    f"{_CHANNELS}/{{}}/Messages",
    list_defaults=("PageSize=50", "Page=0", "Order=asc"),
    create_defaults=("From=system",),
)

CHANNELS = Collection(
    _CHANNELS,
    is_counted=False,
    unique="UniqueName",
    named_by="unique_name",
    told_by=("channel_sid", "to"),
    counted_by=(_USERS,),
)

USERS = Collection(
    _USERS,
    is_counted=False,
    unique="Identity",
    named_by="identity",
    ends=(_MEMBERS, _INVITES),
    counted_by=(_CHANNELS,),
)

COLLECTIONS = (
    MESSAGES,
    Collection(_MEMBERS, unique="Identity", changes=(_INVITES,), makes=_USERS, made_by="Identity"),
    Collection(_INVITES, is_counted=False, makes=_USERS, made_by="Identity"),
    CHANNELS,
    Collection("/v1/Services/{}/Roles", is_counted=False, sent_as="RoleSid"),
    USERS,
    Collection(f"{_USERS}/{{}}/Channels", is_counted=False, shows=_CHANNELS),
    Collection("/v1/Services", rules_below=True),
    Collection("/v1/Credentials"),
)
"""Neither a service nor its limits count what is in it; a channel counts its members and messages, a user its channels.

Who becomes a member of a channel becomes a user of the service, and is invited no more. Who is invited may become a
user: no source says that it is not so. A service's update changes its limits and the roles of who comes.
"""

CHAT_V1 = Product(
    hosts=("chat", "ip-messaging"),
    version="v1",
    collections=COLLECTIONS,
    lists=Lists(
        token="PageToken",
        tokens=(r"PT\d+", "P[AB]{}"),
        newest_first="Order=desc",
        paging=frozenset({"Order", "Page", "PageSize", "PageToken"}),
        page="meta",
        key="key",
        number="page",
        size="page_size",
        previous="previous_page_url",
        next="next_page_url",
        index="index",
    ),
    sid="sid",
    created="date_created",
    updated="date_updated",
    dates=(r"date_\w+", r"\w+_timestamp", "timestamp"),
    urls=Urls(
        names=frozenset({"url"}),
        holders=frozenset({"links"}),
        suffixes={"meta": "_url"},
    ),
    written={
        "Body": "body",
        "Attributes": "attributes",
        "FriendlyName": "friendly_name",
        "From": "from",
        "LastUpdatedBy": "last_updated_by",
    },
    json_texts=("Attributes", "attributes"),
    derived=("date_updated", "was_edited", "last_updated_by", "last_consumption_timestamp", r"\w+_count"),
)
