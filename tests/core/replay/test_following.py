from dataclasses import replace

from core.recordings import CHANNEL, MESSAGES, RULES, Step_, delete, get, message, play, post, recorded, session, sid

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.model import ExchangeNumber, Request
from chatproxy.core.replay.bindings import Bindings, Choice
from chatproxy.core.replay.explain import miss_reason
from chatproxy.core.replay.following import cause_of
from chatproxy.core.replay.gaps import held_back
from chatproxy.core.replay.session import Session

LIST, FETCH, GONE = get(), get(message(1)), delete(message(1))
A, B = (post(body=b"Body=" + body) for body in (b"a", b"b"))
MADE_A, MADE_B = (A, 201, sid("IM", 1)), (B, 201, sid("IM", 2))
WRONG = post(body=b"Body=wrong")
POSTED = f"POST {MESSAGES.decode()}"


def causes(replay: Session, *requests: Request) -> list[str | None]:
    """Return for each of the misses of these requests from which one it follows."""
    plays = ((request, play(replay, request)) for request in requests)
    return [
        cause_of(replay, played, miss_reason(replay, played)[1], request.line)
        for request, played in plays
        if played.number is None
    ]


def causes_in_auto(replay: Session, *requests: Request) -> list[str | None]:
    """Return the same where what is missing is put to the upstream, if it may be."""
    plays = ((request, play(replay, request)) for request in requests)
    held = ((request, played, held_back(replay, played.form, is_ahead=True)) for request, played in plays)
    return [cause_of(replay, played, miss, request.line) for request, played, miss in held if played.number is None]


def with_fresh_sids(*steps: Step_) -> Session:
    cassette = MemoryCassette("tour", recorded(*steps), RULES)
    return Session(cassette, RULES, sids=Bindings(cassette, Choice()))


def fresh(*steps: Step_) -> Request:
    """Return a fetch of the message that a session of this recording makes first."""
    replay = with_fresh_sids(*steps)
    return get(MESSAGES + b"/" + replay.sids.ungiven(replay.cassette.stencil(ExchangeNumber(1)).sids).popitem()[1])


def test_law_2_what_needs_a_write_that_was_missed_follows_from_that() -> None:
    assert causes(session(MADE_A, LIST), WRONG, LIST, LIST) == [None, POSTED, POSTED]
    assert causes(session(MADE_A, LIST, FETCH), FETCH, WRONG, FETCH) == [None, None, POSTED]


def test_law_2_what_needs_another_write_too_does_not_follow() -> None:
    assert causes(session(MADE_A, MADE_B, LIST), WRONG, LIST) == [None, None]
    assert causes(session(MADE_A, MADE_B, LIST), WRONG, B, LIST) == [None, POSTED]


def test_law_2_what_needs_what_could_not_be_done_to_the_object_of_a_missed_create_follows_too() -> None:
    edit = post(message(1), b"Body=c")
    replay = session(MADE_A, (edit, 200, sid("IM", 1)), MADE_B, LIST)
    assert causes(replay, WRONG, B, LIST) == [None, POSTED]


def test_law_2_nothing_follows_from_a_miss_that_was_made_good() -> None:
    assert causes(session(MADE_A, MADE_B, LIST), WRONG, A, LIST, get(CHANNEL)) == [None, None, None]


def test_law_1_what_is_recorded_after_other_writes_stands_for_itself() -> None:
    assert causes(session(MADE_A, GONE, LIST), WRONG, GONE, LIST) == [None, POSTED, POSTED]


def test_law_3_the_first_cause_is_told() -> None:
    edit = post(message(1), b"Body=c")
    replay = session(MADE_A, (edit, 200, sid("IM", 1)), FETCH)
    assert causes(replay, WRONG, edit, FETCH) == [None, POSTED, POSTED]


def test_law_2_what_has_a_sid_that_only_the_missed_answer_would_have_given_follows() -> None:
    steps = (MADE_A, FETCH, LIST)
    assert causes(with_fresh_sids(*steps), WRONG, fresh(*steps)) == [None, POSTED]
    assert causes(with_fresh_sids(*steps), fresh(*steps)) == [None]


def test_law_2_what_has_another_in_the_place_of_such_a_sid_follows() -> None:
    other = get(message(9))
    assert causes(with_fresh_sids(MADE_A, FETCH), WRONG, other) == [None, POSTED]
    given = with_fresh_sids(MADE_A, FETCH)
    given.sids.all_live(given.cassette.stencil(ExchangeNumber(1)).sids)
    assert causes(given, A, WRONG, other) == [None, None]
    assert causes(with_fresh_sids(MADE_A, FETCH), other) == [None]


def test_what_is_alike_to_nothing_stands_for_nothing() -> None:
    assert causes(session(MADE_A), replace(LIST, method="PUT"), get(CHANNEL)) == [None, None]


def test_one_more_of_what_is_used_up_follows_from_nothing() -> None:
    assert causes(session(MADE_A, LIST), A, A, WRONG, LIST) == [None, None]


def test_law_2_what_is_held_back_from_the_upstream_by_a_write_that_was_missed_follows() -> None:
    edit, other = post(message(1), b"Body=c"), post(message(1), b"Body=wrong")
    steps = (MADE_A, (edit, 200, sid("IM", 1)), FETCH, MADE_B, LIST)
    line = other.line
    assert causes_in_auto(session(*steps), A, other, FETCH, get(message(1) + b"?x=1")) == [None, line, line]
    assert causes_in_auto(session(*steps), A, other, LIST, B, LIST) == [None, None, line]


def test_what_an_earlier_session_has_changed_follows_from_nothing() -> None:
    assert causes_in_auto(session(MADE_A), A, get(message(1))) == [None]
