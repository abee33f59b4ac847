from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, MESSAGES, UPSTREAM, basic

from chatproxy.core.cassette import MemoryCassette
from chatproxy.core.model import Exchange, Forward, Request, Response
from chatproxy.core.normalize import Rules, normalize
from chatproxy.core.player import play
from chatproxy.core.recorder import Recorder
from chatproxy.core.session import Session

CREATE = Request("POST", MESSAGES, (FORM,), b"Body=a")
OTHER = Request("POST", MESSAGES, (FORM,), b"Body=b")
LIST = Request("GET", MESSAGES)
RULES = Rules()


def session(*recorded: Request) -> Session:
    exchanges = [Exchange(place, request, Response(200), UPSTREAM, 0, 0) for place, request in enumerate(recorded, 1)]
    return Session(MemoryCassette("a", exchanges, RULES), RULES)


def played(replay: Session, *requests: Request) -> list[int | None]:
    return [play(replay, normalize(replay.blanked(request), replay.rules)) for request in requests]


def test_equal_requests_are_answered_in_recorded_order() -> None:
    assert played(session(CREATE, OTHER, CREATE), CREATE, CREATE, OTHER) == [1, 3, 2]


def test_a_read_repeats_its_last_answer() -> None:
    assert played(session(LIST, LIST), LIST, LIST, LIST, LIST) == [1, 2, 2, 2]


def test_law_4_a_read_after_a_write_since_is_a_miss() -> None:
    assert played(session(LIST, CREATE), LIST, CREATE, LIST) == [1, 2, None]


def test_one_write_more_is_a_miss() -> None:
    assert played(session(CREATE, CREATE), CREATE, CREATE, CREATE, CREATE) == [1, 2, None, None]


def test_what_was_never_recorded_is_a_miss() -> None:
    replay = session(LIST)
    assert played(replay, CREATE, Request("HEAD", MESSAGES)) == [None, None]
    assert replay.answered == {}


def test_the_last_write_is_the_furthest_one_replayed() -> None:
    replay = session(LIST, CREATE, OTHER)
    last_writes = []
    for request in (LIST, OTHER, CREATE, CREATE):
        played(replay, request)
        last_writes.append(replay.last_write)
    assert last_writes == [0, 3, 3, 3]


@given(st.lists(st.sampled_from([CREATE, OTHER])), st.lists(st.sampled_from([CREATE, OTHER])))
def test_each_answer_is_the_next_one_recorded_for_an_equal_request(
    recorded: list[Request], live: list[Request]
) -> None:
    numbers = {
        request: [place for place, one in enumerate(recorded, 1) if one is request] for request in (CREATE, OTHER, LIST)
    }
    replay, asked = session(*recorded), Counter[Request]()
    for request in live:
        (number,) = played(replay, request)
        rest = numbers[request][asked[request] :]
        assert number == (rest[0] if rest else None)
        asked[request] += 1


def test_law_2_a_live_request_is_blanked_before_its_key_is_made() -> None:
    def sent(password: bytes) -> Request:
        return Request("POST", MESSAGES, (FORM, basic(b"me", password)), b"Body=my+token:+" + password)

    recorder = Recorder("a", UPSTREAM)
    exchange = recorder.exchange(Forward(sent(b"recorded-password"), 0, 0), Response(201), 1)
    replay = Session(MemoryCassette("a", [exchange], RULES), RULES)
    assert played(replay, sent(b"password-of-today")) == [1]
