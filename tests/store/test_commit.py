import asyncio
import threading
from pathlib import Path

import pytest
from store.stores import child, exchange

from chatproxy.core.model import ExchangeNumber
from chatproxy.store import Existing, Recording, Store
from chatproxy.store.commit import GroupCommit

KEEPS_FOR_EVER = """
async def main():
    recording = Recording(Store(Path(sys.argv[1])), "a", Existing.REPLACE, 1)
    numbers = itertools.count(1)
    async def client():
        for number in numbers:
            await recording.keep(exchange(number))
            os.write(1, b"%d\\n" % number)
    await asyncio.gather(*(client() for _ in range(8)))
asyncio.run(main())
"""
COUNTS = """
store = Store(Path(sys.argv[1]))
print(store.count("a.partial"), flush=True)
store.close()
"""


class Disk:
    """Takes items as slowly as one lets it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.ready = threading.Event()
        self.error: Exception | None = None

    def write(self, items: list[int]) -> None:
        self.ready.wait()
        if self.error is not None:
            raise self.error
        self.batches.append(items)

    @property
    def items(self) -> list[int]:
        return [item for batch in self.batches for item in batch]


async def begun(coroutines: int, group: GroupCommit[int]) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(group.commit(item)) for item in range(coroutines)]
    await asyncio.sleep(0.01)
    return tasks


async def test_a_commit_returns_only_when_the_item_is_written() -> None:
    disk = Disk()
    group = GroupCommit(disk.write)
    (task,) = await begun(1, group)
    assert not task.done()

    disk.ready.set()
    await task

    assert disk.batches == [[0]]
    group.close()


async def test_items_that_come_during_a_commit_share_the_next_one_in_their_order() -> None:
    disk = Disk()
    group = GroupCommit(disk.write)
    tasks = await begun(100, group)

    disk.ready.set()
    await asyncio.gather(*tasks)

    assert disk.items == list(range(100))
    assert len(disk.batches) <= 2
    group.close()


async def test_an_item_is_written_though_its_waiter_is_cancelled() -> None:
    disk = Disk()
    group = GroupCommit(disk.write)
    tasks = await begun(3, group)

    tasks[1].cancel()
    disk.ready.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
    assert disk.items == [0, 1, 2]
    group.close()


async def test_an_error_reaches_everybody_who_waits_and_later_items_are_written() -> None:
    disk = Disk()
    disk.error = OSError("full")
    group = GroupCommit(disk.write)
    tasks = await begun(5, group)

    disk.ready.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [disk.error] * 5

    disk.error = None
    await group.commit(7)
    assert disk.items == [7]
    group.close()


async def test_closing_writes_what_waits() -> None:
    disk = Disk()
    group = GroupCommit(disk.write)
    tasks = await begun(3, group)
    disk.ready.set()

    group.close()
    group.close()

    assert disk.items == [0, 1, 2]
    await asyncio.gather(*tasks)


async def test_nothing_waits_for_ever_after_the_end() -> None:
    group = GroupCommit(Disk().write)
    group.close()

    with pytest.raises(RuntimeError, match="closed"):
        await group.commit(1)


def test_items_are_written_though_the_loop_that_waited_is_gone() -> None:
    disk = Disk()
    group = GroupCommit(disk.write)

    async def leave() -> None:
        for task in await begun(2, group):
            task.cancel()

    asyncio.run(leave())
    disk.ready.set()
    group.close()

    assert disk.items == [0, 1]


async def test_concurrent_exchanges_share_commits_on_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    recording = Recording(store, "a", Existing.REPLACE, 1)
    first = last_transaction(store)

    await asyncio.gather(*(recording.keep(exchange(number)) for number in range(1, 501)))

    assert store.count("a.partial") == 500
    assert last_transaction(store) - first < 50
    recording.abandon()
    store.close()


def last_transaction(store: Store) -> int:
    return int(store.environment._env.info()["last_txnid"])


@pytest.mark.process
async def test_another_process_sees_an_exchange_as_soon_as_it_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    recording = Recording(store, "a", Existing.REPLACE, 1)

    await recording.keep(exchange(1))

    with child(COUNTS, tmp_path / "store") as other:
        assert other.line() == "1"
    recording.abandon()
    store.close()


@pytest.mark.process
def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with child(KEEPS_FOR_EVER, tmp_path / "store") as recorder:
        acknowledged = [int(recorder.line()) for _ in range(300)]
        recorder.kill()
        acknowledged += map(int, recorder.rest())

    store = Store(tmp_path / "store")
    kept = {kept.number: kept for kept in store.exchanges("a.partial")}
    assert all(kept[ExchangeNumber(number)] == exchange(number) for number in acknowledged)
    assert store.count("a.partial") == len(kept)
    store.close()


async def test_what_comes_in_one_round_of_the_loop_shares_a_commit() -> None:
    disk = Disk()
    disk.ready.set()
    group = GroupCommit(disk.write)
    await asyncio.gather(*(group.commit(item) for item in range(5)))
    assert disk.batches == [[0, 1, 2, 3, 4]]
    group.close()


async def test_closing_writes_what_was_not_handed_over_yet() -> None:
    disk = Disk()
    disk.ready.set()
    group = GroupCommit(disk.write)
    waiting = asyncio.ensure_future(group.commit(1))
    asyncio.get_running_loop().call_soon(group.close)
    await waiting
    assert disk.items == [1]
