import json
from typing import Any

import pytest
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.http.headers import is_json
from chatproxy.core.model import Request, Response
from chatproxy.core.timeline.sights import News, Sights, What
from chatproxy.core.twilio.objects import shown

LIST, OWNER = "/v1/Services/IS1/Channels/CH1/Messages", "/v1/Services/IS1/Channels/CH1"
ONE, TWO = "IM" + "1" * 32, "IM" + "2" * 32


def page(*members: dict[str, Any], first: bool = True, last: bool = True) -> dict[str, Any]:
    meta = {"previous_page_url": None if first else "x", "next_page_url": None if last else "x"}
    return {"meta": meta, "messages": list(members)}


class Looking:
    """Looks at answers one after another, each asked when the last was answered."""

    def __init__(self) -> None:
        self.sights, self.count = Sights(), 0

    def at(
        self, content: object, path: str = f"{LIST}/{ONE}", status: int = 200, method: str = "GET", **options: Any
    ) -> tuple[News, ...]:
        self.count += 1
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        asked = options.get("asked", self.count)
        response = Response(status, b"", (JSON,), body)
        exchange = numbered(self.count, Request(method, path.encode(), (FORM,)), response, UPSTREAM, asked, self.count)
        key = hash(path)
        seen = self.sights.seen(response)
        news = self.sights.news(exchange, path.encode(), key, seen, options.get("is_whole", True))
        if method != "GET":
            self.sights.written(exchange, path.encode(), seen)
        return news

    def is_as_before(self, content: object, path: str) -> bool:
        return self.sights.is_as_before(hash(path), hash((200, json.dumps(content).encode())))


def test_what_is_new_of_an_object() -> None:
    looking = Looking()
    assert looking.at({"sid": ONE, "body": "a", "from": None}) == (News(ONE, What.FIRST),)
    assert looking.at({"sid": ONE, "body": "a", "from": "x"}) == ()
    assert looking.at({"sid": ONE, "body": "b", "from": "x"}) == (News(ONE, What.CHANGED, ("body",)),)
    assert looking.at({"from": "x", "body": "b", "sid": ONE}) == ()
    assert looking.at({}, status=404) == (News(ONE, What.GONE),)
    assert looking.at({}, status=404) == ()
    assert looking.at({"sid": ONE}, status=500) == ()


def test_what_is_new_of_a_list() -> None:
    looking = Looking()
    assert looking.at(page({"sid": ONE, "body": "a"}), LIST) == (News(ONE, What.FIRST),)
    assert looking.at(page({"sid": ONE, "body": "a"}, {"sid": TWO}), LIST) == (News(TWO, What.APPEARED),)
    assert looking.at(page({"sid": TWO}), LIST) == (News(ONE, What.GONE),)
    assert looking.at(page({"sid": TWO, "body": "x"}), LIST) == ()
    assert looking.at(page(), LIST, is_whole=False) == ()


def test_what_is_new_of_a_part_of_a_list() -> None:
    looking = Looking()
    assert looking.at(page({"sid": ONE}, last=False), LIST) == (News(ONE, What.FIRST),)
    assert looking.sights.has_more(hash(LIST))
    found = looking.at(page({"sid": ONE}, {"sid": TWO}, last=False), LIST)
    assert found == (News(TWO, What.FIRST), News(TWO, What.LISTED))
    assert looking.at(page({"sid": TWO}, first=False), LIST) == ()
    assert not looking.sights.has_more(hash(LIST))


def test_what_was_not_found_appears() -> None:
    for content, at in ((page({"sid": ONE}), LIST), ({"sid": ONE}, f"{LIST}/{ONE}")):
        looking = Looking()
        assert looking.at({}, status=404) == ()
        assert looking.at(content, at) == (News(ONE, What.APPEARED),)
    channels = OWNER.removesuffix("/CH1")
    for path in (f"{channels}/room", f"{channels}/room/Messages"):
        looking = Looking()
        assert looking.at({}, path, status=404) == ()
        assert looking.at(page({"sid": "CH2", "unique_name": "hall"}), channels, is_whole=False) == (
            News("CH2", What.FIRST),
        )
        assert looking.at({"sid": "CH1", "unique_name": "room"}, OWNER) == (News("CH1", What.APPEARED),)


def test_what_has_no_body_appears_once() -> None:
    looking = Looking()
    assert looking.at(b"", status=404, method="HEAD") == ()
    assert looking.at(b"", method="HEAD") == (News(ONE, What.APPEARED),)
    assert looking.at(b"", method="HEAD") == ()


def test_a_list_that_is_not_found_and_has_no_owner_tells_nothing() -> None:
    looking = Looking()
    assert looking.at({}, "/v1/Services", status=404) == ()
    assert looking.at({"sid": "IS1"}, "/v1/Services/IS1") == (News("IS1", What.FIRST),)


