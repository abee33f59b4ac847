import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatproxy.config.settings import load
from chatproxy.config.values import Address
from chatproxy.core.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("listen", ":0", Address("", 0)),
        ("listen", "[::1]:80", Address("::1", 80)),
        ("upstream", "HTTPS://Chat.Twilio.com/", "https://chat.twilio.com"),
        ("upstream", "http://[::1]:8766", "http://[::1]:8766"),
        ("urls", "keep", "keep"),
        ("clock", "now", "now"),
        ("clock", "shift", "shift"),
        ("clock", "recorded", "recorded"),
        ("clock", "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("match-headers", "X-A, X-B", ("X-A", "X-B")),
        ("ignore", "Body, From", frozenset({("", "Body"), ("", "From")})),
        ("ignore", ["Body"], frozenset({("", "Body")})),
        (
            "ignore",
            {"POST Messages/Sid": ["Body", "From"]},
            frozenset({("POST Messages/Sid", "Body"), ("POST Messages/Sid", "From")}),
        ),
        ("append", "yes", True),
        ("allow", "", ()),
        ("allow", "1a2b3c4d, WT[0-9a-f]{32}", (re.compile(b"1a2b3c4d"), re.compile(b"WT[0-9a-f]{32}"))),
        ("allow", [r"\+49\d{5,9}", "ü"], (re.compile(rb"\+49\d{5,9}"), re.compile("ü".encode()))),
        ("strict", "1", True),
        ("replace", "0", False),
        ("replace", True, True),
        ("client-timeout", "0.5", 0.5),
        ("sessions", "one", "one"),
        ("max-sessions", "1", 1),
        ("session-idle", "0.5", 0.5),
        ("journal", 0, 0),
        ("report", "report.json", Path("report.json")),
        ("sandbox-latency", "0.1:2", (0.1, 2.0)),
        ("sandbox-fail-rate", "1", 1.0),
        ("sandbox-start-time", "2026-01-01T01:00:00+01:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("sandbox-start-time", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_value_is_read(tmp_path: Path, name: str, raw: object, expected: object) -> None:
    assert getattr(load({name: raw}, {}, tmp_path), name.replace("-", "_")) == expected


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("listen", "8765", "is no HOST:PORT"),
        ("listen", "host:65536", "is no HOST:PORT"),
        ("store", "", "is no path"),
        ("store", 5, "is no path"),
        ("upstream", "chat.twilio.com", "is no origin"),
        ("allow-host", "a b:1", "'b:1' is no host without a port"),
        ("allow-host", "[::1]:80", "is no host without a port"),
        ("allow-host", "http://a", "is no host without a port"),
        ("allow-host", 1, "1 is no list of hosts"),
        ("upstream", "https://chat.twilio.com/v1", "is no origin"),
        ("upstream", "https://user:pass@chat.twilio.com", "'https://…@chat.twilio.com' is no origin"),
        ("upstream", "user:p@ss@chat.twilio.com", "'…@chat.twilio.com' is no origin"),
        ("urls", "drop", "is none of rewrite, keep"),
        ("append", "perhaps", "is neither true nor false"),
        ("allow", "a(", "' is no regular expression: missing "),
        ("allow", 3, "is no list of ids and regular expressions"),
        ("strict", "very", "is neither true nor false"),
        ("clock", "later", "is neither now, shift nor recorded, nor a time"),
        ("sessions", "two", "is none of user, one"),
        ("max-sessions", "0", "is no number of at least 1"),
        ("journal", "-1", "is no number of at least 0"),
        ("max-body", "0", "is no number of bytes of at least 1"),
        ("max-body", "1e3", "is no number of bytes"),
        ("max-body", "9" * 5000, "is no number of bytes"),
        ("max-connections", True, "is no number"),
        ("client-timeout", "0", "is no number of seconds"),
        ("client-timeout", "nan", "is no number"),
        ("upstream-timeout", "86401", "of a day at most"),
        ("sandbox-fail-rate", "1.5", "is no share"),
        ("sandbox-latency", "1", "is no MIN:MAX"),
        ("sandbox-latency", "2:1", "is no MIN:MAX"),
        ("sandbox-start-time", "yesterday", "is no time"),
        ("sandbox-start-time", "2026-01-01T00:00:00", "is no time"),
        ("match-headers", "X A, (", "is no header name"),
        ("ignore", {"post": ["Body"]}, "'post' is no route such as POST Messages or POST Messages/Sid"),
        ("ignore", {"POST Messages": 3}, "is no list of parameters"),
        ("ignore", 3, "is no list of parameters"),
        ("match-headers", 3, "is no list of header names"),
        ("match-headers", "Authorization", "carries credentials"),
    ],
)
def test_a_bad_value_is_refused_by_its_source(tmp_path: Path, name: str, raw: object, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        load({name: raw}, {}, tmp_path)
    assert caught.value.source == "--" + name.removeprefix("sandbox-")
    assert "\n" not in str(caught.value)
