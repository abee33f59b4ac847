from datetime import UTC, datetime
from pathlib import Path

import pytest
from mitm.masters import Master
from mitmproxy.exceptions import OptionsError
from mitmproxy.options import Options
from mitmproxy.optmanager import dump_dicts

from chatproxy.config.settings import SETTINGS
from chatproxy.core.errors import ConfigError
from chatproxy.core.model import Mode
from chatproxy.mitm.options import NAMES, OPTIONS, Choice, choice_of, option_of


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in a folder in which nothing is configured."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def options() -> Options:
    return Master().options


def chosen(options: Options, *given: str) -> Choice:
    """Return what ``--set`` with each of these chooses, on top of a cassette."""
    options.set("chatproxy_cassette=talk", *given)
    return choice_of(options)


def test_every_setting_that_makes_sense_is_offered_and_what_is_secret_is_not() -> None:
    of_the_server = {"listen", "public-url", "max-header", "max-connections", "client-timeout"}
    secret = {"salt", "control-token", "control-token-file", "upstream-proxy"}
    of_commands = {"intercept", "others", "junit", "fail-on-unused", "allow-idle", "fail-on", "format"}
    left_out = {setting.name for setting in SETTINGS} - {setting.name for setting in OPTIONS.values()}
    sandbox = {setting.name for setting in SETTINGS if setting.name.startswith("sandbox-")}
    assert left_out == {"mode"} | secret | of_the_server | of_commands | sandbox
    assert NAMES - OPTIONS.keys() == {"chatproxy_mode", "chatproxy_cassette"}


def test_each_option_is_shown_with_the_help_and_the_default_of_its_setting(options: Options) -> None:
    shown = dump_dicts(options, NAMES)
    assert shown["chatproxy_store"]["help"] == "chatproxy: the folder of the store [default: .chatproxy]"
    assert shown["chatproxy_mode"]["help"] == "chatproxy: record, replay, auto, passthrough [default: replay]"
    assert all(setting.help in shown[option_of(setting)]["help"] for setting in OPTIONS.values())
    assert {option["type"] for option in shown.values()} == {"optional str", "bool"}


def test_nothing_but_a_cassette_need_be_set(options: Options, here: Path) -> None:
    choice = chosen(options)
    assert (choice.mode, choice.cassette) == (Mode.REPLAY, "talk")
    assert (choice.settings.store, choice.settings.clock) == (Path(".chatproxy"), "now")


@pytest.mark.parametrize("mode", ["record", "replay", "auto"])
def test_what_needs_a_cassette_says_so(options: Options, mode: str) -> None:
    options.set(f"chatproxy_mode={mode}")
    with pytest.raises(ConfigError, match=f"^chatproxy_cassette: is not set; {mode} needs a cassette$"):
        choice_of(options)


def test_passthrough_needs_no_cassette(options: Options) -> None:
    options.set("chatproxy_mode=passthrough")
    choice = choice_of(options)
    assert (choice.mode, choice.cassette) == (Mode.PASSTHROUGH, "")


def test_options_are_read_as_flags_are(options: Options) -> None:
    settings = chosen(
        options,
        *("chatproxy_mode=record", "chatproxy_clock=2026-01-01T00:00:00Z", "chatproxy_match_headers=X-A,X-B"),
        *("chatproxy_max_body=5", "chatproxy_append", "chatproxy_strict=false", "chatproxy_report=r.json"),
    ).settings
    assert settings.clock == datetime(2026, 1, 1, tzinfo=UTC)
    assert (settings.match_headers, settings.max_body) == (("X-A", "X-B"), 5)
    assert (settings.append, settings.strict, settings.report) == (True, False, Path("r.json"))


def test_an_option_counts_more_than_the_environment_and_that_more_than_the_file(
    options: Options, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "chatproxy.toml").write_text('seed = 1\nurls = "keep"\nmode = "auto"\nstrict = true\nmax-body = 7')
    monkeypatch.setenv("CHATPROXY_SEED", "2")
    monkeypatch.setenv("CHATPROXY_MAX_BODY", "8")
    choice = chosen(options, "chatproxy_max_body=9")
    settings = choice.settings
    assert (choice.mode, settings.urls, settings.strict) == (Mode.AUTO, "keep", True)
    assert (settings.seed, settings.max_body) == (2, 9)


def test_the_salt_comes_from_the_environment(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATPROXY_SALT", "a secret of this project")
    assert chosen(options).settings.salt == "a secret of this project"


def test_an_option_that_is_set_back_leaves_the_environment_to_count(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATPROXY_SEED", "2")
    assert chosen(options, "chatproxy_seed=5").settings.seed == 5
    assert chosen(options, "chatproxy_seed").settings.seed == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("chatproxy_mode=play", "chatproxy_mode: 'play' is none of record, replay, auto, passthrough"),
        ("chatproxy_clock=yesterday", "chatproxy_clock: 'yesterday' is "),
        ("chatproxy_max_sessions=0", "chatproxy_max_sessions: '0' is no number"),
        ("chatproxy_upstream=chat", "chatproxy_upstream: 'chat' is no origin"),
        ("chatproxy_store=", "chatproxy_store: '' is no path"),
        ("chatproxy_scrub=no", "chatproxy_scrub: is no JSON"),
        ('chatproxy_scrub=[{"field": "from", "pseudonym": true}]', "chatproxy_scrub: rule 1: a pseudonym needs a salt"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_option(options: Options, given: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        chosen(options, given)
    assert str(refused.value).startswith(message)


def test_a_wrong_value_from_elsewhere_is_refused_by_where_it_stands(
    options: Options, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "chatproxy.toml").write_text("seed = 'x'")
    with pytest.raises(ConfigError, match=r"^chatproxy\.toml: seed: "):
        chosen(options)
    monkeypatch.setenv("CHATPROXY_SEED", "-1")
    with pytest.raises(ConfigError, match=r"^CHATPROXY_SEED: "):
        chosen(options, "chatproxy_clock=now")


def test_a_switch_is_on_or_off(options: Options) -> None:
    with pytest.raises(OptionsError, match=r"(?i)boolean must be"):
        options.set("chatproxy_append=maybe")
