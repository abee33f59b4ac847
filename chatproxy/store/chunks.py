"""Items put together for transactions: each waits for the disk, and all of one is in memory at once."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterable[T], size: Callable[[T], int], *, most_bytes: int, most: int) -> Iterator[list[T]]:
    """Yield items in their order, up to ``most`` together; a chunk ends with the item that exceeds its bytes."""
    chunk: list[T] = []
    total = 0
    for item in items:
        chunk.append(item)
        total += size(item)
        if total > most_bytes or len(chunk) == most:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk
