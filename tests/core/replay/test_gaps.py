from dataclasses import replace

from core.recordings import (
    MEMBERS,
    MESSAGES,
    RULES,
    Given,
    delete,
    get,
    message,
    played,
    post,
    recorded,
    session,
    sid,
    where,
)

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.model import NO_CREDENTIALS, NO_EXCHANGE, ExchangeNumber, Request
from chatproxy.core.replay.gaps import Miss, Why, held_back, missed
from chatproxy.core.replay.session import Session
from chatproxy.core.timeline.standing import Role, Step

LIST = get()
A, B, C = (post(body=b"Body=" + body) for body in (b"a", b"b", b"c"))
MADE_A, MADE_B, MADE_C = ((one, 201, sid("IM", digit)) for digit, one in enumerate((A, B, C), 1))
FETCH, EDIT, GONE = get(message(1)), post(message(1), b"Body=d"), delete(message(1))


def why(replay: Session, request: Request, *before: Request) -> Miss:
    """Return why a request is a miss after these."""
    played(replay, *before)
    assert played(replay, request) == [None]
    return missed(replay, normalize(request, RULES), NO_CREDENTIALS)._replace(answer=NO_EXCHANGE)


def of(reason: Why, *writes: int, given: int = 0, exchange: int = 0) -> Miss:
    return Miss(reason, tuple(map(ExchangeNumber, writes)), given, ExchangeNumber(exchange))


def test_what_was_never_recorded() -> None:
    assert why(session(LIST), A) == of(Why.NEVER)


def test_what_is_used_up_says_how_many_answers_there_were() -> None:
    assert why(session(MADE_A), A, A) == of(Why.USED, given=1)
    assert why(session((A, 429), MADE_A, (A, 201, sid("IM", 2))), A, A, A, A) == of(Why.USED, given=3)


def test_what_was_recorded_only_after_writes_that_are_not_done() -> None:
    assert why(session(MADE_A, MADE_B, LIST), LIST, A) == of(Why.NOT_DONE, 2)
    assert why(session(MADE_A, MADE_B, LIST), LIST) == of(Why.NOT_DONE, 1, 2)
    assert why(session(MADE_A, GONE), GONE) == of(Why.NOT_DONE, 1)
    assert why(session(MADE_A, EDIT, (EDIT, 404)), EDIT) == of(Why.NOT_DONE, 1)


def test_a_miss_tells_what_would_have_answered() -> None:
    form = normalize(LIST, RULES)
    assert missed(session(MADE_A, MADE_B, LIST, MADE_C, LIST), form, NO_CREDENTIALS).answer == 3
    assert missed(session(MADE_A), form, NO_CREDENTIALS).answer == NO_EXCHANGE


def test_what_was_recorded_only_after_writes_that_were_skipped() -> None:
    assert why(session(MADE_A, MADE_B, MADE_C, LIST), LIST, C) == of(Why.SKIPPED, 1, 2)
    assert why(session(MADE_A, EDIT, MADE_B, FETCH), FETCH, A, B) == of(Why.SKIPPED, 2)


def test_what_was_recorded_only_before_writes_that_are_done() -> None:
    assert why(session(LIST, MADE_A, MADE_B), LIST, A, B) == of(Why.CHANGED, 2, 3)
    assert why(session(MADE_A, FETCH, GONE), FETCH, A, GONE) == of(Why.CHANGED, 3)
    assert why(session(EDIT, EDIT), EDIT, EDIT, EDIT) == of(Why.USED, given=2)


def test_the_nearest_is_named_and_of_two_the_one_that_only_waits() -> None:
    recording = session(MADE_A, LIST, MADE_B, MADE_C, LIST)
    assert why(recording, LIST, A, C) == of(Why.SKIPPED, 3)
    recording = session(MADE_A, LIST, MADE_B, LIST, MADE_C)
    assert why(recording, LIST, C) == of(Why.CHANGED, 5)


def test_what_a_delete_made_forgotten_is_not_named() -> None:
    assert why(session(MADE_A, EDIT, GONE, LIST), LIST) == of(Why.NOT_DONE, 3)
    assert why(session(MADE_A, EDIT, GONE, LIST), LIST, A, EDIT) == of(Why.NOT_DONE, 3)


