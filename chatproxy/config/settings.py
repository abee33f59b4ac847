"""Settings: a flag over an environment variable over the configuration file over a default, checked once.

One table says what can be set; the command line, the environment (``CHATPROXY_…``), the file (``chatproxy.toml``,
or ``[tool.chatproxy]`` in ``pyproject.toml``) and the documentation all follow from it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from chatproxy.config import addresses, values
from chatproxy.config import scrub_rules as rules
from chatproxy.config.addresses import Listener, ProxyAddress
from chatproxy.config.setting import Setting
from chatproxy.config.sources import check_environment, in_folder
from chatproxy.config.values import FREE
from chatproxy.core.errors import ConfigError
from chatproxy.core.products.every import TWILIO_ORIGIN
from chatproxy.core.scrubbing.rules import ScrubRule


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set, checked; what each is for stands in the table ``SETTINGS``."""

    listen: Listener
    allow_host: frozenset[str]
    public_url: str | None
    control_token: str | None
    control_token_file: Path | None
    store: Path
    upstream: str
    upstream_ca: Path | None
    upstream_proxy: ProxyAddress | None
    urls: str
    clock: str | datetime
    sids: str
    seed: int
    keep: frozenset[str]
    bind: dict[str, str]
    match_headers: tuple[str, ...]
    ignore: frozenset[tuple[str, str]]
    scrub: tuple[ScrubRule, ...]
    salt: str | None
    append: bool
    replace: bool
    allow: tuple[re.Pattern[bytes], ...]
    strict: bool
    ready_file: Path | None
    max_body: int
    max_header: int
    max_connections: int
    client_timeout: float
    sessions: str
    max_sessions: int
    on_exhausted: str
    skipped: str
    session_idle: float
    journal: int
    report: Path | None
    mode: str
    intercept: bool
    others: str | frozenset[str] | None
    junit: Path | None
    fail_on_unused: bool
    allow_idle: bool
    fail_on: str
    format: str
    connect_timeout: float
    upstream_timeout: float
    sandbox_listen: Listener
    sandbox_ready_file: Path | None
    sandbox_seed: int
    sandbox_latency: tuple[float, float]
    sandbox_fail_rate: float
    sandbox_start_time: datetime | None


def load(flags: Mapping[str, object], environ: Mapping[str, str], folder: Path) -> Settings:
    """Return the settings that hold, by flags given, environment, and the file in this folder.

    ``flags`` maps names of settings to values as typed, in a tuple where a flag may be repeated. Raises
    ConfigError for whatever is wrong, naming it.
    """
    check_environment(environ, [setting.variable for setting in SETTINGS])
    file, in_file = in_folder(folder, [setting.name for setting in SETTINGS])
    found, sources = {}, {}
    for setting in SETTINGS:
        if setting.name in flags:
            source, raw = setting.flag, flags[setting.name]
        elif setting.variable in environ:
            source, raw = setting.variable, environ[setting.variable]
        elif setting.name in in_file:
            source, raw = f"{file}: {setting.name}", in_file[setting.name]
        else:
            source, raw = setting.flag, setting.default
        found[setting.name.replace("-", "_")] = setting.value(source, raw)
        sources[setting.name] = source
    settings = Settings(**found)
    if settings.salt is None and (rule := rules.unsalted(settings.scrub)) is not None:
        raise ConfigError(sources["scrub"], f"rule {rule}: a pseudonym needs a salt; set CHATPROXY_SALT to a secret")
    return settings


def private(settings: Settings) -> Settings:
    """Return the settings of a server for one program, at an address that is known to that alone."""
    return replace(settings, listen=FREE, public_url=None, control_token=None, control_token_file=None)


_LISTEN = "where to listen; port 0 takes a free one"

