"""The tests' own upstream against what is known of the service."""

import ast
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from laws.caller import BEGIN, Caller
from laws.resources import ORIGIN, SECOND
from laws.upstream import OTHERS, Given, Other, Quirks, Upstream

MESSAGE = (
    "sid account_sid service_sid to channel_sid date_created date_updated was_edited from attributes body index url"
)
CHANNEL = (
    "sid account_sid service_sid friendly_name unique_name attributes type date_created date_updated created_by "
    "members_count messages_count url links"
)
MEMBER = (
    "sid account_sid channel_sid service_sid identity role_sid last_consumed_message_index last_consumption_timestamp "
    "date_created date_updated url"
)


def header(given: Given, name: str) -> str:
    return dict(given.headers)[name]


def test_it_imports_nothing_of_the_package() -> None:
    for name in ("upstream", "world", "resources", "people", "lists"):
        tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_text())
        found = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        found += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        assert found
        assert not [one for one in found if one.startswith("chatproxy")]


@pytest.mark.parametrize(
    ("path", "form", "prefix", "fields"),
    [
        ("Messages", {"Body": "a"}, "IM", MESSAGE),
        ("Members", {"Identity": "a"}, "MB", MEMBER),
        ("", {"FriendlyName": "a"}, "CH", CHANNEL),
    ],
)
def test_objects_have_the_fields_of_version_1_and_are_the_same_in_all_answers(
    path: str, form: dict[str, str], prefix: str, fields: str
) -> None:
    caller = Caller()
    collection = f"{caller.channel}/{path}" if path else caller.root
    given = caller.ask("POST", collection, **form)
    made = json.loads(given.body)
    assert (given.status, given.reason, " ".join(made)) == (201, "CREATED", fields)
    assert re.fullmatch(f"{prefix}[0-9a-f]{{32}}", made["sid"])
    assert made["date_created"] == made["date_updated"] == "2026-01-01T00:00:01Z"
    assert made["url"] == f"{ORIGIN}{collection}/{made['sid']}"
    assert caller.told("GET", urlsplit(made["url"]).path) == made
    listed = caller.told("GET", collection)
    assert listed[listed["meta"]["key"]][-1] == made


def test_texts_have_the_spaces_of_the_service() -> None:
    assert Caller().ask("GET", "/v1/Services/IS0/Channels").body == (
        b'{"code": 20404, "message": "The requested resource /Services/IS0/Channels was not found", '
        b'"more_info": "https://www.twilio.com/docs/errors/20404", "status": 404}'
    )


def test_headers_are_those_of_the_service_with_a_date_and_a_request_id_each() -> None:
    caller = Caller()
    one, other = (caller.ask("GET", caller.channel) for _ in range(2))
    assert header(one, "Content-Type") == "application/json; charset=utf-8"
    assert [header(given, "Date") for given in (one, other)] == [
        "Thu, 01 Jan 2026 00:00:01 GMT",
        "Thu, 01 Jan 2026 00:00:02 GMT",
    ]
    ids = {header(given, "Twilio-Request-Id") for given in (one, other)}
    assert len(ids) == 2
    assert all(re.fullmatch("RQ[0-9a-f]{32}", found) for found in ids)
    assert "Last-Modified" not in dict(one.headers)
    marked = Caller(Quirks(marks=True))
    assert header(marked.ask("POST", marked.root), "Last-Modified") == "2026-01-01T00:00:01Z"


def test_an_update_changes_what_it_names_and_says_so() -> None:
    caller = Caller(Quirks(last_updated_by=True))
    made = caller.told("POST", f"{caller.channel}/Messages", Body="a", From="me")
    assert (made["from"], made["attributes"], made["index"], made["last_updated_by"]) == ("me", "{}", 2, None)
    path = f"{caller.channel}/Messages/{made['sid']}"
    updated = caller.told("POST", path, Attributes='{"a": 1}')
    assert (
        made
        | {
            "attributes": '{"a": 1}',
            "date_updated": "2026-01-01T00:00:02Z",
            "last_updated_by": "system",
        }
        == updated
    )
    assert caller.told("POST", path, Body="")["was_edited"] is True
    assert caller.told("POST", path) == caller.told("GET", path)
    assert caller.told("GET", path)["date_updated"] == "2026-01-01T00:00:03Z"


def test_a_member_that_has_read_tells_when() -> None:
    caller = Caller()
    (owner,) = caller.listed("Members")
    read = caller.told("POST", f"{caller.channel}/Members/{owner['sid']}", LastConsumedMessageIndex="1")
    assert (read["last_consumed_message_index"], read["last_consumption_timestamp"]) == (1, "2026-01-01T00:00:02Z")


