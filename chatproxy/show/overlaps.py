"""What there is to say where several of the merged cassettes write to one place, a line for each place."""

from collections.abc import Iterator, Sequence
from itertools import islice

from chatproxy.core.sharing.merging import Overlap
from chatproxy.core.text.excerpts import printable

_SHOWN = 20


def overlap_lines(overlaps: Sequence[Overlap], names: Sequence[str]) -> Iterator[str]:
    """Say which of the cassettes of these names write to one place, and in which exchanges."""
    yield from islice((_line(one, names) for one in overlaps), _SHOWN)
    if len(overlaps) > _SHOWN:
        yield f"and {len(overlaps) - _SHOWN} more places to which several write"


def _line(overlap: Overlap, names: Sequence[str]) -> str:
    writing = [
        f"{name} ({', '.join(map(str, numbers))})"
        for name, numbers in zip(names, overlap.writes, strict=True)
        if numbers
    ]
    path = printable(overlap.path.decode("utf-8", "backslashreplace"))
    return f"{' and '.join(writing)} write to {path}; {_MEANING}"


_MEANING = "what each answers there needs the writes of those before it, so merge them only if that is meant"
