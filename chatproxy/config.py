"""Settings: a flag over an environment variable over the configuration file over a default, checked once.

One table says what can be set; the command line, the environment (``CHATPROXY_…``), the file (``chatproxy.toml``,
or ``[tool.chatproxy]`` in ``pyproject.toml``) and the documentation all follow from it.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chatproxy.core.errors import ConfigError
from chatproxy.core.grammar import TOKEN
from chatproxy.core.scrub import is_credential
from chatproxy.core.sids import PREFIXES, SID_SEGMENT


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; port 0 takes a free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set, checked; what each is for stands in the table ``SETTINGS``."""

    listen: Address
    store: Path
    upstream: str
    upstream_ca: Path | None
    urls: str
    clock: str | datetime
    sids: str
    seed: int
    keep: frozenset[str]
    bind: dict[str, str]
    match_headers: tuple[str, ...]
    ignore: frozenset[tuple[str, str]]
    append: bool
    replace: bool
    ready_file: Path | None
    max_body: int
    max_header: int
    max_connections: int
    client_timeout: float
    sessions: str
    max_sessions: int
    on_exhausted: str
    session_idle: float
    journal: int
    report: Path | None
    connect_timeout: float
    upstream_timeout: float
    sandbox_listen: Address
    sandbox_ready_file: Path | None
    sandbox_seed: int
    sandbox_latency: tuple[float, float]
    sandbox_fail_rate: float
    sandbox_start_time: datetime | None


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set: how a value is read, its default as one would write it, and what it is for."""

    name: str
    read: Callable[[Any], object]
    default: str | None
    metavar: str
    help: str

    @property
    def flag(self) -> str:
        """The name on the command line; the sandbox's settings lose their prefix there."""
        return "--" + self.name.removeprefix("sandbox-")

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return "CHATPROXY_" + self.name.upper().replace("-", "_")


def load(flags: Mapping[str, object], environ: Mapping[str, str], folder: Path) -> Settings:
    """Return the settings that hold, by flags given, environment, and the file in this folder.

    ``flags`` maps names of settings to values as typed. Raises ConfigError for whatever is wrong, naming it.
    """
    file, in_file = _file(folder)
    values = {}
    for setting in SETTINGS:
        if setting.name in flags:
            source, raw = setting.flag, flags[setting.name]
        elif setting.variable in environ:
            source, raw = setting.variable, environ[setting.variable]
        elif setting.name in in_file:
            source, raw = f"{file}: {setting.name}", in_file[setting.name]
        else:
            source, raw = setting.flag, setting.default
        values[setting.name.replace("-", "_")] = _read(setting, source, raw)
    return Settings(**values)


def _read(setting: Setting, source: str, raw: object) -> Any:
    if raw is None:
        return None
    try:
        return setting.read(raw)
    except ValueError as error:
        raise ConfigError(source, str(error)) from error


def _file(folder: Path) -> tuple[str, dict[str, object]]:
    """Return the configuration file's name and what is set in it."""
    for name, table in (("chatproxy.toml", ()), ("pyproject.toml", ("tool", "chatproxy"))):
        path = folder / name
        if not path.is_file():
            continue
        try:
            content: Any = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise ConfigError(name, f"cannot be read: {error}") from error
        for step in table:
            content = content.get(step, {}) if isinstance(content, dict) else {}
        if table and not content:
            continue
        return name, _known(name, content)
    return "", {}


def _known(file: str, content: dict[str, object]) -> dict[str, object]:
    given = {key.replace("_", "-"): value for key, value in content.items()}
    if unknown := given.keys() - {setting.name for setting in SETTINGS}:
        raise ConfigError(f"{file}: {min(unknown)}", "is no setting; docs/configuration.md lists them")
    return given


def _address(raw: object) -> Address:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):(\d{1,5})", str(raw))
    if not found or int(found[2]) > _LAST_PORT:
        raise ValueError(f"{raw!r} is no HOST:PORT")
    return Address(found[1].strip("[]"), int(found[2]))


_LAST_PORT = 65535


def _path(raw: object) -> Path:
    if not isinstance(raw, str) or not raw:
        raise ValueError(f"{raw!r} is no path")
    return Path(raw)


def _origin(raw: object) -> str:
    found = re.fullmatch(r"(https?://(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?)/?", str(raw).lower())
    if not found:
        raise ValueError(f"{raw!r} is no origin as https://HOST or http://HOST:PORT")
    return found[1]


