"""How the rules of scrubbing are read: as tables of a configuration file, or as JSON.

Each reader raises ValueError, with what is wrong, for what it cannot read; it never shows a salt.
"""

import re
from collections.abc import Iterable
from itertools import chain
from typing import Any

from chatproxy.config.linear_engine import linear
from chatproxy.core.http.grammar import FIELD_TEXT, TOKEN
from chatproxy.core.scrubbing.engines import compiled
from chatproxy.core.scrubbing.rules import Action, LooksAt, ScrubRule
from chatproxy.core.scrubbing.scrub import unsettled
from chatproxy.core.text.json_text import parsed


def scrub(raw: object) -> tuple[ScrubRule, ...]:
    """Read the rules of scrubbing: an array of tables, or the same as JSON."""
    tables = _from_json(raw) if isinstance(raw, str) else raw
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError(_NO_LIST)
    rules = []
    for place, table in enumerate(tables, 1):
        try:
            rules.append(_scrub_rule(table))
        except ValueError as error:
            raise ValueError(f"rule {place}: {error}") from error
    again = unsettled(rules)
    if again is not None:
        reason = f"the rules would change its replacement {again.text!r} again; choose another"
        raise ValueError(f"rule {rules.index(again) + 1}: {reason}")
    return tuple(rules)


_NO_LIST = "is no list of rules, each a table"


def joined(texts: tuple[str, ...]) -> object:
    """Return the rules of several texts of JSON as one list."""
    lists = [_from_json(text) for text in texts]
    if not all(isinstance(one, list) for one in lists):
        raise ValueError(_NO_LIST)
    return list(chain.from_iterable(lists))


def _from_json(text: str) -> Any:
    try:
        return parsed(text.encode() or b"[]")
    except ValueError as error:
        raise ValueError('is no JSON such as [{"field": "from", "pseudonym": true}]') from error


def _scrub_rule(table: dict[str, object]) -> ScrubRule:
    looks_at, action = _one_of(LooksAt, table), _one_of(Action, table)
    unknown = table.keys() - {looks_at, action}
    if unknown:
        kinds = f"one of {', '.join(LooksAt)}, and one of {', '.join(Action)}"
        raise ValueError(f"{min(unknown)!r} is no part of a rule, which has {kinds}")
    name = table[looks_at]
    if not isinstance(name, str) or not name:
        raise ValueError(f"{name!r} is no text to look for")
    _NAMES[LooksAt(looks_at)](name)
    if looks_at == LooksAt.PATTERN and action == Action.DROP:
        raise ValueError('a pattern takes replace or pseudonym; replace = "" drops what it finds')
    return ScrubRule(LooksAt(looks_at), name, Action(action), _put_in(action, table[action]), linear)


def _one_of(words: Iterable[str], table: dict[str, object]) -> str:
    given = [word for word in words if word in table]
    if len(given) != 1:
        raise ValueError(f"has {len(given)} of {', '.join(words)}, and takes one")
    return given[0]


def _put_in(action: str, value: object) -> str:
    """Read what comes after the word of an action."""
    if action == Action.REPLACE:
        if not isinstance(value, str) or not _is_line(value):
            raise ValueError(f"{value!r} is no text of one line")
        return value
    if value is not True:
        raise ValueError(f"{action} takes true, not {value!r}")
    return ""


def _is_line(text: str) -> bool:
    """Tell whether a text can stand in a header's value too."""
    return bool(FIELD_TEXT.fullmatch(text)) and not any("\ud800" <= char <= "\udfff" for char in text)


def _header(name: str) -> None:
    if not TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no header name")
    if name.lower() == "content-type":
        raise ValueError("Content-Type says how a body is read, and always stays")


def _field(name: str) -> None:
    if name.startswith("/") and re.search("~(?![01])", name):
        raise ValueError(f"{name!r} is no JSON pointer (RFC 6901)")


def _pattern(name: str) -> None:
    try:
        pattern = compiled(name, linear)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{name!r} is no regular expression: {error}") from error
    if pattern.search(""):
        raise ValueError(f"{name!r} matches an empty text")


def _parameter(name: str) -> None:
    """Any text may be the name of a parameter."""


_NAMES = {
    LooksAt.HEADER: _header,
    LooksAt.FIELD: _field,
    LooksAt.PARAMETER: _parameter,
    LooksAt.PATTERN: _pattern,
}


def unsalted(rules: Iterable[ScrubRule]) -> int | None:
    """Return the place of the first rule that needs a salt, if there is one."""
    return next((place for place, rule in enumerate(rules, 1) if rule.action is Action.PSEUDONYM), None)


def salt(raw: object) -> str:
    """Read the salt of pseudonyms; it is never shown."""
    if not isinstance(raw, str) or len(raw) < _SHORTEST_SALT:
        raise ValueError(f"is no text of at least {_SHORTEST_SALT} characters")
    return raw


_SHORTEST_SALT = 16
