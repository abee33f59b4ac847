"""How the value of a setting is read, as typed or as a configuration file has it.

Each reader raises ValueError, with what is wrong, for what it cannot read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chatproxy.core.credentials.blanking import is_credential
from chatproxy.core.http.grammar import HOST, TOKEN
from chatproxy.core.http.headers import is_forwarders
from chatproxy.core.products.sid_types import PREFIXES
from chatproxy.core.scrubbing.scrub import is_telling
from chatproxy.core.twilio.sids import SID_SEGMENT


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; port 0 takes a free one."""

    host: str
    port: int


FREE = Address("127.0.0.1", 0)
"""A free port that only this machine reaches."""


def address(raw: object) -> Address:
    """Read ``HOST:PORT``."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):(\d{1,5})", str(raw))
    if not found or int(found[2]) > _LAST_PORT:
        raise ValueError(f"{raw!r} is no HOST:PORT")
    return Address(found[1].strip("[]").lower(), int(found[2]))


_LAST_PORT = 65535


def path(raw: object) -> Path:
    """Read a path."""
    if not isinstance(raw, str) or not raw:
        raise ValueError(f"{raw!r} is no path")
    return Path(raw)


def origin(raw: object) -> str:
    """Read an origin, in lower case."""
    found = re.fullmatch(r"(https?://(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?)/?", str(raw).lower())
    if not found:
        shown = re.sub(r"(//|^)[^/?#]*@", r"\1…@", str(raw))  # before the host there may be a password
        raise ValueError(f"{shown!r} is no origin as https://HOST or http://HOST:PORT")
    return found[1]


def control_token(raw: object) -> str:
    """Read the token of the control API; it is never shown."""
    if not isinstance(raw, str) or not _CONTROL_TOKEN.fullmatch(raw):
        raise ValueError("is no token of 16 or more visible ASCII characters")
    return raw


_CONTROL_TOKEN = re.compile("[!-~]{16,}")


def choice(*words: str) -> Callable[[object], str]:
    """Make the reader of one of these words."""

    def read(raw: object) -> str:
        if raw not in words:
            raise ValueError(f"{raw!r} is none of {', '.join(words)}")
        return str(raw)

    return read


def switch(raw: object) -> bool:
    """Read true or false."""
    if isinstance(raw, bool):
        return raw
    if str(raw).lower() in {"1", "true", "yes"}:
        return True
    if str(raw).lower() in {"0", "false", "no", ""}:
        return False
    raise ValueError(f"{raw!r} is neither true nor false")


def whole(first: int, what: str) -> Callable[[object], int]:
    """Make the reader of a whole number of at least ``first``."""

    def read(raw: object) -> int:
        if isinstance(raw, bool) or not re.fullmatch(r"-?\d{1,18}", str(raw)) or int(str(raw)) < first:
            raise ValueError(f"{raw!r} is no {what} of at least {first}")
        return int(str(raw))

    return read


def seconds(raw: object) -> float:
    """Read a number of seconds, of a day at most."""
    value = _decimal(raw)
    if not 0 < value <= _DAY:
        raise ValueError(f"{raw!r} is no number of seconds above 0, of a day at most")
    return value


_DAY = 86400.0


def share(raw: object) -> float:
    """Read a share from 0 to 1."""
    value = _decimal(raw)
    if not 0 <= value <= 1:
        raise ValueError(f"{raw!r} is no share from 0 to 1")
    return value


def _decimal(raw: object) -> float:
    if isinstance(raw, bool) or not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", str(raw)):
        raise ValueError(f"{raw!r} is no number as 0.5")
    return float(str(raw))


def latency(raw: object) -> tuple[float, float]:
    """Read ``MIN:MAX`` in seconds."""
    low, colon, high = str(raw).partition(":")
    if not colon or not 0 <= _decimal(low) <= _decimal(high) <= _DAY:
        raise ValueError(f"{raw!r} is no MIN:MAX in seconds")
    return _decimal(low), _decimal(high)


def time(raw: object) -> datetime:
    """Read a time with its zone."""
    try:
        value = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw))
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise ValueError(f"{raw!r} is no time as 2026-01-01T00:00:00Z")
    return value.astimezone(UTC)


def clock(raw: object) -> str | datetime:
    """Read ``now``, ``shift``, ``recorded``, or the time at which a clock stands."""
    if raw in {"now", "shift", "recorded"}:
        return str(raw)
    try:
        return time(raw)
    except ValueError as error:
        raise ValueError(f"{raw!r} is neither now, shift nor recorded, nor a time as 2026-01-01T00:00:00Z") from error


def kept(raw: object) -> frozenset[str]:
    """Read SIDs and types of SIDs."""
    names = _listed(raw, "SIDs and types of SIDs")
    for name in names:
        if name not in PREFIXES and not _is_sid(name):
            raise ValueError(f"{name!r} is neither a SID nor a type as IM")
    return frozenset(names)


def bound(raw: object) -> dict[str, str]:
    """Read which live SID stands for which recorded one, or that nothing is assumed; several may stand for one."""
    if raw == NO_ASSUMPTION:
        return {NO_ASSUMPTION: ""}
    pairs = list(raw.items()) if isinstance(raw, dict) else [text.partition("=")[::2] for text in _listed(raw, "pairs")]
    for live, recorded in pairs:
        if not _is_sid(live) or not _is_sid(recorded) or live[:2] != recorded[:2]:
            raise ValueError(f"{live}={recorded} is no LIVE=RECORDED, two SIDs of one type")
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a SID stands twice, and can stand for only one other")
    return dict(pairs)


NO_ASSUMPTION = "none"
"""In place of pairs: nothing is assumed of a SID that no setting names."""


def ignored(raw: object) -> frozenset[tuple[str, str]]:
    """Read names that hold for every request, or a table of names by route."""
    by_route = raw if isinstance(raw, dict) else {"": raw}
    found = set()
    for route, names in by_route.items():
        if route and not _ROUTE.fullmatch(route):
            raise ValueError(f"{route!r} is no route such as POST Messages or POST Messages/Sid")
        found |= {(route, name) for name in _listed(names, "parameters")}
    return frozenset(found)


_ROUTE = re.compile("[A-Z]+ [A-Za-z]+(/Sid)?")


def allowed(raw: object) -> tuple[re.Pattern[bytes], ...]:
    """Read ids of findings, and regular expressions of texts, which are matched as bytes."""
    return tuple(_pattern(text) for text in _listed(raw, "ids and regular expressions"))


def _pattern(text: str) -> re.Pattern[bytes]:
    try:
        return re.compile(text.encode())
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error


def _is_sid(text: object) -> bool:
    return isinstance(text, str) and SID_SEGMENT.fullmatch(text.encode()) is not None


def _listed(raw: object, what: str) -> list[str]:
    names = [name for name in re.split(r"[,\s]+", raw) if name] if isinstance(raw, str) else raw
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{raw!r} is no list of {what}")
    return list(names)


def hosts(raw: object) -> frozenset[str]:
    """Read host names or addresses without ports, in lower case."""
    names = [name.lower() for name in _listed(raw, "hosts")]
    for name in names:
        if not HOST.fullmatch(name) or re.search(r":\d+$", name.rpartition("]")[2]):
            raise ValueError(f"{name!r} is no host without a port")
    return frozenset(names)


def others(raw: object) -> str | frozenset[str]:
    """Read what is done with other hosts, or which of them may be reached."""
    return raw if isinstance(raw, str) and raw in {"refuse", "pass"} else hosts(raw)


def header_names(raw: object) -> tuple[str, ...]:
    """Read names of header fields that may count in a match."""
    names = _listed(raw, "header names")
    for name in names:
        if not TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is no header name")
        if is_credential(name.encode()):
            raise ValueError(f"{name!r} carries credentials, which are never part of a match")
        if is_forwarders(name.lower().encode()):
            raise ValueError(f"{name!r} is what a proxy tells of its client, and never part of a match")
        if is_telling(name.encode()):
            raise ValueError(f"{name!r} is always dropped by scrubbing, and never part of a match")
    return tuple(names)