def _choice(*words: str) -> Callable[[object], str]:
    def read(raw: object) -> str:
        if raw not in words:
            raise ValueError(f"{raw!r} is none of {', '.join(words)}")
        return str(raw)

    return read


def _switch(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if str(raw).lower() in {"1", "true", "yes"}:
        return True
    if str(raw).lower() in {"0", "false", "no", ""}:
        return False
    raise ValueError(f"{raw!r} is neither true nor false")


def _whole(first: int, what: str) -> Callable[[object], int]:
    def read(raw: object) -> int:
        if isinstance(raw, bool) or not re.fullmatch(r"-?\d{1,18}", str(raw)) or int(str(raw)) < first:
            raise ValueError(f"{raw!r} is no {what} of at least {first}")
        return int(str(raw))

    return read


def _seconds(raw: object) -> float:
    value = _decimal(raw)
    if not 0 < value <= _DAY:
        raise ValueError(f"{raw!r} is no number of seconds above 0, of a day at most")
    return value


_DAY = 86400.0


def _rate(raw: object) -> float:
    value = _decimal(raw)
    if not 0 <= value <= 1:
        raise ValueError(f"{raw!r} is no share from 0 to 1")
    return value


def _decimal(raw: object) -> float:
    if isinstance(raw, bool) or not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", str(raw)):
        raise ValueError(f"{raw!r} is no number as 0.5")
    return float(str(raw))


def _latency(raw: object) -> tuple[float, float]:
    low, colon, high = str(raw).partition(":")
    if not colon or not 0 <= _decimal(low) <= _decimal(high) <= _DAY:
        raise ValueError(f"{raw!r} is no MIN:MAX in seconds")
    return _decimal(low), _decimal(high)


def _time(raw: object) -> datetime:
    try:
        value = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw))
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise ValueError(f"{raw!r} is no time as 2026-01-01T00:00:00Z")
    return value.astimezone(UTC)


def _clock(raw: object) -> str | datetime:
    if raw in {"now", "recorded"}:
        return str(raw)
    try:
        return _time(raw)
    except ValueError as error:
        raise ValueError(f"{raw!r} is neither now nor recorded, nor a time as 2026-01-01T00:00:00Z") from error


def _kept(raw: object) -> frozenset[str]:
    names = _listed(raw, "SIDs and types of SIDs")
    for name in names:
        if name not in PREFIXES and not _is_sid(name):
            raise ValueError(f"{name!r} is neither a SID nor a type as IM")
    return frozenset(names)


def _bound(raw: object) -> dict[str, str]:
    pairs = list(raw.items()) if isinstance(raw, dict) else [text.partition("=")[::2] for text in _listed(raw, "pairs")]
    for live, recorded in pairs:
        if not _is_sid(live) or not _is_sid(recorded) or live[:2] != recorded[:2]:
            raise ValueError(f"{live}={recorded} is no LIVE=RECORDED, two SIDs of one type")
    for twice in (dict(pairs), {recorded: live for live, recorded in pairs}):
        if len(twice) < len(pairs):
            raise ValueError("a SID stands twice, and can stand for only one other")
    return dict(pairs)


def _ignored(raw: object) -> frozenset[tuple[str, str]]:
    """Read names that hold for every request, or a table of names by route."""
    by_route = raw if isinstance(raw, dict) else {"": raw}
    found = set()
    for route, names in by_route.items():
        if route and not _ROUTE.fullmatch(route):
            raise ValueError(f"{route!r} is no route such as POST Messages or POST Messages/Sid")
        found |= {(route, name) for name in _listed(names, "parameters")}
    return frozenset(found)


_ROUTE = re.compile("[A-Z]+ [A-Za-z]+(/Sid)?")


def _is_sid(text: object) -> bool:
    return isinstance(text, str) and SID_SEGMENT.fullmatch(text.encode()) is not None


def _listed(raw: object, what: str) -> list[str]:
    names = [name for name in re.split(r"[,\s]+", raw) if name] if isinstance(raw, str) else raw
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{raw!r} is no list of {what}")
    return list(names)


def _header_names(raw: object) -> tuple[str, ...]:
    names = [name for name in re.split(r"[,\s]+", raw) if name] if isinstance(raw, str) else raw
    if not isinstance(names, list | tuple):
        raise ValueError(f"{raw!r} is no list of header names")
    for name in names:
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is no header name")
        if is_credential(name.encode()):
            raise ValueError(f"{name!r} carries credentials, which are never part of a match")
    return tuple(names)


