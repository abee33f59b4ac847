import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from core.programs import Listed
from exchanges import numbered
from store.stores import RULES, exchanges, record

from chatproxy.core.cassette.compile import compile_exchanges
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Request
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule
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


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(tmp_path_factory.mktemp("compiled"))
    yield opened
    opened.close()


def transactions(store: Store) -> int:
    return int(store.environment._env.info()["last_txnid"])


def test_more_exchanges_than_fit_in_one_piece_are_compiled_in_order(store: Store) -> None:
    recorded = exchanges(600) + [
        numbered(601 + again.number, again.request, again.response, again.upstream, again.asked, again.answered)
        for again in exchanges(600)
    ]
    record(store, "many", recorded)
    cassette = store.open("many", RULES)

    for compiled in compile_exchanges(Listed(exchanges(600)), RULES):
        (key,), number = compiled.keys, compiled.number
        assert [cassette.find(key, nth) for nth in range(3)] == [number, 601 + number, None]


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


def test_law_11_other_rules_compile_anew_and_an_older_result_is_found_again(store: Store) -> None:
    name, ignoring = "law-11", Rules(ignore=frozenset({("", "Body")}))
    record(store, name, exchanges(3))
    other = normalize(Request("POST", b"/v1/Services/IS1/Channels/general/Messages"), ignoring).key
    assert store.open(name, RULES).find(other, 0) is None
    assert store.open(name, ignoring).find(other, 2) == 3
    compiled = transactions(store)
    for rules in (RULES, ignoring, RULES):
        store.open(name, rules)
    assert transactions(store) == compiled


@contextmanager
def collector(*, is_enabled: bool) -> Iterator[None]:
    (gc.enable if is_enabled else gc.disable)()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("was_enabled", [True, False])
def test_no_garbage_is_searched_for_while_a_cassette_is_compiled_and_then_it_is_as_before(
    store: Store, was_enabled: bool
) -> None:
    enabled = list[bool]()

    @contextmanager
    def progress(_what: str, _total: int) -> Iterator[Callable[[], object]]:
        yield lambda: enabled.append(gc.isenabled())

    record(store, "spared", exchanges(3))
    with collector(is_enabled=was_enabled):
        store.compile("spared", RULES, progress)
        assert gc.isenabled() is was_enabled
    assert enabled
    assert not any(enabled)


def test_compiling_leaves_no_garbage_that_has_to_be_searched_for() -> None:
    listed = Listed(exchanges(50, b'{"sid": "%b"}' % (b"IM" + b"1" * 32)))
    list(compile_exchanges(listed, RULES))
    gc.collect()
    with collector(is_enabled=False):
        list(compile_exchanges(listed, RULES))
        assert gc.collect() == 0
