"""Rows of text in columns, for a person to read."""

from collections.abc import Sequence
from unicodedata import category, east_asian_width


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> str:
    """Lay out rows under heads; columns named in ``right`` are aligned to the right, as numbers are."""
    texts = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(_width(row[column]) for row in texts) for column in range(len(heads))]
    lines = []
    for row in texts:
        cells = [
            (" " * (width - _width(text)) + text) if head in right else text + " " * (width - _width(text))
            for head, text, width in zip(heads, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    """Return how many columns a terminal needs: wide characters take two (Unicode Annex 11), marks on others none."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
