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

CHANNELS = Collection(
    "/v1/Services/{}/Channels",
    is_counted=False,
    unique="UniqueName",
    named_by="unique_name",
    told_by=("channel_sid", "to"),
)

COLLECTIONS = (
    MESSAGES,
    Collection("/v1/Services/{}/Channels/{}/Members", unique="Identity"),
    Collection("/v1/Services/{}/Channels/{}/Invites", is_counted=False),
    CHANNELS,
    Collection("/v1/Services/{}/Roles", is_counted=False),
    Collection("/v1/Services/{}/Users", is_counted=False, unique="Identity", named_by="identity"),
    Collection("/v1/Services"),
    Collection("/v1/Credentials"),
)
"""Neither a service nor its limits count what is in it; a channel counts its members and messages."""

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