SETTINGS = (
    Setting("listen", _address, "127.0.0.1:8765", "HOST:PORT", "where to listen; port 0 takes a free one"),
    Setting("store", _path, ".chatproxy", "FOLDER", "the folder of the store"),
    Setting("upstream", _origin, "https://chat.twilio.com", "ORIGIN", "the real server, which recording asks"),
    Setting("upstream-ca", _path, None, "FILE", "trust the certificate authorities in this PEM file for the upstream"),
    Setting(
        "urls",
        _choice("rewrite", "keep"),
        "rewrite",
        "rewrite|keep",
        "turn the upstream's URLs in answers to the address that the client used, or keep them",
    ),
    Setting(
        "clock",
        _clock,
        "now",
        "now|recorded|TIME",
        "serve times as of now, as recorded, or beginning at a time such as 2026-01-01T00:00:00Z",
    ),
    Setting(
        "sids",
        _choice("fresh", "recorded"),
        "fresh",
        "fresh|recorded",
        "serve SIDs that are this replay's own, or those recorded",
    ),
    Setting("seed", _whole(0, "number"), "0", "N", "the seed of fresh SIDs"),
    Setting("keep", _kept, "", "SIDS", "SIDs, or types of SIDs as IM, to serve as recorded, separated by commas"),
    Setting("bind", _bound, "", "LIVE=RECORDED", "which SID of the client stands for which one, separated by commas"),
    Setting("match-headers", _header_names, "", "NAMES", "request headers that count in a match, separated by commas"),
    Setting("ignore", _ignored, "", "NAMES", "parameters that do not count in a match, separated by commas"),
    Setting("append", _switch, "false", "", "add to the cassette if it exists"),
    Setting("replace", _switch, "false", "", "replace the cassette if it exists, once the new one is whole"),
    Setting("ready-file", _path, None, "PATH", "write url, mode, pid and any token to this file as JSON when ready"),
    Setting("max-body", _whole(1, "number of bytes"), "16777216", "BYTES", "the largest body of a request or answer"),
    Setting("max-header", _whole(256, "number of bytes"), "32768", "BYTES", "the longest request line or header"),
    Setting("max-connections", _whole(1, "number"), "1000", "N", "how many connections clients may have at once"),
    Setting("client-timeout", _seconds, "60", "SECONDS", "how long a request's body may take to come"),
    Setting(
        "sessions",
        _choice("user", "one"),
        "user",
        "user|one",
        "choose a session also by an account's SID as user name, or by the header x-chatproxy-session only",
    ),
    Setting("max-sessions", _whole(1, "number"), "10000", "N", "how many sessions are kept at once"),
    Setting(
        "on-exhausted",
        _choice("miss", "restart"),
        "miss",
        "miss|restart",
        "miss a request that only a session begun anew could answer, or begin it anew",
    ),
    Setting("session-idle", _seconds, "3600", "SECONDS", "how long a session is kept without a request"),
    Setting("journal", _whole(0, "number"), "1000", "N", "how many of the last requests the journal holds"),
    Setting("report", _path, None, "FILE", "write a report of the run to this file as JSON when the server stops"),
    Setting("connect-timeout", _seconds, "10", "SECONDS", "how long connecting to the upstream may take"),
    Setting("upstream-timeout", _seconds, "60", "SECONDS", "how long an answer of the upstream may take"),
    Setting("sandbox-listen", _address, "127.0.0.1:8766", "HOST:PORT", "where to listen; port 0 takes a free one"),
    Setting("sandbox-ready-file", _path, None, "PATH", "write url, mode and pid to this file as JSON when ready"),
    Setting("sandbox-seed", _whole(0, "number"), "0", "N", "the seed of SIDs, delays and failures"),
    Setting("sandbox-latency", _latency, "0:0", "MIN:MAX", "wait between these seconds before each answer"),
    Setting("sandbox-fail-rate", _rate, "0", "P", "the share of requests that fail with 429, 500 or 503, from 0 to 1"),
    Setting(
        "sandbox-start-time", _time, None, "TIME", "when its clock begins, as 2026-01-01T00:00:00Z; now by default"
    ),
)
"""Everything that can be set."""