def test_a_create_names_what_was_done_to_what_had_its_unique_value() -> None:
    alice = (post(MEMBERS, b"Identity=alice"), 201, sid("MB", 1))
    gone = delete(MEMBERS + b"/" + sid("MB", 1).encode())
    other = post(MEMBERS, b"Identity=alice&RoleSid=RL1")
    recording = session(alice, (post(MEMBERS, b"Identity=bob"), 201, sid("MB", 2)), (gone, 204), (other, 201))
    assert why(recording, other, alice[0]) == of(Why.NOT_DONE, 3)


def test_what_was_recorded_only_before_a_change_by_others() -> None:
    place = where(MESSAGES).place
    change = Given(
        changes={2: lambda one: one._replace(step=ExchangeNumber(2))},
        given={place: [Step(ExchangeNumber(2), (where(message(1)).place,))]},
    )
    assert why(session(FETCH, LIST, given=change), FETCH, LIST) == of(Why.OTHERS, exchange=2)


def doubtful(*numbers: int) -> Given:
    return Given(changes=dict.fromkeys(numbers, lambda one: one._replace(role=Role.DOUBTFUL, states=())))


def test_what_is_in_doubt_names_the_writes_in_flight_with_it() -> None:
    exchanges = recorded(MADE_A, LIST)
    exchanges[1] = replace(exchanges[1], asked=exchanges[0].asked)
    replay = Session(MemoryCassette("tour", exchanges, RULES, learnt=doubtful(2)), RULES)
    assert why(replay, LIST) == of(Why.IN_DOUBT, 1, exchange=2)
    assert why(replay, LIST, A) == of(Why.IN_DOUBT, exchange=2)


def test_what_is_in_doubt_in_another_state_says_what_that_is() -> None:
    assert why(session(MADE_A, LIST, given=doubtful(2)), LIST) == of(Why.NOT_DONE, 1)


def test_what_shows_a_write_that_answers_nothing_is_in_doubt() -> None:
    assert why(session(MADE_A, MADE_B, LIST, given=doubtful(1)), LIST, B) == of(Why.IN_DOUBT, exchange=1)
    assert why(session(MADE_A, given=doubtful(1)), A) == of(Why.IN_DOUBT, exchange=1)


def test_what_was_given_up_is_no_answer_that_is_lacking() -> None:
    given_up = Given(changes={1: lambda one: one._replace(role=Role.ABANDONED, states=(), done=None)})
    assert why(session(MADE_A, (A, 201, sid("IM", 2)), given=given_up), A, A) == of(Why.USED, given=1)


def test_a_state_that_no_writes_explain_is_said_to_be_another() -> None:
    other = Given(changes={1: lambda one: one._replace(states=(7,))})
    assert why(session(LIST, given=other), LIST) == of(Why.NOT_DONE)


def test_a_refusal_is_past_when_a_later_write_is_done() -> None:
    assert why(session((A, 429), MADE_A), A, A, A) == of(Why.USED, given=2)
    assert why(session(MADE_A, (EDIT, 400), GONE), EDIT, A, EDIT, GONE) == of(Why.CHANGED, 3)


def test_only_so_many_exchanges_of_a_key_are_looked_at() -> None:
    replay = session(*(LIST,) * 60, MADE_A, LIST, MADE_B)
    assert why(replay, LIST, A, B) == of(Why.CHANGED, 61, 63)  # 62 differs in less


def test_what_lies_behind_the_upstream_and_is_not_done() -> None:
    replay, form = session(MADE_A, MADE_B, EDIT, GONE), normalize(get(MESSAGES + b"?PageSize=1"), RULES)
    assert held_back(replay, form, is_ahead=True) == of(Why.BEHIND, 2, 4)
    played(replay, A, B)
    assert held_back(replay, form, is_ahead=True) == of(Why.BEHIND, 4)
    played(replay, EDIT, delete(message(1)))
    assert held_back(replay, form, is_ahead=True) == of(Why.AHEAD)
    assert held_back(replay, form, is_ahead=False) is None
