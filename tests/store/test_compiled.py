from collections.abc import Iterator
from itertools import count

import pytest
from core.programs import Listed
from exchanges import numbered
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import many
from store.stores import RULES, exchanges, record
from strategies import JSON, UPSTREAM
from strategies import exchanges as any_exchange

from chatproxy.core.cassette.cassette import Cassette, answer_in
from chatproxy.core.cassette.codec import seal
from chatproxy.core.cassette.compile import compile_exchanges
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, LiveSid, RecordedSid, Request, Response
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule
from chatproxy.core.timeline.numbering import SidNumber
from chatproxy.core.timeline.standing import Step
from chatproxy.store import Existing, Recording, Store, layout
from chatproxy.store.environment import Transaction

OTHER_RULES = Rules(("X-A",), frozenset({("", "Body"), ("POST Messages", "From")}))
SCRUBBING = Rules(
    scrub=Scrub(
        (
            ScrubRule(LooksAt.FIELD, "body", Action.PSEUDONYM),
            ScrubRule(LooksAt.PARAMETER, "a", Action.DROP),
            ScrubRule(LooksAt.PATTERN, "[a-f]", Action.PSEUDONYM),
        ),
        "a salt of the team",
    )
)
cassettes = st.lists(any_exchange, max_size=6, unique_by=lambda exchange: exchange.number).map(
    lambda found: sorted(found, key=lambda exchange: exchange.number)
)
names = (f"name{number}" for number in count())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(tmp_path_factory.mktemp("compiled"))
    yield opened
    opened.close()


def spelled(number: SidNumber, attempt: int) -> LiveSid:
    """Make a SID that was recorded in the first attempt, wherever there is one of that type with the next number."""
    return LiveSid(b"IM%032x" % (number + attempt))


def answers_alike(stored: Cassette, memory: Cassette, key: bytes, state: int, numbers: list[ExchangeNumber]) -> None:
    """Check that both find the same answers to a key in a state, from each number on."""
    for number in (NO_EXCHANGE, *numbers):
        assert stored.candidate(key, state, number) == memory.candidate(key, state, number)
    asked = memory.asked(key)
    assert stored.asked(key) == asked is not None
    for number in (NO_EXCHANGE, *numbers):
        assert answer_in(stored, key, asked, state, number) == memory.candidate(key, state, number)


def transactions(store: Store) -> int:
    return int(store.environment._env.info()["last_txnid"])


@settings(max_examples=many(40))
@given(recorded=cassettes, rules=st.sampled_from([RULES, OTHER_RULES, SCRUBBING]))
def test_a_stored_cassette_answers_as_one_in_memory(store: Store, recorded: list[Exchange], rules: Rules) -> None:
    name = next(names)
    recording = Recording(store, name, Existing.REPLACE, 1)
    recording.put(recorded)
    recording.finish(rules, keep_empty=True)

    stored, memory = store.open(name, rules), MemoryCassette(name, recorded, rules)

    assert (stored.name, stored.last_number, stored.account) == (memory.name, memory.last_number, memory.account)
    assert vars(stored.users) == vars(memory.users)
    assert stored.times == memory.times
    assert list(stored.numbers()) == list(memory.numbers()) == [exchange.number for exchange in recorded]
    for sid, known in memory._numbered.items():
        assert (stored.numbered(sid), stored.sid(known.number)) == (known, sid)
    sids = [*memory._numbered, RecordedSid(b"IM" + b"0" * 31 + b"x")]
    assert stored.fresh(sids, spelled) == memory.fresh(sids, spelled)
    assert stored.known == memory.known
    assert (stored.numbered(b"IM" + b"0" * 31 + b"x"), stored.sid(SidNumber(2**60))) == (None, None)
    for compiled in compile_exchanges(Listed(recorded), rules):
        assert stored.reply(compiled.number) == memory.reply(compiled.number) == compiled.reply
        assert stored.stencil(compiled.number) == memory.stencil(compiled.number)
        assert stored.exchange(compiled.number) == memory.exchange(compiled.number)
        for index in (*compiled.keys, compiled.shape, compiled.route):
            for nth in range(len(recorded) + 1):
                assert stored.find(index, nth) == memory.find(index, nth)
        standing = compiled.standing
        assert stored.standing(compiled.number) == memory.standing(compiled.number) == standing
        for digest in (standing.where.place, *standing.where.above, *(standing.done.touched if standing.done else ())):
            assert list(stored.touching(digest)) == list(memory.touching(digest))
        for key in compiled.keys:
            for state in (*standing.states, 1):
                answers_alike(stored, memory, key, state, [one.number for one in recorded])
    assert stored.writes == memory.writes
    assert stored.told == memory.told
    assert stored.asked(b"k" * 17) is memory.asked(b"k" * 17) is None
    assert stored.find(b"k" * 17, 0) is memory.find(b"k" * 17, 0) is None


def test_a_number_that_is_not_there_is_an_error(store: Store) -> None:
    record(store, "short", exchanges(2))
    cassette = store.open("short", RULES)

    with pytest.raises(CassetteError, match="exchange short/3: is not in the store any more"):
        cassette.exchange(ExchangeNumber(3))
    with pytest.raises(CassetteError, match="exchange short/3: is not in the store any more"):
        cassette.reply(ExchangeNumber(3))


def test_several_answers_of_a_key_and_a_channel_of_two_spellings_are_found(store: Store) -> None:
    channels = b"/v1/Services/IS" + b"1" * 32 + b"/Channels"
    named = channels + b"/general/Messages"
    shown = b'{"sid": "IM%b", "channel_sid": "CH%b"}' % (b"3" * 32, b"2" * 32)
    requests = [Request("GET", named), Request("GET", named), Request("POST", named), Request("GET", named)]
    recorded = [
        numbered(number, request, Response(200, b"", (JSON,), shown), UPSTREAM, 2 * number, 2 * number + 1)
        for number, request in enumerate(requests, 1)
    ]
    name = next(names)
    record(store, name, recorded)
    stored, memory = store.open(name, RULES), MemoryCassette(name, recorded, RULES)
    key = normalize(requests[0], RULES).key
    states = {stored.standing(one.number).states[0] for one in recorded}
    assert len(states) == 3
    for state in (*states, 7):
        answers_alike(stored, memory, key, state, [one.number for one in recorded])
    for cassette in (stored, memory):
        assert cassette.spelling(channels + b"/general") == channels + b"/CH" + b"2" * 32
        assert cassette.spelling(channels + b"/other") is None
        assert (cassette.writes, list(cassette.steps(stored.standing(ExchangeNumber(1)).where.place, NO_EXCHANGE))) == (
            1,
            [],
        )


def test_changes_by_others_are_found_by_their_place(store: Store) -> None:
    name = next(names)
    record(store, name, exchanges(3))
    stored = store.open(name, RULES)
    place, steps = (
        2**64 - 1,
        [Step(ExchangeNumber(number), (object_, 2**63)) for number in range(1, 100) for object_ in (1, 2)],
    )
    prefix = layout.step_prefix(store.find(name).id, RULES.fingerprint) + layout.digest(place)  # type: ignore[union-attr]

    def put(transaction: Transaction) -> None:
        for step in steps:
            key = prefix + layout.number(step.number) + layout.digest(step.floors[0])
            transaction.put(key, seal(b"".join(map(layout.digest, step.floors)), key))

    store.environment.write(put)
    assert list(stored.steps(place, NO_EXCHANGE)) == steps
    assert list(stored.steps(place, ExchangeNumber(97))) == steps[194:]
    assert list(stored.steps(place - 1, NO_EXCHANGE)) == []
