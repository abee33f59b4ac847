from typing import Any, Self

import pytest
from core.timeline.recordings import CHANNEL, CHANNELS, MEMBERS, MESSAGES, SERVICE, A, Recording, Replay, compiled

from chatproxy.core.products.every import COLLECTIONS
from chatproxy.core.timeline.elsewhere import changed_as, counted_as, made_in
from chatproxy.core.timeline.standing import Role

USERS, INVITES, ROLES = f"{SERVICE}/Users", f"{CHANNEL}/Invites", f"{SERVICE}/Roles"
US, MB, IN, RL, CH = (prefix + "1" * 32 for prefix in ("US", "MB", "IN", "RL", "CH"))
OTHER = "CH" + "2" * 32
BOB = {"sid": US, "identity": "bob"}
MEMBER = {"sid": MB, "identity": "bob", "channel_sid": CH}


class Service(Recording):
    """Exchanges about who is in a service and its channels."""

    def join(self, identity: str = "bob", sid: str = MB, status: int = 201) -> Self:
        shows = {"sid": sid, "identity": identity} if status < 400 else {"status": status}
        self.add("POST", MEMBERS, status, body=f"Identity={identity}", shows=shows)
        return self

    def user(self, status: int = 200, named: str = "bob") -> Self:
        self.add("GET", f"{USERS}/{named}", status, shows=BOB if status == 200 else {"status": status})
        return self

    def users(self, *users: dict[str, Any]) -> Self:
        self.page(*users, into=USERS)
        return self

    def read(self, path: str, shows: object = None, status: int = 200) -> Self:
        self.add("GET", path, status, shows={"a": 1} if shows is None else shows)
        return self

    def drop(self, path: str) -> Self:
        self.add("DELETE", path, 204)
        return self


def elsewhere(recording: Recording) -> list[str]:
    """Return what the last write changes in other collections."""
    return [path.decode().removeprefix(SERVICE) for path in compiled(recording.exchanges)[0][-1].elsewhere]


EVERY_MEMBER, EVERY_INVITE = "/Channels/{}/Members/*", "/Channels/{}/Invites/*"
OF_CHANNEL = INVITES.removeprefix(SERVICE) + "/*"


@pytest.mark.parametrize(
    ("recording", "changed"),
    [
        (Service().join(), [OF_CHANNEL, "/Users", "/Users/bob"]),
        (Service().user().join(), [OF_CHANNEL, "/Users", f"/Users/{US}"]),
        (Service().join().drop(f"{MEMBERS}/{MB}"), [OF_CHANNEL, "/Users", "/Users/bob"]),
        (Service().drop(f"{MEMBERS}/{MB}"), [OF_CHANNEL, "/Users", "/Users/*"]),
        (Service().add("POST", f"{MEMBERS}/{MB}", body="RoleSid=a"), [OF_CHANNEL]),
        (Service().add("POST", INVITES, 201, body="Identity=bob"), ["/Channels/?/", "/Users", "/Users/bob"]),
        (Service().drop(f"{USERS}/{US}"), [EVERY_MEMBER, EVERY_INVITE, "/Channels", "/Channels/*", "/Users/?name"]),
        (Service().drop(CHANNEL), ["/Users", "/Users/*", "/Channels/?name"]),
        (Service().add("POST", CHANNELS, 201, body="UniqueName=a", shows={"sid": CH, "unique_name": "a"}), []),
        (Service().add("POST", CHANNELS, 500, body="UniqueName=a"), ["/Channels/a"]),
        (Service().create(A), []),
        (Service().user(), []),
    ],
)
def test_what_a_write_changes_in_other_collections(recording: Recording, changed: list[str]) -> None:
    assert elsewhere(recording) == changed


def test_the_paths_by_which_others_mean_a_collection_are_those_that_they_write() -> None:
    assert changed_as(MEMBERS.encode()) == (f"{SERVICE}{EVERY_MEMBER}".encode(),)
    assert counted_as(USERS.encode()) == (f"{USERS}/*".encode(),)
    assert (changed_as(MESSAGES.encode()), counted_as(b"/v1/Unknown")) == ((), ())
    assert made_in(compiled(Service().join().exchanges)[0][0]) == USERS.encode()
    assert made_in(compiled(Service().user().exchanges)[0][0]) == b""


