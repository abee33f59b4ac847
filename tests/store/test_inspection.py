import os
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from exchanges import numbered
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import many
from store.stores import PAGE, RULES, everything, exchanges, record
from strategies import MESSAGES, UPSTREAM

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Request, Response
from chatproxy.store import Store, layout
from chatproxy.store.environment import Transaction
from chatproxy.store.inspection import inspect


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    record(opened, "a", exchanges(3))
    record(opened, "b", exchanges(2))
    yield opened
    opened.close()


def putting(key: bytes, value: bytes) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.put(key, value)


def deleting(key: bytes) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.delete(key)


def test_a_sound_store_has_no_flaws(store: Store) -> None:
    found = inspect(store.environment)
    assert (found.cassettes, found.exchanges, found.flaws, found.spoilt) == (2, 5, [], [])


EXCHANGE = layout.exchange_prefix(1) + layout.number(2)


@pytest.mark.parametrize(
    ("key", "flaw"),
    [
        (EXCHANGE, "exchange 2 of cassette a"),
        (layout.tally_key(1), "the tally of cassette number 1"),
        (layout.name_key("a"), "the record of cassette a"),
        (layout.LAST_ID, "the entry b'i'"),
        (layout.DROPPED + layout.number(9), r"the entry b'd\x00\x00\x00\t'"),
    ],
)
def test_whatever_was_recorded_and_is_damaged_is_named(store: Store, key: bytes, flaw: str) -> None:
    store.environment.write(putting(key, b"nothing that was stored"))
    found = inspect(store.environment)
    assert found.flaws[0] == flaw
    assert found.spoilt == []


def test_a_cassette_that_lacks_an_exchange_is_named(store: Store) -> None:
    store.environment.write(deleting(EXCHANGE))
    assert inspect(store.environment).flaws == ["cassette a (2 of its 3 exchanges are there)"]


def test_what_is_compiled_and_damaged_or_gone_is_compiled_anew(store: Store) -> None:
    expected = everything(store.open("a", RULES))
    key, value = store.environment.scan(layout.index_prefix(1, RULES.fingerprint), limit=1)[0]
    for harm in (putting(key, value[:-1] + b"x"), deleting(key)):
        store.environment.write(harm)
        found = store.inspect()
        assert (found.flaws, found.spoilt) == ([], [layout.compiled_key(1, RULES.fingerprint)])
        assert everything(store.open("a", RULES)) == expected
        assert store.inspect().spoilt == []


# Stores damaged at random


def recorded(store: Store) -> None:
    for name in ("one", "two"):
        record(
            store,
            name,
            [
                numbered(
                    number,
                    Request("POST" if number % 3 == 0 else "GET", MESSAGES, (), b"Body=%d" % number),
                    Response(
                        200,
                        b"OK",
                        (),
                        b'{"sid": "IM%032x", "body": "%s"}' % (number, name.encode() * 500 * (number % 5)),
                    ),
                    UPSTREAM,
                    number,
                    number,
                )
                for number in range(1, 40)
            ],
        )


def answers(folder: Path) -> list[object]:
    """Return all that a store answers; a part that is refused is None, and so is all of a store that is refused."""
    store = refusable(lambda: Store(folder))
    if store is None:
        return [None] * 5
    with closing(store):
        looks: list[Callable[[], object]] = [store.listing]
        for name in ("one", "two"):
            looks += [partial(exchanges_of, store, name), partial(compiled_of, store, name)]
        return [refusable(look) for look in looks]


def exchanges_of(store: Store, name: str) -> object:
    return list(store.exchanges(name))


def compiled_of(store: Store, name: str) -> object:
    return everything(store.open(name, RULES))


T = TypeVar("T")


def refusable(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except CassetteError as error:
        if "\n" in str(error):
            raise
        return None


def flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice([1, 1, 1, 8])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def zero_a_page(content: bytearray, chance: random.Random) -> None:
    at = page_in(content, chance)
    content[at : at + PAGE] = bytes(PAGE)


def swap_pages(content: bytearray, chance: random.Random) -> None:
    one, other = page_in(content, chance), page_in(content, chance)
    content[one : one + PAGE], content[other : other + PAGE] = content[other : other + PAGE], content[one : one + PAGE]


def write_garbage(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content))
    garbage = chance.randbytes(chance.choice([1, 16, 512, PAGE]))
    content[at : at + len(garbage)] = garbage[: len(content) - at]


def cut(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


def page_in(content: bytearray, chance: random.Random) -> int:
    return chance.randrange(len(content) // PAGE) * PAGE


folders = (f"damaged-{number}" for number in count())


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Store(tmp_path_factory.mktemp("sound") / "store")
    recorded(store)
    store.close()
    used = (int(store_pages(store.folder))) * PAGE
    os.truncate(store.folder / "data.mdb", used)  # what is not used needs no damage
    Store(store.folder).close()
    return store.folder


def store_pages(folder: Path) -> int:
    store = Store(folder)
    pages = int(store.environment._env.info()["last_pgno"]) + 1
    store.close()
    return pages


@settings(max_examples=many(100))
@given(st.randoms(use_true_random=False), st.sampled_from([flip, zero_a_page, swap_pages, write_garbage, cut]))
def test_a_damaged_store_is_refused_or_answers_as_before(
    undamaged: Path, chance: random.Random, damage: Callable[[bytearray, random.Random], None]
) -> None:
    expected = answers(undamaged)
    assert None not in expected
    content = bytearray((undamaged / "data.mdb").read_bytes())
    damage(content, chance)
    folder = undamaged.parent / next(folders)
    folder.mkdir()
    (folder / "in-use").write_bytes((undamaged / "in-use").read_bytes())
    (folder / "locks").mkdir()
    (folder / "data.mdb").write_bytes(content)

    found = answers(folder)

    assert [one for one, whole in zip(found, expected, strict=True) if one not in (None, whole)] == []
