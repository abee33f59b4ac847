"""Values cut and quoted for one line of a message.

What is shown of a request, a fixture or an answer is ``printable``: it stays on its line, and gives no command to a
terminal or to a CI system that reads the line.
"""

import re
from json import dumps
from typing import AnyStr


def quoted(text: str) -> str:
    """Quote a text as JSON does, with escapes for all that is not printable."""
    return printable(dumps(text, ensure_ascii=False))


def legible(text: str) -> str:
    """Show a text as it is, or as a JSON string where that would not be a line or could be taken for one."""
    is_plain = printable(text) == text and text.strip() == text and text[:1] != '"'
    return text if text and is_plain else quoted(text)


def literal(value: bytes) -> str:
    """Quote a value as Python does, for a message."""
    return printable(repr(value.decode("utf-8", "backslashreplace")))


def printable(text: str) -> str:
    """Write what is no printable character, and the first sign of a command, as JSON escapes.

    A terminal obeys some characters, and UTF-8 has no lone surrogates.
    """
    if not text.isprintable():
        text = "".join(one if one.isprintable() else dumps(one)[1:-1] for one in text)
    return without_commands(text)


def without_commands(text: str) -> str:
    """Write the first sign of what could be taken for a command, in any line of a text, as a JSON escape."""
    return _COMMAND.sub(lambda found: f"{found[1] or ''}\\u{ord(found[0][-1]):04x}", text)


_COMMAND = re.compile(r"^([^\S\n]*):(?=:)|#(?=#\w*\[)", re.MULTILINE)
"""Where a line could be taken for a command: ``::…`` at its begin by GitHub, ``##[…]`` anywhere in it by GitHub and
Azure, ``##vso[…]`` and ``##teamcity[…]`` by Azure and TeamCity.

https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
"""


def cut(text: str, size: int) -> str:
    """Cut a text to so many characters."""
    return _window(text, 0, size)


def excerpts(one: str, other: str, size: int) -> tuple[str, str]:
    """Cut two texts to so many characters, from a little before the first in which they differ."""
    begin = max(0, alike_until(one, other) - size // 2)
    return _window(one, begin, size), _window(other, begin, size)


def alike_until(one: AnyStr, other: AnyStr) -> int:
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