SETTINGS = (
    Setting("listen", addresses.listener, "127.0.0.1:8765", "HOST:PORT|unix:PATH", _LISTEN),
    Setting("allow-host", values.hosts, "", "HOSTS", "names by which clients may call the server, separated by commas"),
    Setting(
        "public-url",
        values.origin,
        None,
        "ORIGIN",
        "the address by which clients reach this server, as https://HOST, for URLs in answers",
    ),
    Setting(
        "control-token",
        values.control_token,
        None,
        "TOKEN",
        "the token that the control API demands; made anew if not given, off the loopback",
    ),
    Setting("control-token-file", values.path, None, "FILE", "read the token that the control API demands from here"),
    Setting("store", values.path, ".chatproxy", "FOLDER", "the folder of the store"),
    Setting("upstream", values.origin, TWILIO_ORIGIN, "ORIGIN", "the real server, which recording asks"),
    Setting(
        "upstream-ca", values.path, None, "FILE", "trust the certificate authorities in this PEM file for the upstream"
    ),
    Setting(
        "upstream-proxy",
        addresses.proxy_address,
        None,
        "URL",
        "ask the upstream through this proxy, as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT",
    ),
    Setting(
        "urls",
        values.choice("rewrite", "keep"),
        "rewrite",
        "rewrite|keep",
        "turn the upstream's URLs in answers to the address that the client used, or keep them",
    ),
    Setting(
        "clock",
        values.clock,
        "now",
        "now|shift|recorded|TIME",
        "serve times as of now, recorded ones moved as a whole, as recorded, or by a clock that stands at TIME",
    ),
    Setting(
        "sids",
        values.choice("fresh", "recorded"),
        "fresh",
        "fresh|recorded",
        "serve SIDs that are this replay's own, or those recorded",
    ),
    Setting("seed", values.whole(0, "number"), "0", "N", "the seed of fresh SIDs"),
    Setting("keep", values.kept, "", "SIDS", "SIDs, or types of SIDs as IM, to serve as recorded, separated by commas"),
    Setting(
        "bind", values.bound, "", "LIVE=RECORDED", "which SID of the client stands for which one, separated by commas"
    ),
    Setting(
        "match-headers", values.header_names, "", "NAMES", "request headers that count in a match, separated by commas"
    ),
    Setting("ignore", values.ignored, "", "NAMES", "parameters that do not count in a match, separated by commas"),
    Setting("scrub", rules.scrub, "", "JSON", "rules of what is left out of a recording or replaced, as JSON"),
    Setting("salt", rules.salt, None, "SECRET", "the secret that pseudonyms are made with, 16 characters or more"),
    Setting("append", values.switch, "false", "", "add to the cassette if it exists"),
    Setting("replace", values.switch, "false", "", "replace the cassette if it exists, once the new one is whole"),
    Setting(
        "allow",
        values.allowed,
        "",
        "IDS",
        "what is no leak: ids as shown, or regular expressions of whole texts, separated by commas",
    ),
    Setting("strict", values.switch, "false", "", "take addresses and numbers that users wrote for leaks too"),
    Setting("ready-file", values.path, None, "PATH", "write url, mode, pid, any token to this file as JSON when ready"),
    Setting(
        "max-body", values.whole(1, "number of bytes"), "16777216", "BYTES", "the largest body of a request or answer"
    ),
    Setting("max-header", values.whole(256, "number of bytes"), "32768", "BYTES", "the longest request line or header"),
    Setting("max-connections", values.whole(1, "number"), "1000", "N", "how many connections clients may have at once"),
    Setting("client-timeout", values.seconds, "60", "SECONDS", "how long a request's body may take to come"),
    Setting(
        "sessions",
        values.choice("user", "one"),
        "user",
        "user|one",
        "choose a session also by an account's SID as user name, or by the header x-chatproxy-session only",
    ),
    Setting("max-sessions", values.whole(1, "number"), "10000", "N", "how many sessions are kept at once"),
    Setting(
        "on-exhausted",
        values.choice("miss", "restart"),
        "miss",
        "miss|restart",
        "miss a request that only a session begun anew could answer, or begin it anew",
    ),
    Setting("skipped", values.choice("miss", "done"), "miss", "miss|done", "miss, or serve, what shows skipped writes"),
    Setting("session-idle", values.seconds, "3600", "SECONDS", "how long a session is kept without a request"),
    Setting("journal", values.whole(0, "number"), "1000", "N", "how many of the last requests the journal holds"),
    Setting(
        "report", values.path, None, "FILE", "write a report of the run to this file as JSON when the server stops"
    ),
    Setting(
        "mode",
        values.choice("replay", "record", "auto"),
        "replay",
        "replay|record|auto",
        "what to do with the cassette: replay it, record it, or replay it and record what is missing",
    ),
    Setting(
        "intercept",
        values.switch,
        "false",
        "",
        "let the command use a forward proxy in place of CHATPROXY_URL, so that it needs no change",
    ),
    Setting(
        "others",
        values.others,
        None,
        "refuse|pass|HOSTS",
        "what else than the service an intercepted command may reach through the proxy, separated by commas",
    ),
    Setting("junit", values.path, None, "FILE", "write what came of the run to this file as JUnit XML"),
    Setting("fail-on-unused", values.switch, "false", "", "fail with exit status 4 if an exchange was never served"),
    Setting("allow-idle", values.switch, "false", "", "take a replay to which no request came for a success"),
    Setting(
        "fail-on",
        values.choice("high", "low"),
        "high",
        "high|low",
        "fail with exit status 5 for findings from this severity on: high, or low, which is other values",
    ),
    Setting(
        "format",
        values.choice("text", "json", "junit"),
        "text",
        "text|json|junit",
        "how what was found is printed: for people, for programs, for CI",
    ),
    Setting("connect-timeout", values.seconds, "10", "SECONDS", "how long connecting to the upstream may take"),
    Setting("upstream-timeout", values.seconds, "60", "SECONDS", "how long an answer of the upstream may take"),
    Setting("sandbox-listen", addresses.listener, "127.0.0.1:8766", "HOST:PORT|unix:PATH", _LISTEN),
    Setting("sandbox-ready-file", values.path, None, "PATH", "write url, mode and pid to this file as JSON when ready"),
    Setting("sandbox-seed", values.whole(0, "number"), "0", "N", "the seed of SIDs, delays and failures"),
    Setting("sandbox-latency", values.latency, "0:0", "MIN:MAX", "wait between these seconds before each answer"),
    Setting(
        "sandbox-fail-rate", values.share, "0", "P", "the share of requests that fail with 429, 500 or 503, from 0 to 1"
    ),
    Setting(
        "sandbox-start-time",
        values.time,
        None,
        "TIME",
        "when its clock begins, as 2026-01-01T00:00:00Z; now by default",
    ),
)
"""Everything that can be set."""
