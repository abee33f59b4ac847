import pytest
from core.timeline.recordings import CHANNEL, CHANNELS, MEMBERS, MESSAGES, SERVICE, A, Recording, compiled

from chatproxy.core.model import is_refused
from chatproxy.core.timeline.places import Need, Places, needed, touches
from chatproxy.core.timeline.states import Done, Effect, States, Where, place_digest, unique_digest

ANY_CHANNEL, EVERY_INVITE = f"{CHANNELS}/?", f"{CHANNELS}/{{}}/Invites/*"


def digests(*paths: str) -> tuple[int, ...]:
    return tuple(place_digest(path.encode()) for path in paths)


def done(
    method: str, path: str, status: int, *, body: str = "", shows: object = None, counts: bool = False
) -> Done | None:
    (one,), _ = compiled(Recording().add(method, path, status, body=body, shows=shows).exchanges)
    return Places().done(one, counts)


def need(method: str, path: str, status: int) -> Need:
    (one,), _ = compiled(Recording().add(method, path, status).exchanges)
    return Places().need(one, Places().done(one))


@pytest.mark.parametrize(
    ("path", "above", "is_object"),
    [
        (MESSAGES, (SERVICE, ANY_CHANNEL, CHANNEL), False),
        (f"{MESSAGES}/{A}", (SERVICE, ANY_CHANNEL, CHANNEL), True),
        (CHANNELS, (SERVICE,), False),
        (CHANNEL, (f"{CHANNELS}/*", SERVICE, ANY_CHANNEL), True),
        (MEMBERS, (SERVICE, ANY_CHANNEL, CHANNEL, f"{SERVICE}/Channels/{{}}/Members/*"), False),
        (
            f"{CHANNEL}/Invites",
            (SERVICE, ANY_CHANNEL, CHANNEL, f"{CHANNEL}/Invites/*", f"{SERVICE}/Channels/{{}}/Invites/*"),
            False,
        ),
        (f"{SERVICE}/Users", (SERVICE,), False),
        (f"{SERVICE}/Users/a", (f"{SERVICE}/Users/*", SERVICE, f"{SERVICE}/Users/?"), True),
        ("/v1/Services", (), False),
        ("/2010-04-01/Accounts/AC", ("/2010-04-01",), True),
        ("/healthz", (), True),
    ],
)
def test_where_a_path_leads(path: str, above: tuple[str, ...], is_object: bool) -> None:
    places = Places()
    assert places.where(path.encode()) == Where(digests(*above), digests(path)[0], is_object)
    assert places.where(path.encode()) is places.where(path.encode())


@pytest.mark.parametrize(
    ("method", "path", "status", "effect"),
    [
        ("POST", f"{MESSAGES}/{A}", 200, Effect.CHANGES),
        ("PUT", f"{MESSAGES}/{A}", 503, Effect.MAY_CHANGE),
        ("DELETE", f"{MESSAGES}/{A}", 204, Effect.DELETES),
        ("DELETE", f"{MESSAGES}/{A}", 500, Effect.MAY_DELETE),
        ("GET", f"{MESSAGES}/{A}", 200, None),
        ("POST", f"{MESSAGES}/{A}", 404, None),
    ],
)
def test_what_a_write_to_an_object_does(method: str, path: str, status: int, effect: Effect | None) -> None:
    write = done(method, path, status)
    assert (write and write.effect) == effect
    assert write is None or (write.place, *write.touched) == digests(path, MESSAGES, CHANNEL, CHANNELS)


def test_a_create_makes_the_object_that_its_answer_shows_or_one_of_its_own() -> None:
    made, (unknown,) = done("POST", MESSAGES, 201, shows={"sid": A}), digests(f"{MESSAGES}/?1")
    assert made is not None
    assert (made.effect, made.place, made.above) == (
        Effect.MAKES,
        *digests(f"{MESSAGES}/{A}"),
        digests(SERVICE, ANY_CHANNEL, CHANNEL),
    )
    for write in (
        done("POST", MESSAGES, 503, shows={"sid": A}),
        done("POST", MESSAGES, 201),
        done("POST", MESSAGES, 409, counts=True),
    ):
        assert write is not None
        assert (write.effect, write.place) == (Effect.MAKES, unknown)


def test_a_write_to_what_its_owner_does_not_count_touches_its_collection_alone() -> None:
    write = done("POST", CHANNELS, 201, shows={"sid": "CH"})
    assert write is not None
    assert write.touched == digests(CHANNELS)
    assert done("POST", "/v1/Services", 201, shows={"sid": "IS"}) is not None


def test_a_delete_of_a_collection_may_have_deleted_what_is_above() -> None:
    write, root = done("DELETE", MESSAGES, 204), done("DELETE", "/v1/Services", 204)
    assert write is not None
    assert (write.effect, write.place, write.touched) == (Effect.MAY_DELETE, *digests(CHANNEL), digests(CHANNELS))
    assert root is not None
    assert root.effect is Effect.MAKES


