"""The service of the tests' own upstream: roles, users, invites, and what calls change elsewhere."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from laws.caller import Caller
from laws.resources import ORIGIN
from laws.upstream import Quirks

SERVICE = (
    "sid account_sid friendly_name date_created date_updated default_service_role_sid default_channel_role_sid "
    "default_channel_creator_role_sid limits url links"
)
ROLE = "sid account_sid service_sid friendly_name type permissions date_created date_updated url"
USER = (
    "sid account_sid service_sid attributes friendly_name role_sid identity is_online is_notifiable date_created "
    "date_updated joined_channels_count links url"
)
INVITE = "sid account_sid channel_sid service_sid identity date_created date_updated role_sid created_by url"
JOINED = "account_sid service_sid channel_sid member_sid status last_consumed_message_index unread_messages_count links"
ADMIN: dict[str, str | list[str]] = {"FriendlyName": "admin", "Type": "channel", "Permission": ["a", "b"]}


def users(caller: Caller) -> dict[str, int]:
    """Return of how many channels each user is a member."""
    listed = caller.told("GET", f"{caller.service}/Users")["users"]
    return {one["identity"]: one["joined_channels_count"] for one in listed}


def joined(caller: Caller, identity: str) -> list[Any]:
    found: list[Any] = caller.told("GET", f"{caller.service}/Users/{identity}/Channels")["channels"]
    return found


def names(caller: Caller, what: str) -> list[str]:
    return [one["identity"] for one in caller.listed(what)]


@pytest.mark.parametrize(
    ("path", "form", "prefix", "fields"),
    [
        ("Roles", ADMIN, "RL", ROLE),
        ("Users", {"Identity": "alice"}, "US", USER),
        ("Channels/seed-0/Invites", {"Identity": "alice"}, "IN", INVITE),
    ],
)
def test_objects_have_the_fields_of_version_1_and_are_the_same_in_all_answers(
    path: str, form: dict[str, str | list[str]], prefix: str, fields: str
) -> None:
    caller = Caller()
    given = caller.ask("POST", f"{caller.service}/{path}", **form)
    made = json.loads(given.body)
    assert (given.status, made["sid"][:2], " ".join(made)) == (201, prefix, fields)
    assert caller.told("GET", urlsplit(made["url"]).path) == made
    listed = caller.told("GET", f"{caller.service}/{path}")
    assert listed[listed["meta"]["key"]][-1] == made


def test_a_service_shows_its_roles_and_limits() -> None:
    caller = Caller()
    shown = caller.told("GET", caller.service)
    assert " ".join(shown) == SERVICE
    assert caller.told("GET", "/v1/Services")["services"] == [shown]
    assert shown["default_channel_role_sid"] == caller.listed("Members")[0]["role_sid"]
    assert shown["limits"] == {"channel_members": 100, "user_channels": 250}
    assert caller.ask("POST", "/v1/Services", FriendlyName="x").status == 403


def test_what_a_form_repeats_is_a_list() -> None:
    caller = Caller()
    made = caller.told("POST", f"{caller.service}/Roles", **ADMIN)
    assert made["permissions"] == ["a", "b"]
    assert caller.told("POST", urlsplit(made["url"]).path, Permission="c")["permissions"] == ["c"]


def test_who_becomes_a_member_is_a_user_and_invited_no_more() -> None:
    caller = Caller()
    assert users(caller) == {"owner": 1}
    caller.ask("POST", f"{caller.channel}/Invites", Identity="alice")
    assert (names(caller, "Invites"), users(caller)) == (["alice"], {"owner": 1})
    caller.ask("POST", f"{caller.channel}/Members", Identity="alice")
    assert (names(caller, "Invites"), users(caller)) == ([], {"owner": 1, "alice": 1})


def test_who_is_invited_may_be_a_user() -> None:
    caller = Caller(Quirks(greets=True))
    caller.ask("POST", f"{caller.channel}/Invites", Identity="alice")
    assert users(caller) == {"owner": 1, "alice": 0}


def test_with_a_user_go_its_memberships_and_invites() -> None:
    caller = Caller(seeded=2)
    other = f"{caller.root}/{caller.upstream.seeds[1]}"
    caller.ask("POST", f"{other}/Members", Identity="alice")
    caller.ask("POST", f"{caller.channel}/Invites", Identity="alice")
    assert caller.ask("DELETE", f"{caller.service}/Users/alice").status == 204
    assert caller.told("GET", f"{other}/Members")["members"] == names(caller, "Invites") == []
    assert caller.ask("GET", f"{caller.service}/Users/alice/Channels").status == 404
    assert caller.told("GET", other)["members_count"] == 0


def test_a_user_counts_and_lists_its_channels_and_what_is_unread_there() -> None:
    caller = Caller(seeded=2)
    other = f"{caller.root}/{caller.upstream.seeds[1]}"
    member = caller.told("POST", f"{other}/Members", Identity="owner")
    caller.ask("POST", f"{other}/Members/{member['sid']}", LastConsumedMessageIndex="0")
    first, second = joined(caller, "owner")
    assert " ".join(second) == JOINED
    assert (second["member_sid"], second["links"]["member"]) == (
        member["sid"],
        f"{ORIGIN}{other}/Members/{member['sid']}",
    )
    assert [one["unread_messages_count"] for one in (first, second)] == [2, 1]
    assert [one["last_consumed_message_index"] for one in (first, second)] == [None, 0]
    assert users(caller) == {"owner": 2}
    caller.ask("DELETE", caller.channel)
    assert (users(caller), len(joined(caller, "owner"))) == ({"owner": 1}, 1)
    page = caller.told("GET", f"{caller.service}/Users/owner/Channels?PageSize=1")
    assert page["meta"]["next_page_url"] is None


def test_a_service_says_what_role_later_members_and_users_have() -> None:
    caller = Caller()
    role = caller.told("POST", f"{caller.service}/Roles", **ADMIN)["sid"]
    caller.ask("POST", f"{caller.channel}/Members", Identity="alice")
    caller.ask("POST", caller.service, DefaultChannelRoleSid=role, DefaultServiceRoleSid=role)
    caller.ask("POST", f"{caller.channel}/Members", Identity="bob")
    assert [one["role_sid"] == role for one in caller.listed("Members")] == [False, False, True]
    shown = caller.told("GET", f"{caller.service}/Users")["users"]
    assert [one["role_sid"] == role for one in shown] == [False, False, True]


def test_a_role_that_was_deleted_cannot_be_sent() -> None:
    caller = Caller()
    role = caller.told("POST", f"{caller.service}/Roles", **ADMIN)["sid"]
    made = caller.told("POST", f"{caller.channel}/Members", Identity="alice", RoleSid=role)
    assert made["role_sid"] == role
    caller.ask("DELETE", f"{caller.service}/Roles/{role}")
    assert caller.listed("Members")[-1] == made
    for path, form in (
        (f"{caller.channel}/Members", {"Identity": "bob", "RoleSid": role}),
        (f"{caller.channel}/Members/{made['sid']}", {"RoleSid": role}),
        (f"{caller.channel}/Invites", {"Identity": "bob", "RoleSid": role}),
        (f"{caller.service}/Users", {"Identity": "bob", "RoleSid": role}),
        (caller.service, {"DefaultChannelRoleSid": role}),
    ):
        assert (path, caller.ask("POST", path, **form).status) == (path, 400)
    assert users(caller) == {"owner": 1, "alice": 1}


@pytest.mark.parametrize(
    ("limit", "path", "form", "status"),
    [
        ({}, "Channels/seed-0/Invites", {"Identity": "owner"}, 409),
        ({}, "Channels/seed-0/Invites", {}, 400),
        ({}, "Users", {"Identity": "owner"}, 409),
        ({}, "Users", {"Identity": "alice", "Attributes": "{"}, 400),
        ({}, "Users/owner/Channels", {"Identity": "owner"}, 405),
        ({}, "Roles", {"FriendlyName": "a", "Type": "channel"}, 400),
        ({}, "", {"Limits.ChannelMembers": "x"}, 400),
        ({"Limits.ChannelMembers": "1"}, "Channels/seed-0/Members", {"Identity": "alice"}, 403),
        ({"Limits.ChannelMembers": "1"}, "Channels/seed-0/Members", {"Identity": "owner"}, 409),
        ({"Limits.UserChannels": "1"}, "Channels/seed-1/Members", {"Identity": "owner"}, 403),
        ({"Limits.UserChannels": "1"}, "Channels/seed-1/Members", {"Identity": "alice"}, 201),
    ],
)
def test_what_is_refused(limit: dict[str, str], path: str, form: dict[str, str], status: int) -> None:
    caller = Caller(seeded=2)
    caller.ask("POST", caller.service, **limit)
    before = users(caller), names(caller, "Invites")
    assert caller.ask("POST", f"{caller.service}/{path}".rstrip("/"), **form).status == status
    assert ((users(caller), names(caller, "Invites")) == before) == (status != 201)
