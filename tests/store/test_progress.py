from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from store.stores import RULES, exchanges, record

from chatproxy.core.matching.rules import Rules
from chatproxy.store import Store, stepped, unseen


def test_progress_that_nobody_sees_takes_any_step() -> None:
    with unseen("compile", 3) as step:
        assert not step()


def test_compiling_tells_of_each_step(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    begun: list[tuple[str, int]] = []
    steps: list[str] = []

    @contextmanager
    def progress(label: str, count: int) -> Iterator[Callable[[], object]]:
        begun.append((label, count))
        yield lambda: steps.append(label)

    record(store, "a", exchanges(150))
    store.open("a", RULES, progress)
    assert begun == []
    store.open("a", Rules(("x-a",)), progress)
    assert begun == [("compile", 450)]
    assert len(steps) == 450
    store.close()


def test_each_one_that_was_taken_is_told_of() -> None:
    told: list[int] = []
    assert list(stepped("abc", lambda: told.append(1))) == ["a", "b", "c"]
    assert len(told) == 3
