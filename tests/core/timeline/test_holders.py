from typing import Any, Self

import pytest
from core.timeline.recordings import CHANNEL, CHANNELS, MEMBERS, SERVICE, Recording, Replay, compiled

from chatproxy.core.timeline.holders import ANY

CH, OTHER, THIRD = (f"CH{digit * 32}" for digit in "123")
GENERAL = f"{CHANNELS}/general"
USERS = f"{SERVICE}/Users"
US, MB = "US" + "1" * 32, "MB" + "1" * 32


class Named(Recording):
    """Exchanges about channels with names."""

    def make(self, name: str, sid: str = OTHER) -> Self:
        self.add("POST", CHANNELS, 201, body=f"UniqueName={name}", shows={"sid": sid, "unique_name": name or None})
        return self

    def rename(self, name: str, path: str = CHANNEL, sid: str = CH, **more: Any) -> Self:
        self.add("POST", path, body=f"UniqueName={name}", shows={"sid": sid, "unique_name": name or None}, **more)
        return self

    def show(self, name: str | None, path: str = CHANNEL, sid: str = CH) -> Self:
        self.add("GET", path, shows={"sid": sid, "unique_name": name})
        return self

    def drop(self, path: str = CHANNEL) -> Self:
        self.add("DELETE", path, 204)
        return self


def had(recording: Recording) -> tuple[bytes, ...]:
    """Return what the object of the last write may have had."""
    return compiled(recording.exchanges)[0][-1].had


@pytest.mark.parametrize(
    ("recording", "values"),
    [
        (Named().show("a").drop(), (b"UniqueName=a",)),
        (Named().show(None).drop(), ()),
        (Named().show("a").rename("b").drop(), (b"UniqueName=a", b"UniqueName=b")),
        (Named().add("GET", CHANNEL, shows={"sid": CH, "unique_name": "a&b"}).drop(), (b"UniqueName=a%26b",)),
        (Named().drop(), (ANY,)),
        (Named().rename("b"), (ANY,)),
        (Named().drop(GENERAL), (b"UniqueName=general",)),
        (Named().make("a", CH).drop(), (b"UniqueName=a",)),
        (Named().show("a").add("DELETE", f"{CHANNEL}/Messages", 204), (b"UniqueName=a",)),
        (Named().show("a").add("POST", CHANNEL, body="FriendlyName=b"), ()),
        (Recording().delete("IM" + "1" * 32), ()),
    ],
)
def test_what_the_object_of_a_write_had(recording: Recording, values: tuple[bytes, ...]) -> None:
    assert had(recording) == values


def test_law_1_the_name_of_what_was_shown_is_free_only_when_that_is_deleted_or_renamed() -> None:
    for freed in (Named().show("a").drop(), Named().show("a").rename("b"), Named().show("a").rename("")):
        replay = Replay(freed.make("a"))
        assert replay.again(1, 3) == [1, None]
        assert replay.again(2, 3) == [2, 3]


def test_law_1_members_and_users_hold_their_identities() -> None:
    members = Recording().add("GET", f"{MEMBERS}/{MB}", shows={"sid": MB, "identity": "z"})
    members.delete(MB, into=MEMBERS).add("POST", MEMBERS, 201, body="Identity=z", shows={"sid": "MB" + "2" * 32})
    users = Recording().add("GET", f"{USERS}/z", shows={"sid": US, "identity": "z"}).delete(US, into=USERS)
    users.add("POST", USERS, 201, body="Identity=z", shows={"sid": "US" + "2" * 32, "identity": "z"})
    for recording in (members, users):
        assert Replay(recording).again(1, 3) == [1, None]
        assert Replay(recording).again(1, 2, 3) == [1, 2, 3]


def test_law_2_what_was_taken_from_an_object_that_was_never_shown_may_be_any_value() -> None:
    for freed in (Named().drop(), Named().rename("b")):
        assert Replay(freed.make("a")).again(2, 1) == [None, 1]
        assert Replay(freed).again(1, 2) == [1, 2]
    known = Named().show("c").drop().make("a")
    assert Replay(known).again(3, 2) == [3, 2]


def test_an_update_needs_that_its_value_is_free() -> None:
    refused = Named().make("b").show("a").add("POST", CHANNEL, 409, body="UniqueName=b")
    assert Replay(refused).again(2, 3) == [2, None]
    assert Replay(refused).again(1, 3) == [1, 3]
    freed = Named().make("b").drop(f"{CHANNELS}/{OTHER}").rename("b")
    assert Replay(freed).again(1, 3) == [1, None]
    assert Replay(freed).again(1, 2, 3) == [1, 2, 3]
    below = Named().rename("b").drop().add("POST", CHANNEL, 404, body="UniqueName=c")
    assert Replay(below).again(1, 2, 3) == [1, 2, 3]


def test_an_object_that_gets_a_name_twice_holds_it() -> None:
    recording = Named().show("c").rename("a").rename("b").rename("a")
    recording.add("POST", CHANNELS, 409, body="UniqueName=a")
    assert Replay(recording).again(5) == [None]
    assert Replay(recording).again(2, 3, 4, 5) == [2, 3, 4, 5]


def test_other_names_and_empty_ones_need_no_room() -> None:
    recording = Named().make("a", OTHER).make("b", THIRD)
    assert Replay(recording).again(2, 1) == [2, 1]
    empty = Named().make("", OTHER).add("POST", CHANNELS, 201, body="UniqueName=&FriendlyName=b", shows={"sid": THIRD})
    assert Replay(empty).again(2, 1) == [2, 1]


def test_what_a_name_stood_for_before_a_write_gave_it_to_another_is_untold() -> None:
    recording = Named().drop(GENERAL).add("GET", GENERAL, 404)
    Named.make(recording, "general").add("GET", GENERAL, shows={"sid": OTHER, "unique_name": "general"})
    recording.add("GET", f"{CHANNEL}/Messages", 404)
    assert Replay(recording).again(5) == [None]
    assert Replay(recording).again(3) == [None]
    assert Replay(recording).again(1, 3, 4, 5) == [1, 3, 4, 5]
    assert Replay(recording).again(1, 2, 3, 4) == [1, 2, 3, 4]
    listed = Named().add("GET", f"{GENERAL}/Members", shows={"members": []})
    renamed = Named.rename(listed, "general")
    assert compiled(renamed.exchanges)[0][0].may_be_in == CHANNELS.encode()


def test_what_found_nothing_or_a_name_that_was_told_before_stands_for_its_object() -> None:
    created = Named().add("GET", GENERAL, 404)
    Named.make(created, "general")
    again = Named().show("general").add("GET", f"{GENERAL}/Members", shows={"members": []})
    Named.rename(again, "general")
    for recording in (created, again):
        assert all(one.may_be_in is None for one in compiled(recording.exchanges)[0])
