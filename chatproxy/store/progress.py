"""How far long work has come, for who shows it to a person."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

T = TypeVar("T")

Progress = Callable[[str, int], AbstractContextManager[Callable[[], object]]]
"""Begins work of so many steps under a label; what it gives is called after each step."""


def unseen(label: str, steps: int) -> AbstractContextManager[Callable[[], object]]:
    """Show nothing."""
    return nullcontext(bool)


def stepped(several: Iterable[T], step: Callable[[], object]) -> Iterator[T]:
    """Yield all of these, and tell of each."""
    for one in several:
        yield one
        step()
