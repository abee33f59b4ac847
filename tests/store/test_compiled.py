from collections.abc import Iterator
from itertools import count

import pytest
from core.programs import Listed
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import many
from store.stores import RULES, exchanges, record
from strategies import exchanges as any_exchange

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.compile import Compiled, compile_exchanges
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, LiveSid, RecordedSid
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule
from chatproxy.core.timeline.epochs import ALL_MEMBERS, COLLECTION
from chatproxy.core.timeline.numbering import SidNumber
from chatproxy.store import Existing, Recording, Store

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
    assert list(stored.numbers()) == list(memory.numbers()) == [exchange.number for exchange in recorded]
    for sid, known in memory._numbered.items():
        assert (stored.numbered(sid), stored.sid(known.number)) == (known, sid)
    sids = [*memory._numbered, RecordedSid(b"IM" + b"0" * 31 + b"x")]
    assert stored.fresh(sids, spelled) == memory.fresh(sids, spelled)
    assert (stored.numbered(b"IM" + b"0" * 31 + b"x"), stored.sid(SidNumber(2**60))) == (None, None)
    for compiled in compile_exchanges(Listed(recorded), rules):
        assert stored.reply(compiled.number) == memory.reply(compiled.number) == compiled.reply
        assert stored.stencil(compiled.number) == memory.stencil(compiled.number)
        assert stored.exchange(compiled.number) == memory.exchange(compiled.number)
        for index in (*compiled.keys, compiled.shape, compiled.route):
            for nth in range(len(recorded) + 1):
                assert stored.find(index, nth) == memory.find(index, nth)
        assert stored.place(compiled.number) == memory.place(compiled.number)
        assert_epochs_alike(stored, memory, compiled, len(recorded))
    assert stored.find(b"k" * 17, 0) is memory.find(b"k" * 17, 0) is None


def assert_epochs_alike(stored: Cassette, memory: Cassette, compiled: Compiled, last: int) -> None:
    for epoch in range(last + 1):
        place = compiled.place
        epochs = {place.timeline: epoch}
        for key in compiled.keys:
            assert stored.span(key, epochs) == memory.span(key, epochs)
            assert stored.read(key, epoch, 0) == memory.read(key, epoch, 0)
            assert compiled.is_read or stored.write(key, 0) == memory.write(key, 0) == memory.find(key, 0)
        for member in (COLLECTION, place.member, ALL_MEMBERS):
            found = (one.touching(place.timeline, member, epoch, last) for one in (stored, memory))
            assert len(set(found)) == 1


def test_a_number_that_is_not_there_is_an_error(store: Store) -> None:
    record(store, "short", exchanges(2))
    cassette = store.open("short", RULES)

    with pytest.raises(CassetteError, match="exchange short/3: is not in the store any more"):
        cassette.exchange(ExchangeNumber(3))
    with pytest.raises(CassetteError, match="exchange short/3: is not in the store any more"):
        cassette.reply(ExchangeNumber(3))