def test_the_value_of_a_unique_field_goes_with_a_write() -> None:
    write = done("POST", MEMBERS, 201, body="RoleSid=x&Identity=bob", shows={"sid": "MB"})
    assert write is not None
    assert write.unique == unique_digest(place_digest(MEMBERS.encode()), b"Identity=bob")
    assert done("POST", MESSAGES, 201, body="Body=bob", shows={"sid": "IM"}) == Done(
        *done("POST", MESSAGES, 201, shows={"sid": "IM"}) or ()
    )


def test_an_update_of_a_name_touches_what_is_below() -> None:
    write, other = done("POST", CHANNEL, 200, body="UniqueName=a"), done("POST", CHANNEL, 200, body="FriendlyName=a")
    assert write is not None and other is not None  # noqa: PT018 - for types
    assert (write.effect, other.effect) == (Effect.MAKES, Effect.CHANGES)


@pytest.mark.parametrize(
    ("method", "path", "status", "needs"),
    [
        ("GET", MESSAGES, 200, Need.STATE),
        ("POST", f"{MESSAGES}/{A}", 200, Need.STATE),
        ("DELETE", f"{MESSAGES}/{A}", 204, Need.LIFE),
        ("DELETE", f"{MESSAGES}/{A}", 404, Need.STATE),
        ("DELETE", MESSAGES, 204, Need.STATE),
        ("POST", MESSAGES, 201, Need.ROOM),
        ("POST", MESSAGES, 400, Need.ROOM),
        ("POST", f"{CHANNEL}/Things", 201, Need.ROOM),
        ("POST", f"{CHANNEL}/Things", 400, Need.STATE),
    ],
)
def test_what_an_exchange_needs(method: str, path: str, status: int, needs: Need) -> None:
    assert need(method, path, status) is needs


@pytest.mark.parametrize("needs", Need)
def test_a_write_touches_what_an_exchange_needs_if_that_is_another_with_it_done(needs: Need) -> None:
    places = Places()
    wheres = [places.where(path.encode()) for path in (f"{MESSAGES}/{A}", CHANNEL, MESSAGES, CHANNELS)]
    writes = [
        done("POST", f"{MESSAGES}/{A}", 200),
        done("POST", f"{MESSAGES}/{A}", 503),
        done("DELETE", f"{MESSAGES}/{A}", 204),
        done("POST", MESSAGES, 201, shows={"sid": A}),
        done("POST", MESSAGES, 201, shows={"sid": "other"}),
        done("POST", CHANNEL, 200),
        done("DELETE", CHANNEL, 204),
    ]
    for where in wheres:
        for write in filter(None, writes):
            if needs is Need.STATE or where.is_object is (needs is Need.LIFE):
                states = States()
                before = needed(states, where, needs, 0)
                states.do(write)
                assert touches(write, where, needs) is (needed(states, where, needs, 0) != before)


def test_what_was_refused() -> None:
    assert [is_refused(status) for status in (200, 399, 400, 499, 500)] == [False, False, True, True, False]


def test_law_5_what_is_done_by_a_name_that_is_not_told_may_have_been_done_to_any_member() -> None:
    for write in (done("DELETE", f"{CHANNELS}/general", 204), done("DELETE", f"{CHANNELS}/general/Members/MB", 204)):
        assert write is not None
        assert write.effect is Effect.MAY_DELETE
        assert (write.above, (write.place,), write.touched) == tuple(map(digests, (SERVICE, ANY_CHANNEL, CHANNELS)))
    for path in (f"{CHANNELS}/general", f"{CHANNELS}/general/Messages"):
        assert need("POST", path, 503) is need("POST", path, 404) is Need.STATE


def test_only_creates_and_updates_of_names_need_room_for_a_value() -> None:
    def unique(method: str, path: str, body: str) -> int:
        (one,), _ = compiled(Recording().add(method, path, body=body).exchanges)
        return Places().unique(one)

    value = unique_digest(place_digest(CHANNELS.encode()), b"UniqueName=a")
    assert unique("POST", CHANNELS, "UniqueName=a") == unique("POST", CHANNEL, "UniqueName=a") == value
    for method, path, body in (
        ("POST", CHANNELS, "UniqueName="),
        ("DELETE", CHANNEL, "UniqueName=a"),
        ("POST", f"{CHANNELS}/general", "UniqueName=a"),
        ("POST", f"{MEMBERS}/MB{'1' * 32}", "Identity=a"),
    ):
        assert unique(method, path, body) == 0


def test_the_values_that_an_object_may_have_had_go_with_a_write() -> None:
    recording = Recording().add("GET", CHANNEL, shows={"sid": CHANNEL[-34:], "unique_name": "a"})
    write = Places().done(compiled(recording.add("DELETE", CHANNEL, 204).exchanges)[0][-1])
    assert write is not None
    assert write.frees == (unique_digest(place_digest(CHANNELS.encode()), b"UniqueName=a"),)
    assert (unknown := done("DELETE", CHANNEL, 204)) is not None
    assert unknown.frees == digests(CHANNELS, ANY_CHANNEL)
    assert (member := done("DELETE", f"{MEMBERS}/MB", 204)) is not None
    assert member.frees == digests(MEMBERS)
