from dataclasses import replace
from pathlib import Path

import pytest
from store.stores import exchange, exchanges, record

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import ExchangeNumber
from chatproxy.store import Store, layout
from chatproxy.store.exchanges import StoredExchanges, last_write


def test_exchanges_are_read_in_order_and_singly_as_often_as_asked(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(600))
    stored = StoredExchanges(store.environment, "a", store.existing("a"))
    assert list(stored) == list(stored) == exchanges(600)
    assert stored.exchange(ExchangeNumber(300)) == exchange(300)
    store.close()


def test_an_exchange_that_is_gone_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(2))
    known = store.existing("a")
    key = layout.exchange_prefix(known.id) + layout.number(2)
    store.environment.write(lambda transaction: transaction.delete(key))
    stored = StoredExchanges(store.environment, "a", known)
    with pytest.raises(CassetteError, match="exchange a/2: is gone; record it again, or import its fixture"):
        stored.exchange(ExchangeNumber(2))
    with pytest.raises(CassetteError, match="cassette a: lacks 1 of its exchanges"):
        list(stored)
    store.close()


def test_the_last_write_is_found_before_reads_and_gaps(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    read = replace(exchange(5).request, method="GET", body=b"")
    recorded = [exchange(1), exchange(3), replace(exchange(5), request=read), replace(exchange(6), request=read)]
    record(store, "a", recorded)
    record(store, "b", recorded[2:])
    found = [last_write(store.environment, store.existing(name).id, ExchangeNumber(6)) for name in ("a", "b")]
    assert found == [3, 0]
    store.close()