def test_no_collection_is_both_counted_and_changed_by_others() -> None:
    changed = {path for one in COLLECTIONS for path in (*one.changes, *one.ends)}
    assert not changed & {path for one in COLLECTIONS for path in (*one.counted_by, one.makes)}


def test_law_1_who_becomes_a_member_becomes_a_user() -> None:
    replay = Replay(Service().join().user().users(BOB).user(named=US))
    assert replay.again(2, 3, 4, 1, 2, 3, 4) == [None, None, None, 1, 2, 3, 4]


def test_law_1_a_user_that_a_member_made_can_be_made_no_more_and_deleted_only_then() -> None:
    refused = Replay(Service().join().add("POST", USERS, 409, body="Identity=bob"))
    assert refused.again(2, 1, 2) == [None, 1, 2]
    gone = Replay(Service().join().drop(f"{USERS}/bob"))
    assert gone.again(2, 1, 2) == [None, 1, 2]


def test_law_1_members_of_others_do_not_count() -> None:
    replay = Replay(Service().join("bob").join("alice", "MB" + "2" * 32).user())
    assert replay.again(1, 3) == [1, 3]


def test_law_1_who_ceases_to_be_a_member_counts_at_the_user() -> None:
    known = Replay(Service().user().join().drop(f"{MEMBERS}/{MB}").user())
    assert known.again(2, 4, 3, 4) == [2, None, 3, 4]
    unknown = Replay(Service().drop(f"{MEMBERS}/{MB}").user().users(BOB))
    assert unknown.again(2, 3, 1, 2, 3) == [None, None, 1, 2, 3]


@pytest.mark.parametrize("path", [INVITES, f"{INVITES}/{IN}"])
def test_law_2_who_becomes_a_member_is_invited_no_more(path: str) -> None:
    replay = Replay(Service().join().read(path))
    assert replay.again(2, 1, 2) == [None, 1, 2]
    other = CHANNEL.replace(CH, OTHER)
    assert Replay(Service().join().read(path.replace(CHANNEL, other))).again(2) == [2]


def test_law_2_an_invite_of_a_member_is_refused_as_long_as_it_is_one() -> None:
    replay = Replay(Service().join().add("POST", INVITES, 409, body="Identity=bob"))
    assert replay.again(2, 1, 2) == [None, 1, 2]


@pytest.mark.parametrize("path", [MEMBERS, f"{MEMBERS}/{MB}", INVITES, CHANNEL, CHANNELS])
def test_law_2_a_user_that_is_deleted_is_no_member_any_more(path: str) -> None:
    replay = Replay(Service().drop(f"{USERS}/{US}").read(path))
    assert replay.again(2, 1, 2) == [None, 1, 2]


@pytest.mark.parametrize("path", [MESSAGES, f"{MESSAGES}/{A}", SERVICE])
def test_law_2_a_user_that_is_deleted_leaves_all_else(path: str) -> None:
    assert Replay(Service().drop(f"{USERS}/{US}").read(path)).again(2) == [2]


def test_law_2_who_was_deleted_can_become_a_member_again() -> None:
    replay = Replay(Service().drop(f"{USERS}/{US}").join())
    assert replay.again(2, 1, 2) == [None, 1, 2]


@pytest.mark.parametrize("path", [USERS, f"{USERS}/{US}"])
def test_law_2_a_channel_that_is_deleted_counts_at_users_but_bars_nobody(path: str) -> None:
    recording = Service().drop(CHANNEL).read(path).add("POST", USERS, 201, body="Identity=z", shows=BOB)
    assert Replay(recording).again(2, 3) == [None, 3]
    assert Replay(recording).again(1, 2) == [1, 2]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", MEMBERS, "Identity=bob"),
        ("POST", MESSAGES, "Body=a"),
        ("DELETE", CHANNEL, ""),
        ("DELETE", f"{USERS}/{US}", ""),
        ("POST", f"{MEMBERS}/{MB}", "LastConsumedMessageIndex=1"),
    ],
)
@pytest.mark.parametrize("named", [US, "bob"])
def test_a_users_channels_are_as_all_channels_of_the_service(method: str, path: str, body: str, named: str) -> None:
    replay = Replay(Service().add(method, path, body=body).add("GET", f"{USERS}/{named}/Channels", shows={"a": 1}))
    assert replay.again(2, 1, 2) == [None, 1, 2]


