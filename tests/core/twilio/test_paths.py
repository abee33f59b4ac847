import pytest

from chatproxy.core.twilio.paths import Spellings, above, path_segment, route, table_of, timeline

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


# Names

ROOMS, SID, OTHER = b"/v1/Services/IS1/Channels", b"CH" + b"1" * 32, b"CH" + b"2" * 32
NAMED, MESSAGE = ROOMS + b"/general", b"IM" + b"1" * 32


def learnt(*told: tuple[bytes, bytes, dict[str, str]]) -> Spellings:
    spellings = Spellings()
    for path, sid, tells in told:
        spellings.learn(path, sid, tells)
    return spellings


@pytest.mark.parametrize(
    ("path", "sid", "tells"),
    [
        (NAMED + b"/Messages", MESSAGE, {"channel_sid": SID.decode()}),
        (NAMED + b"/Messages", MESSAGE, {"to": SID.decode()}),
        (
            NAMED + b"/Messages",
            MESSAGE,
            {"to": "bob", "url": f"https://chat.twilio.com{ROOMS.decode()}/{SID.decode()}/Messages"},
        ),
        (NAMED, SID, {}),
        (ROOMS, SID, {"unique_name": "general"}),
        (ROOMS + b"/" + SID, SID, {"unique_name": "general"}),
    ],
)
def test_a_name_and_a_sid_are_one_place_if_an_answer_says_so(path: bytes, sid: bytes, tells: dict[str, str]) -> None:
    spellings = learnt((path, sid, tells))
    assert spellings.one(NAMED + b"/Messages") == ROOMS + b"/" + SID + b"/Messages"
    assert spellings.one(ROOMS + b"/" + SID) == ROOMS + b"/" + SID
    assert not spellings.has_shared
    assert not spellings.is_shared(ROOMS + b"/" + SID)


@pytest.mark.parametrize(
    ("path", "tells"),
    [
        (NAMED + b"/Messages", {}),
        (NAMED + b"/Messages", {"channel_sid": "general", "url": "general"}),
        (NAMED + b"/Messages", {"url": "https://chat.twilio.com/v1/Services/IS1/Channels/other"}),
        (ROOMS, {}),
        (ROOMS + b"/" + SID + b"/Messages", {"channel_sid": OTHER.decode()}),
        (b"/v1/Services", {"unique_name": "general"}),
    ],
)
def test_a_name_stays_one_where_no_answer_says_so(path: bytes, tells: dict[str, str]) -> None:
    spellings = learnt((path, MESSAGE, tells))
    assert spellings.one(NAMED) == NAMED
    assert spellings.one(b"/v1/Services/IS1") == b"/v1/Services/IS1"


def test_a_name_with_structure_is_spelled_as_in_a_path() -> None:
    assert path_segment(b"a/b?%") == b"a%2fb%3f%25"
    assert learnt((ROOMS, SID, {"unique_name": "a/b"})).one(ROOMS + b"/a%2fb") == ROOMS + b"/" + SID


def test_a_name_that_stood_for_two_objects_makes_them_one_place() -> None:
    spellings = learnt((NAMED, SID, {}), (NAMED, OTHER, {}), (NAMED, SID, {}))
    assert spellings.has_shared
    assert {spellings.one(ROOMS + b"/" + each) for each in (SID, OTHER, b"general")} == {ROOMS + b"/" + SID}
    assert spellings.is_shared(ROOMS + b"/" + SID)


def test_two_names_of_one_object_are_not_shared() -> None:
    spellings = learnt((ROOMS, SID, {"unique_name": "a"}), (ROOMS, SID, {"unique_name": "b"}))
    assert spellings.one(ROOMS + b"/a") == spellings.one(ROOMS + b"/b")
    assert not spellings.has_shared


@pytest.mark.parametrize(
    ("path", "wants"),
    [
        (ROOMS, True),
        (NAMED, True),
        (ROOMS + b"/" + SID, True),
        (NAMED + b"/Messages", True),
        (ROOMS + b"/" + SID + b"/Messages", False),
        (b"/v1/Services", False),
    ],
)
def test_what_may_tell_of_names(path: bytes, wants: bool) -> None:
    assert Spellings().wants(path) is wants


@pytest.mark.parametrize(
    ("path", "objects"),
    [
        (b"/v1/Services", []),
        (b"/v1/Services/IS1", []),
        (ROOMS, [b"/v1/Services/IS1"]),
        (NAMED + b"/Messages/IM1", [b"/v1/Services/IS1", NAMED]),
        (b"/a/b/c/d", [b"/a", b"/a/b/c"]),
    ],
)
def test_the_objects_above_a_path(path: bytes, objects: list[bytes]) -> None:
    assert above(path) == objects


def test_the_table_of_a_collection() -> None:
    assert (table_of(ROOMS).unique, table_of(ROOMS).is_counted) == ("UniqueName", False)
    assert (table_of(b"/v1/Other").path, table_of(b"/v1/Other").is_counted) == ("", True)


@pytest.mark.parametrize(
    ("path", "other", "is_learnt"),
    [
        ("Channels/general/Messages/IM1", f"Channels/CH{'1' * 32}/Messages/IM1", True),
        ("Channels/general/Messages/IM1", f"Channels/CH{'1' * 32}/Messages/IM2", False),
        ("Channels/general/Members/IM1", f"Channels/CH{'1' * 32}/Messages/IM1", False),
        ("Channels/general/Messages/IM1", f"Users/US{'1' * 32}/Messages/IM1", False),
        ("Channels/general/Messages/IM1", f"Roles/RL{'1' * 32}", False),
        (f"Roles/RL{'1' * 32}", "Channels/general/Messages/IM1", False),
    ],
)
def test_a_name_stands_for_what_holds_the_same_below_it(path: str, other: str, is_learnt: bool) -> None:
    spellings, service = Spellings(), f"/v1/Services/IS{'1' * 32}/"
    spellings.learn_below((service + path).encode(), (service + other).encode())
    expected = {f"{service}Channels/general".encode(): f"{service}Channels/CH{'1' * 32}".encode()}
    assert spellings.others == (expected if is_learnt else {})
