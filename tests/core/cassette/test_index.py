from core.recordings import where
from strategies import FORM, MESSAGES

from chatproxy.core.answers.template import Reply, Template
from chatproxy.core.cassette.compile import Compiled
from chatproxy.core.cassette.index import Indexed, Indexer
from chatproxy.core.cassette.records import First
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber, Request
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.states import Done, Effect

REPLY = Reply(200, b"OK", Template((b"",)), Template((b"",)))
POST, OTHER = (Request("POST", MESSAGES, (FORM,), b"Body=" + body) for body in (b"a", b"b"))
HERE = where(MESSAGES)


def compiled(number: int, request: Request, standing: Standing, *, spaces: int = 1) -> Compiled:
    form = normalize(request, Rules())
    keys = tuple(form.key + bytes(nth) for nth in range(spaces))
    return Compiled(ExchangeNumber(number), keys, form.shape, form.route, REPLY, standing, 7, True)


def indexed(role: Role, states: tuple[int, ...], done: Done | None = None) -> Indexed:
    return Indexer().index(compiled(1, POST, Standing(role, HERE, states, done), spaces=2))


def test_an_exchange_is_the_nth_with_its_key_its_shape_and_its_route() -> None:
    indexer = Indexer()
    one, other, again = (
        indexer.index(compiled(number, request, Standing(Role.WRITE, HERE, (0,))))
        for number, request in enumerate((POST, OTHER, POST), 1)
    )
    assert [[nth for _, nth in found.nth] for found in (one, other, again)] == [[0, 0, 0], [0, 0, 1], [1, 1, 2]]
    assert [index for index, _ in one.nth] == [*one.compiled.keys, one.compiled.shape, one.compiled.route]


def test_what_requests_of_a_key_ask_for_is_found_with_the_first_one_in_each_space() -> None:
    indexer, standing = Indexer(), Standing(Role.REFUSAL, HERE, (3, 4), step=ExchangeNumber(5))
    first, second = (indexer.index(compiled(number, POST, standing, spaces=2)) for number in (1, 2))
    known = First(ExchangeNumber(1), Role.REFUSAL, HERE, (3, 4), ExchangeNumber(5), 7, by_collection=True)
    assert first.firsts == dict.fromkeys(first.compiled.keys, known)
    assert second.firsts == {}


def test_an_answer_is_found_in_each_of_its_states_and_spaces() -> None:
    for role in (Role.READ, Role.WRITE, Role.REFUSAL):
        one, other = (found := indexed(role, (3, 4))).compiled.keys
        assert found.states == ((one, 3), (one, 4), (other, 3), (other, 4))


def test_what_holds_in_any_state_is_found_in_one() -> None:
    found = indexed(Role.CHALLENGE, ())
    assert found.states == tuple((key, 0) for key in found.compiled.keys)
    assert {first.states for first in found.firsts.values()} == {(0,)}


def test_what_answers_nothing_is_found_in_no_state() -> None:
    for role in (Role.DOUBTFUL, Role.ABANDONED):
        found = indexed(role, (3,))
        assert found.states == ()
        assert {first.states for first in found.firsts.values()} == {()}


def test_a_write_is_found_by_all_that_it_touches_and_its_unique_value() -> None:
    done = Done(1, Effect.MAKES, (9,), 5, (6, 8), 7)
    assert indexed(Role.WRITE, (0,), done=done).touches == (5, 6, 7, 8)
    assert indexed(Role.WRITE, (0,), done=done._replace(unique=0)).touches == (5, 6, 8)
    assert indexed(Role.READ, (NO_EXCHANGE,)).touches == ()