def test_law_3_what_is_not_counted_is_seen_below_a_name_that_no_answer_tells() -> None:
    replay = Replay(Service().add("POST", INVITES, 201, body="Identity=x").read(f"{CHANNELS}/general/Invites"))
    assert replay.again(2, 1, 2) == [None, 1, 2]


def test_law_4_what_takes_a_name_that_no_answer_showed_may_take_any() -> None:
    for freed in (Service().add("POST", CHANNEL, body="UniqueName=b"), Service().drop(CHANNEL)):
        freed.read(f"{CHANNELS}/a", {}, 404)
        freed.add("POST", CHANNELS, 201, body="UniqueName=a", shows={"sid": OTHER, "unique_name": "a"})
        assert Replay(freed).again(2, 1, 2) == [None, 1, 2]
    known = Service().read(CHANNEL, {"sid": CH, "unique_name": "c"}).drop(CHANNEL).read(f"{CHANNELS}/a", {}, 404)
    known.add("POST", CHANNELS, 201, body="UniqueName=a", shows={"sid": OTHER, "unique_name": "a"})
    assert Replay(known).again(3) == [3]


def test_law_4_what_a_create_may_have_made_is_asked_for_by_its_name() -> None:
    replay = Replay(Service().add("POST", USERS, 500, body="Identity=bob").user())
    assert replay.again(2, 1, 2) == [None, 1, 2]


def test_law_5_a_role_that_is_sent_must_not_be_deleted() -> None:
    role = f"{ROLES}/{RL}"
    recording = Service().drop(role).add("POST", MEMBERS, 400, body=f"Identity=bob&RoleSid={RL}")
    recording.add("POST", SERVICE, 400, body=f"DefaultChannelRoleSid={RL}")
    replay = Replay(recording)
    assert replay.again(2, 3, 1, 2, 3) == [None, None, 1, 2, 3]
    assert Replay(Service().drop(role).join()).again(2) == [2]


def test_law_5_a_role_that_was_deleted_tells_nothing_of_a_channel_that_was_deleted_before() -> None:
    recording = (
        Service().drop(f"{ROLES}/{RL}").add("POST", MEMBERS, 400, body=f"Identity=bob&RoleSid={RL}").drop(CHANNEL)
    )
    assert Replay(recording).again(3, 1, 2) == [3, 1, None]
    update = Service().drop(f"{ROLES}/{RL}").add("POST", f"{USERS}/{US}", 400, body=f"RoleSid={RL}")
    assert Replay(update).again(2, 1, 2) == [None, 1, 2]


def test_an_update_of_a_service_changes_what_is_done_below_it() -> None:
    replay = Replay(Service().add("POST", SERVICE, body="Limits.ChannelMembers=1").join())
    assert replay.again(2, 1, 2) == [None, 1, 2]


def test_a_limit_refuses_for_all_members() -> None:
    replay = Replay(Service().join().join("alice", status=403))
    assert replay.again(2, 1, 2) == [None, 1, 2]


def test_a_name_that_was_deleted_twice_stood_for_two_objects() -> None:
    recording = Service().users(BOB).drop(f"{USERS}/bob").join().join(status=409).drop(f"{USERS}/bob")
    assert Replay(recording).again(1, 2, 3, 5, 3) == [1, 2, 3, 5, None]
    assert Replay(recording).again(1, 2, 3, 4, 5) == [1, 2, 3, 4, 5]


def test_a_user_that_could_be_made_was_made_before_the_member_in_flight() -> None:
    recording = Service().join().add("POST", USERS, 201, asked=5, body="Identity=bob", shows=BOB)
    replay = Replay(recording)
    assert replay.again(1, 2) == [1, None]
    assert Replay(recording).again(2, 1) == [2, 1]


def test_what_is_in_flight_with_a_write_elsewhere_is_in_doubt() -> None:
    recording = Recording().add("POST", MEMBERS, 201, body="Identity=bob", shows=MEMBER)
    recording.add("GET", f"{USERS}/bob", asked=5, shows=BOB)
    assert recording.roles == [Role.WRITE, Role.DOUBTFUL]
