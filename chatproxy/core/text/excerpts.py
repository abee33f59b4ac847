"""Values cut and quoted for one line of a message."""

from json import dumps


def quoted(text: str) -> str:
    """Quote a text as JSON does, with escapes for all that a terminal would not show as a character."""
    return printable(dumps(text, ensure_ascii=False))


def printable(text: str) -> str:
    """Write what is no printable character as JSON escapes: a terminal obeys some, and UTF-8 has no lone surrogates."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else dumps(one)[1:-1] for one in text)


def cut(text: str, size: int) -> str:
    """Cut a text to so many characters."""
    return _window(text, 0, size)


def excerpts(one: str, other: str, size: int) -> tuple[str, str]:
    """Cut two texts to so many characters, from a little before the first in which they differ."""
    begin = max(0, _alike_until(one, other) - size // 2)
    return _window(one, begin, size), _window(other, begin, size)


def _alike_until(one: str, other: str) -> int:
    """Return how many characters both begin with, by halving: bodies can be large."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _window(text: str, begin: int, size: int) -> str:
    end = begin + size
    return f"{'…' if begin else ''}{text[begin:end]}{'…' if end < len(text) else ''}"


def counted(count: int, noun: str = "exchange") -> str:
    """Return how many there are of what is counted."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