def test_one_sid_at_two_paths_is_two_objects() -> None:
    looking = Looking()
    assert looking.at({"sid": ONE}) == looking.at({"sid": ONE}, f"/v1/Other/{ONE}") == (News(ONE, What.FIRST),)


def test_what_was_written_since_is_told_though_it_is_as_before() -> None:
    looking = Looking()
    looking.at({"sid": "CH1"}, OWNER)
    looking.at({"sid": ONE})
    looking.at(b"", status=503, method="POST")
    assert looking.at({"sid": ONE}, asked=2) == (News(ONE, What.AGAIN),)
    assert looking.at({"sid": ONE}) == (News(ONE, What.AGAIN),)
    assert looking.at({"sid": ONE}) == ()
    assert looking.at({"sid": "CH1"}, OWNER) == (News("CH1", What.AGAIN),)
    assert looking.at({"sid": TWO}, LIST, 201, "POST") == (News(TWO, What.FIRST),)
    assert looking.at({"sid": "CH1"}, OWNER) == (News("CH1", What.AGAIN),)
    assert looking.at(b"", "/v1/Services", 201, "POST") == ()


def test_an_answer_is_as_before_until_anything_new_is_known_of_its_collection() -> None:
    looking, content = Looking(), page({"sid": ONE})
    assert not looking.is_as_before(content, LIST)
    looking.at(content, LIST)
    assert looking.is_as_before(content, LIST)
    assert not looking.is_as_before(page(), LIST)
    looking.at({"sid": TWO}, f"{LIST}/{TWO}")
    assert not looking.is_as_before(content, LIST)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[1]",
        b'{"sid": 1}',
        b'{"meta": 1}',
        b'{"meta": {}, "messages": []}',
        b'{"meta": {"next_page_url": null}, "a": [{"sid": "x"}, {"sid": "y", "b": [{"c": 1}, {"d": 2}]}]}',
        b'{"meta": {"next_page_url": null}, "a": [{"sid": "x"},{"sid": "y"}]}',
        b'{"meta": {}, "sid": "z", "a": [{"sid": "x"}]}',
        b'{"meta": {}, "a": [{"n": 1}]}',
        b'{"meta": {}, "a": [{"sid": "x"}, {"sid": "y"}',
        b'{"meta": {} "a": [{"sid": "x"}]}',
        b'{"sid": "x", "a": "\\ud800"}',
        b'{"sid": "x", "meta": "[{\\"a\\": 1}, {\\"b\\": 2}]"}',
    ],
)
def test_each_answer_is_read_as_if_it_were_read_as_a_whole(body: bytes) -> None:
    response = Response(200, b"", (JSON,), body)
    seen, whole = Sights().seen(response), shown(response)
    assert [one.sid for one in seen.objects] == list(whole.objects)
    assert seen.is_page is (whole.page is not None)
    assert (seen.is_first, seen.is_last) == (
        (whole.page.is_first, whole.page.is_last) if whole.page else (False, False)
    )


_members = st.lists(
    st.fixed_dictionaries(
        {"sid": st.sampled_from([ONE, TWO])},
        optional={"body": st.sampled_from(['}, {"sid": "', "a", "[{", "}]"]), "links": st.just({"a": "b"})},
    ),
    max_size=3,
)


@given(_members, st.booleans(), st.sampled_from([(", ", ": "), (",", ":")]))
def test_each_list_is_read_as_if_it_were_read_as_a_whole(
    members: list[dict[str, Any]], last: bool, separators: tuple[str, str]
) -> None:
    response = Response(200, b"", (JSON,), json.dumps(page(*members, last=last), separators=separators).encode())
    seen = Sights().seen(response)
    assert {one.sid for one in seen.objects} == {one["sid"] for one in members}
    assert (seen.is_page, seen.is_first, seen.is_last) == (True, True, last)


def test_what_is_no_json_shows_nothing() -> None:
    response = Response(200, b"", ((b"Content-Type", b"text/plain"),), b'{"sid": "x"}')
    assert not is_json(response.headers)
    assert Sights().seen(response).objects == ()


def test_what_is_too_long_to_be_kept_is_read_each_time() -> None:
    looking: Looking = Looking()
    long: dict[str, Any] = {"sid": ONE, "body": "x" * 3000}
    assert [looking.at(long), looking.at(long)] == [(News(ONE, What.FIRST),), ()]


def test_fields_that_are_objects_are_values_too() -> None:
    looking = Looking()
    looking.at({"sid": ONE, "links": {"a": "b"}})
    assert looking.at({"sid": ONE, "links": {"a": "c"}}) == (News(ONE, What.CHANGED, ("links",)),)