def test_a_channel_has_a_name_and_counts_what_is_below_it() -> None:
    caller = Caller()
    caller.ask("POST", f"{caller.channel}/Messages", Body="a")
    shown = caller.told("GET", f"{caller.root}/seed-0")
    assert shown == caller.told("GET", caller.channel)
    assert (shown["messages_count"], shown["members_count"]) == (3, 1)
    assert caller.told("GET", f"{caller.root}/seed-0/Messages")["messages"] == caller.listed()


def test_a_delete_has_no_body_and_what_is_gone_is_not_found_with_all_below() -> None:
    caller = Caller()
    sid = caller.listed()[0]["sid"]
    given = caller.ask("DELETE", f"{caller.channel}/Messages/{sid}")
    assert (given.status, given.reason, given.body) == (204, "NO CONTENT", b"")
    assert header(given, "Content-Type") == "application/json; charset=utf-8"
    assert caller.ask("DELETE", f"{caller.channel}/Messages/{sid}").status == 404
    assert [one["index"] for one in caller.listed()] == [1]
    assert caller.told("POST", f"{caller.channel}/Messages", Body="a")["index"] == 2
    caller.ask("DELETE", caller.channel)
    for path in (caller.channel, f"{caller.channel}/Messages", f"{caller.channel}/Members", f"{caller.root}/seed-0"):
        assert caller.ask("GET", path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "form", "status", "code"),
    [
        ("POST", "/Messages", {}, 400, 20001),
        ("POST", "/Messages", {"Body": "a", "Attributes": "{"}, 400, 50304),
        ("POST", "/Members", {}, 400, 20001),
        ("POST", "/Members", {"Identity": "owner"}, 409, 50404),
        ("GET", "/Messages?PageSize=0", {}, 400, 20001),
        ("GET", "/Messages?PageSize=1001", {}, 400, 20001),
        ("GET", "/Messages?Order=up", {}, 400, 20001),
        ("GET", "/Messages?PageToken=PAno", {}, 400, 21481),
        ("GET", "/Nothing", {}, 404, 20404),
        ("GET", "/Messages/IM" + "0" * 32, {}, 404, 20404),
        ("GET", "/Messages/IM/more", {}, 404, 20404),
    ],
)
def test_what_is_refused_changes_nothing(method: str, path: str, form: dict[str, str], status: int, code: int) -> None:
    caller = Caller()
    given = caller.ask(method, caller.channel + path, **form)
    assert (given.status, json.loads(given.body)["code"]) == (status, code)
    assert list(json.loads(given.body)) == ["code", "message", "more_info", "status"]
    assert (len(caller.listed()), len(caller.listed("Members"))) == (2, 1)


def test_a_unique_name_is_one_channels_at_most() -> None:
    caller = Caller()
    assert caller.told("POST", caller.root, UniqueName="seed-0") == {
        "code": 50307,
        "message": "Channel with provided unique name already exists",
        "more_info": "https://www.twilio.com/docs/errors/50307",
        "status": 409,
    }
    caller.ask("DELETE", caller.channel)
    made = caller.told("POST", caller.root, UniqueName="seed-0")
    assert caller.ask("POST", f"{caller.root}/{made['sid']}", UniqueName="seed-0").status == 200


def pages(caller: Caller, target: str) -> list[tuple[list[Any], Any]]:
    """Follow a list from page to page, and back again from the last but one."""
    found = []
    while target:
        told = caller.told("GET", target)
        meta = told["meta"]
        found.append((told[meta["key"]], meta))
        target = (meta["next_page_url"] or "").removeprefix(ORIGIN)
    return found


def test_a_list_of_messages_leads_from_page_to_page_by_counting() -> None:
    caller = Caller()
    for nth in range(3):
        caller.ask("POST", f"{caller.channel}/Messages", Body=str(nth))
    found = pages(caller, f"{caller.channel}/Messages?PageSize=2&Order=desc")
    assert [[one["index"] for one in listed] for listed, _ in found] == [[4, 3], [2, 1], [0]]
    url = f"{ORIGIN}{caller.channel}/Messages?Order=desc&PageSize=2"
    assert found[1][1] == {
        "page": 1,
        "page_size": 2,
        "first_page_url": f"{url}&Page=0",
        "previous_page_url": f"{url}&Page=0&PageToken=PT0",
        "url": f"{url}&Page=1&PageToken=PT2",
        "next_page_url": f"{url}&Page=2&PageToken=PT4",
        "key": "messages",
    }
    assert list(found[0][1]) == list(found[1][1])
    assert (found[0][1]["previous_page_url"], found[0][1]["page"]) == (None, 0)
    plain = caller.told("GET", f"{caller.channel}/Messages")["meta"]
    assert plain["url"] == f"{ORIGIN}{caller.channel}/Messages?PageSize=50&Page=0"


