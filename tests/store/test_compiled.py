from collections.abc import Iterator
from itertools import count

import pytest
from core.programs import Listed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store.stores import RULES, exchanges, record
from strategies import exchanges as any_exchange

from chatproxy.core.cassette import MemoryCassette
from chatproxy.core.compile import compile_exchanges
from chatproxy.core.epochs import ALL_MEMBERS, COLLECTION
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange, Request
from chatproxy.core.normalize import Rules, normalize
from chatproxy.core.scrubrules import Action, LooksAt, Scrub, ScrubRule
from chatproxy.store import Existing, Recording, Store
from chatproxy.store.compiled import StoredCassette

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


def spelled(number: int, attempt: int) -> bytes:
    """Make a SID that was recorded in the first attempt, wherever there is one of that type with the next number."""
    return b"IM%032x" % (number + attempt)


def transactions(store: Store) -> int:
    return int(store.environment._env.info()["last_txnid"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(recorded=cassettes, rules=st.sampled_from([RULES, OTHER_RULES, SCRUBBING]))
def test_a_stored_cassette_answers_as_one_in_memory(store: Store, recorded: list[Exchange], rules: Rules) -> None:
    name = next(names)
    recording = Recording(store, name, Existing.REPLACE, 1)
    recording.put(recorded)
    recording.finish(rules, keep_empty=True)

    stored, memory = store.open(name, rules), MemoryCassette(name, recorded, rules)

    assert (stored.name, stored.last_number, stored.account) == (memory.name, memory.last_number, memory.account)
    assert list(stored.numbers()) == list(memory.numbers()) == [exchange.number for exchange in recorded]
    for sid, known in memory._numbered.items():
        assert (stored.numbered(sid), stored.sid(known.number)) == (known, sid)
    sids = [*memory._numbered, b"IM" + b"0" * 31 + b"x"]
    assert stored.fresh(sids, spelled) == memory.fresh(sids, spelled)
    assert (stored.numbered(b"IM" + b"0" * 31 + b"x"), stored.sid(2**60)) == (None, None)
    for compiled in compile_exchanges(Listed(recorded), rules):
        assert stored.reply(compiled.number) == memory.reply(compiled.number) == compiled.reply
        assert stored.stencil(compiled.number) == memory.stencil(compiled.number)
        assert stored.exchange(compiled.number) == memory.exchange(compiled.number)
        for index in (compiled.key, compiled.shape, compiled.route):
            for nth in range(len(recorded) + 1):
                assert stored.find(index, nth) == memory.find(index, nth)
        if not compiled.is_read:
            assert stored.write(compiled.key, 0) == memory.write(compiled.key, 0) == memory.find(compiled.key, 0)
        assert stored.place(compiled.number) == memory.place(compiled.number)
        for epoch in range(len(recorded) + 1):
            place = compiled.place
            epochs = {place.timeline: epoch}
            assert stored.span(compiled.key, epochs) == memory.span(compiled.key, epochs)
            assert stored.read(compiled.key, epoch, 0) == memory.read(compiled.key, epoch, 0)
            for member in (COLLECTION, place.member, ALL_MEMBERS):
                found = (one.touching(place.timeline, member, epoch, len(recorded)) for one in (stored, memory))
                assert len(set(found)) == 1
    assert stored.find(b"k" * 17, 0) is memory.find(b"k" * 17, 0) is None


def test_more_exchanges_than_fit_in_one_piece_are_compiled_in_order(store: Store) -> None:
    recorded = exchanges(600) + [
        Exchange(601 + again.number, again.request, again.response, again.upstream, again.asked, again.answered)
        for again in exchanges(600)
    ]
    record(store, "many", recorded)
    cassette = store.open("many", RULES)

    for number, compiled in enumerate(compile_exchanges(Listed(exchanges(600)), RULES), 1):
        assert [cassette.find(compiled.key, nth) for nth in range(3)] == [number, 601 + number, None]


def test_what_is_compiled_is_found_again(store: Store) -> None:
    record(store, "again", exchanges(3))
    before = transactions(store)

    assert isinstance(store.open("again", RULES), StoredCassette)

    assert transactions(store) == before


def test_an_empty_cassette_is_compiled_once(store: Store) -> None:
    Recording(store, "empty", Existing.REPLACE, 1).finish(RULES, keep_empty=True)
    before = transactions(store)

    assert store.open("empty", RULES).last_number == 0

    assert transactions(store) == before


def test_other_rules_compile_anew_and_the_older_result_stays(store: Store) -> None:
    record(store, "rules", exchanges(3))
    before = transactions(store)
    store.open("rules", OTHER_RULES)
    assert transactions(store) > before

    before = transactions(store)
    store.open("rules", RULES)
    store.open("rules", OTHER_RULES)
    assert transactions(store) == before


def test_what_was_appended_makes_the_older_result_stale(store: Store) -> None:
    record(store, "stale", exchanges(2))
    recording = Recording(store, "stale", Existing.APPEND, 1)
    recording.put(exchanges(3)[2:])
    recording.abandon()  # as after a crash, it is not compiled

    assert store.open("stale", RULES).last_number == 3


def test_a_number_that_is_not_there_is_an_error(store: Store) -> None:
    record(store, "short", exchanges(2))
    cassette = store.open("short", RULES)

    with pytest.raises(CassetteError, match="exchange short/3: is not in the store any more"):
        cassette.exchange(3)
    with pytest.raises(CassetteError, match="exchange short/3: is not in the store any more"):
        cassette.reply(3)


def test_law_11_other_rules_compile_anew_and_an_older_result_is_found_again(store: Store) -> None:
    name, ignoring = next(names), Rules(ignore=frozenset({("", "Body")}))
    record(store, name, exchanges(3))
    other = normalize(Request("POST", b"/v1/Services/IS1/Channels/general/Messages"), ignoring).key
    assert store.open(name, RULES).find(other, 0) is None
    assert store.open(name, ignoring).find(other, 2) == 3
    compiled = transactions(store)
    for rules in (RULES, ignoring, RULES):
        store.open(name, rules)
    assert transactions(store) == compiled
