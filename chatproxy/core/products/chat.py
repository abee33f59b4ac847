"""Programmable Chat v1.

Sources: Twilio's OpenAPI document ``twilio_chat_v1`` for paths, parameters and fields; what was seen on the wire for
page tokens and for ``ip-messaging``, which is the older name of the host. That the document's text allows a unique
name in place of a channel's SID, where its pattern does not, counts here.
"""

from chatproxy.core.products.product import Collection, Lists, Product, Urls

MESSAGES = Collection(
    "/v1/Services/{}/Channels/{}/Messages",
    list_defaults=("PageSize=50", "Page=0", "Order=asc"),
    create_defaults=("From=system",),
)

CHAT_V1 = Product(
    hosts=("chat", "ip-messaging"),
    version="v1",
    collections=(MESSAGES,),
    named={"/v1/Services/{}/Channels": "channel_sid"},
    lists=Lists(
        token="PageToken",
        tokens=(r"PT\d+", "P[AB]{}"),
        newest_first="Order=desc",
        page="meta",
        previous="previous_page_url",
        next="next_page_url",
        index="index",
    ),
    sid="sid",
    created="date_created",
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
)