def test_other_lists_lead_on_behind_an_object_also_when_it_is_gone() -> None:
    caller = Caller(seeded=3)
    first = caller.told("GET", f"{caller.root}?PageSize=1")
    then = first["meta"]["next_page_url"].removeprefix(ORIGIN)
    assert then.endswith(f"PageSize=1&Page=1&PageToken=PA{caller.upstream.seeds[0]}")
    caller.ask("DELETE", caller.channel)
    second = caller.told("GET", then)
    assert [one["unique_name"] for one in second["channels"]] == ["seed-1"]
    back = caller.told("GET", pages(caller, then)[-1][1]["previous_page_url"].removeprefix(ORIGIN))
    assert [one["unique_name"] for one in back["channels"]] == ["seed-1"]


def test_others_change_things_at_their_moment() -> None:
    others = [Other(do, 0, at=BEGIN + nth * SECOND + SECOND // 2) for nth, do in enumerate(OTHERS)]
    caller = Caller(others=tuple(others))
    assert [one["body"] for one in caller.listed()] == ["old 0", "old 1", "hi 0"]
    assert caller.listed()[0]["body"] == "edited 0"
    assert [one["body"] for one in caller.listed()] == ["old 1", "hi 0"]
    assert [one["identity"] for one in caller.listed("Members")] == ["owner", "guest 0"]
    assert [one["identity"] for one in caller.listed("Members")] == ["guest 0"]
    assert caller.listed("Members")[0]["last_consumption_timestamp"] == "2026-01-01T00:00:05Z"
    assert caller.told("GET", caller.channel)["friendly_name"] == "by others 0"


def test_others_come_half_way_between_two_calls() -> None:
    caller = Caller(others=(Other("hi", 0, turn=2),))
    assert len(caller.listed()) == 2
    caller.now += 3 * SECOND
    assert caller.listed()[2]["date_created"] == "2026-01-01T00:00:03Z"


def test_clocks_differ_by_what_is_said() -> None:
    caller = Caller(Quirks(ahead=60 * SECOND, date_ahead=-3 * SECOND))
    given = caller.ask("POST", f"{caller.channel}/Messages", Body="a")
    assert json.loads(given.body)["date_created"] == "2026-01-01T00:01:01Z"
    assert header(given, "Date") == "Thu, 01 Jan 2026 00:00:58 GMT"


def test_lists_lag_and_fetches_do_not() -> None:
    caller = Caller(Quirks(lag=3 * SECOND // 2))
    made = caller.told("POST", f"{caller.channel}/Messages", Body="a")
    assert len(caller.listed()) == 2
    assert caller.ask("GET", f"{caller.channel}/Messages/{made['sid']}").status == 200
    assert len(caller.listed()) == 3
    caller.ask("DELETE", f"{caller.channel}/Messages/{made['sid']}")
    assert [len(caller.listed()) for _ in range(2)] == [3, 2]


def test_attributes_may_be_left_out_of_lists() -> None:
    caller = Caller(Quirks(attributes_in_lists=False))
    assert [one["attributes"] for one in caller.listed()] == [None, None]
    assert caller.told("GET", f"{caller.channel}/Messages/{caller.listed()[0]['sid']}")["attributes"] == "{}"


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (503, 20503), (500, None)])
def test_a_failure_is_in_the_services_own_words(status: int, code: int | None) -> None:
    caller = Caller()
    told = json.loads(caller.upstream.fail(status, caller.now).body)
    assert (told["status"], told.get("code")) == (status, code)


def test_two_of_one_state_differ_in_sids_alone() -> None:
    texts = []
    for sids in (1, 2):
        upstream = Upstream(sids, BEGIN)
        given = upstream.answer("GET", f"{upstream.world.root}/seed-0/Messages", b"", BEGIN)
        texts.append(given.body.decode())
    assert texts[0] != texts[1]
    assert len({re.sub("(?<=[A-Z]{2})[0-9a-f]{32}", "", text) for text in texts}) == 1


def test_two_of_one_owner_differ_in_what_is_made_while_they_are_called() -> None:
    one, other = (Upstream(sids, BEGIN, owner=3) for sids in (1, 2))
    path = f"{one.world.root}/seed-0/Messages"
    known = [upstream.answer("GET", path, b"", BEGIN).body for upstream in (one, other)]
    made = [upstream.answer("POST", path, b"Body=a", BEGIN).body for upstream in (one, other)]
    assert one.world.account == other.world.account
    assert known[0] == known[1]
    assert made[0] != made[1]
