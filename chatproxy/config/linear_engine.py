"""The engine that searches patterns in linear time, where its extra is installed."""

import re
from importlib import import_module
from typing import Any

from chatproxy.core.scrubbing.engines import Found, Searches, for_ever


class _Linear:
    """A pattern in the syntax of RE2, which knows no halves of characters."""

    def __init__(self, pattern: Any) -> None:
        self._pattern = pattern

    def search(self, text: str, position: int = 0) -> Found | None:
        found: Found | None = self._pattern.search(_HALVES.sub("\ufffd", text), position)
        return found


_HALVES = re.compile("[\ud800-\udfff]")


def linear(pattern: str) -> Searches:
    """Return a search for a pattern that takes Python's engine too long; raises ValueError where there is none."""
    said = for_ever(pattern)
    try:
        engine: Any = import_module("re2")
    except ImportError as error:
        raise ValueError(f"{said}, or search it in linear time: pip install 'google-re2>=1.1'") from error
    options = engine.Options()
    options.log_errors = False
    try:
        return _Linear(engine.compile(pattern, options))
    except engine.error as error:
        raise ValueError(said) from error
