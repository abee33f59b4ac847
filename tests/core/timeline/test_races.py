import pytest
from core.programs import PATH

from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.timeline.races import Contest
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Page, Shown

SID = "IM" + "1" * 32
MEMBER = f"{PATH}/{SID}".encode()


def one(number: int, method: str, path: bytes, asked: int, status: int = 200) -> Trace:
    opens = method != "GET" and status < 400
    return Trace(ExchangeNumber(number), asked, asked + 10, NO_EXCHANGE, method, path, "", b"", b"", status, opens)


def contest(*several: tuple[Trace, Shown]) -> Contest:
    shown = {trace.number: seen for trace, seen in several}
    return Contest([trace for trace, _ in several], lambda number: shown[number])


def page(*objects: tuple[str, int], is_last: bool = True) -> Shown:
    sids, indexes = frozenset(sid for sid, _ in objects), [index for _, index in objects]
    return Shown({sid: {"index": index} for sid, index in objects}, Page(sids, indexes, True, is_last))


CREATED = (one(1, "POST", PATH.encode(), -10), Shown({SID: {"body": "a", "index": 0}}))
UPDATE = one(2, "POST", MEMBER, 10)
DELETE = one(2, "DELETE", MEMBER, 10)


@pytest.mark.parametrize(("body", "shows"), [("b", True), ("a", False)])
def test_a_read_that_shows_an_object_as_the_update_left_it_came_after(body: str, shows: bool) -> None:
    read = one(3, "GET", MEMBER, 11)
    judge = contest(CREATED, (UPDATE, Shown({SID: {"body": "b"}})), (read, Shown({SID: {"body": body}})))
    assert judge.shows(read, UPDATE) is shows


def test_an_update_that_changed_nothing_is_shown_by_no_read() -> None:
    read = one(3, "GET", MEMBER, 11)
    same = Shown({SID: {"body": "a"}})
    assert not contest(CREATED, (UPDATE, same), (read, same)).shows(read, UPDATE)


@pytest.mark.parametrize(
    ("status", "path", "shows"), [(404, MEMBER, True), (404, MEMBER + b"/X", True), (404, b"/x", False)]
)
def test_a_member_that_is_gone_shows_its_deletion(status: int, path: bytes, shows: bool) -> None:
    read = one(3, "GET", path, 11, status)
    assert contest(CREATED, (DELETE, Shown()), (read, Shown())).shows(read, DELETE) is shows


def test_a_list_without_the_member_shows_its_deletion_and_one_with_it_does_not() -> None:
    read = one(3, "GET", PATH.encode(), 11)
    assert contest(CREATED, (DELETE, Shown()), (read, page())).shows(read, DELETE)
    assert not contest(CREATED, (DELETE, Shown()), (read, page((SID, 0)))).shows(read, DELETE)
    assert not contest(CREATED, (DELETE, Shown()), (read, Shown())).shows(read, DELETE)


def test_what_was_never_shown_and_what_was_refused_shows_no_deletion() -> None:
    read = one(3, "GET", MEMBER, 11, 404)
    assert not contest((DELETE, Shown()), (read, Shown())).shows(read, DELETE)
    refused = one(2, "DELETE", MEMBER, 10, 404)
    assert not contest(CREATED, (refused, Shown()), (read, Shown())).shows(read, refused)


def test_a_page_that_says_there_is_more_shows_the_create_where_nothing_else_is_known_to_follow() -> None:
    other = "IM" + "2" * 32
    create = one(2, "POST", PATH.encode(), 10)
    read = one(3, "GET", PATH.encode(), 11)
    made = Shown({other: {"index": 1}})
    assert contest(CREATED, (create, made), (read, page((SID, 0), is_last=False))).shows(read, create)
    assert not contest(CREATED, (create, made), (read, page((SID, 0)))).shows(read, create)
    known = (one(4, "GET", MEMBER, -9), Shown({"IM" + "3" * 32: {"index": 5}}))
    assert not contest(CREATED, known, (create, made), (read, page((SID, 0), is_last=False))).shows(read, create)
