import pytest

from chatproxy.core.twilio.paths import route, timeline

CHANNELS = "/v1/Services/IS1/Channels"
MESSAGES = f"{CHANNELS}/CH1/Messages"


@pytest.mark.parametrize(
    ("path", "collection"),
    [
        (MESSAGES, MESSAGES),
        (f"{MESSAGES}/IM1", MESSAGES),
        (f"{CHANNELS}/CH1", CHANNELS),
        (CHANNELS, CHANNELS),
        ("/v1/Services", "/v1/Services"),
        ("/v1/Services/a%2fb", "/v1/Services"),
    ],
)
def test_a_timeline_is_a_collection_with_its_members(path: str, collection: str) -> None:
    assert timeline(path.encode()) == collection.encode()


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (MESSAGES, "POST Messages"),
        (f"{MESSAGES}/IM1", "POST Messages/Sid"),
        (CHANNELS, "POST Channels"),
        ("/v1", "POST /Sid"),
    ],
)
def test_a_route_names_method_and_collection(path: str, named: str) -> None:
    assert route("POST", path.encode()) == named
