from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatproxy.config import SETTINGS, Address, Settings, load
from chatproxy.core.errors import ConfigError


def test_the_table_and_the_settings_have_the_same_names() -> None:
    assert [setting.name.replace("-", "_") for setting in SETTINGS] == [field.name for field in fields(Settings)]


def test_every_default_is_readable(tmp_path: Path) -> None:
    settings = load({}, {}, tmp_path)
    assert settings.listen == Address("127.0.0.1", 8765)
    assert settings.sandbox_listen == Address("127.0.0.1", 8766)
    assert settings.store == Path(".chatproxy")
    assert settings.upstream_ca is None
    assert settings.match_headers == ()


def test_a_flag_goes_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    environ = {"CHATPROXY_MAX_BODY": "2", "CHATPROXY_MAX_HEADER": "2000"}
    (tmp_path / "chatproxy.toml").write_text("max-body = 3\nmax-header = 3000\nmax-connections = 30\n")
    settings = load({"max-body": "1"}, environ, tmp_path)
    assert (settings.max_body, settings.max_header, settings.max_connections) == (1, 2000, 30)
    assert settings.client_timeout == 60


def test_the_file_may_be_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.chatproxy]\nmatch_headers = ["X-A", "X-B"]\n')
    assert load({}, {}, tmp_path).match_headers == ("X-A", "X-B")


def test_chatproxy_toml_goes_over_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.chatproxy]\nmax-body = 1\n")
    (tmp_path / "chatproxy.toml").write_text("max-body = 2\n")
    assert load({}, {}, tmp_path).max_body == 2


def test_a_pyproject_of_others_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nmax-body = 1\n")
    assert load({}, {}, tmp_path).max_body == 16777216


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("listen", ":0", Address("", 0)),
        ("listen", "[::1]:80", Address("::1", 80)),
        ("upstream", "HTTPS://Chat.Twilio.com/", "https://chat.twilio.com"),
        ("upstream", "http://[::1]:8766", "http://[::1]:8766"),
        ("urls", "keep", "keep"),
        ("clock", "now", "now"),
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
        ("upstream", "https://chat.twilio.com/v1", "is no origin"),
        ("upstream", "https://user:pass@chat.twilio.com", "is no origin"),
        ("urls", "drop", "is none of rewrite, keep"),
        ("append", "perhaps", "is neither true nor false"),
        ("clock", "later", "is neither now nor recorded, nor a time"),
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


def test_the_source_may_be_the_environment_or_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, {"CHATPROXY_MAX_BODY": "x"}, tmp_path)
    assert caught.value.source == "CHATPROXY_MAX_BODY"
    (tmp_path / "chatproxy.toml").write_text("max-body = []")
    with pytest.raises(ConfigError) as caught:
        load({}, {}, tmp_path)
    assert caught.value.source == "chatproxy.toml: max-body"


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text("maxbody = 1")
    with pytest.raises(ConfigError, match=r"chatproxy\.toml: maxbody: is no setting"):
        load({}, {}, tmp_path)


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text("max-body = = 1")
    with pytest.raises(ConfigError, match=r"chatproxy\.toml: cannot be read"):
        load({}, {}, tmp_path)


A, B, OTHER = "CH" + "a" * 32, "CH" + "b" * 32, "IM" + "c" * 32


@pytest.mark.parametrize("name", ["keep", "bind"])
@pytest.mark.parametrize(
    "raw", ["CHx", f"{A}={OTHER}", [1], 7, f"{A}={B},{A}={A}", f"{A}={A},{B}={A}", {A: 1}, f"{A}={B}=", ["x"]]
)
def test_what_is_no_sid_and_no_pair_of_sids_is_refused(name: str, raw: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"--{name}"):
        load({name: raw}, {}, tmp_path)


def test_sids_to_keep_and_to_bind_are_read_from_flags_and_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text(f'keep = ["IM", "{A}"]\nbind = {{ {A} = "{B}" }}\n')
    for settings in (load({}, {}, tmp_path), load({"keep": f"IM,{A}", "bind": f"{A}={B}"}, {}, tmp_path / "none")):
        assert settings.keep == {"IM", A}
        assert settings.bind == {A: B}
