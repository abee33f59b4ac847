from pathlib import Path

import pytest

from chatproxy.config.values import FREE
from chatproxy.core.errors import ConfigError
from chatproxy.core.http.grammar import CASSETTE_NAME
from chatproxy.runs.attempt import RecordMode
from chatproxy.runs.per_test import default_cassette, record_mode, session_name, settings_of


def test_a_test_has_a_file_of_its_own() -> None:
    assert default_cassette("tests.test_chat", "test_x") == "cassettes/tests.test_chat/test_x.json"
    assert default_cassette("test_chat", "TestIt.test_x[1-a]") == "cassettes/test_chat/TestIt.test_x-1-a.json"
    odd = {
        default_cassette("test_chat", f"test_x[{name}]") for name in ("a/b", "a-b", "a b", "ü", "a" * 300, "a" * 301)
    }
    assert len(odd) == 6
    assert all(len(Path(file).name) <= 95 for file in odd)


def test_a_session_is_named_as_its_test() -> None:
    assert session_name("tests.test_chat", "TestIt.test_x[1]") == "tests.test_chat.TestIt.test_x-1"
    assert CASSETTE_NAME.fullmatch(session_name("ü" * 300, "ä" * 300))


def test_a_mark_counts_before_the_command_line() -> None:
    assert record_mode({}, "none") is RecordMode.NONE
    assert record_mode({"mode": "once"}, "none") is RecordMode.ONCE
    with pytest.raises(ConfigError, match="mode: 'x' is none of none, once, new_episodes, all, rewrite"):
        record_mode({"mode": "x"}, "none")


def test_settings_are_those_of_the_project_at_its_root(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text('store = "elsewhere"\nreport = "r.json"\nseed = 3\n')
    settings = settings_of({"clock": "recorded", "ignore": ["Body"], "cassette": "x", "mode": "none"}, tmp_path)
    assert (settings.store, settings.seed, settings.clock) == (tmp_path / "elsewhere", 3, "recorded")
    assert (settings.report, settings.listen) == (None, FREE)
    assert settings.ignore == {("", "Body")}
    with pytest.raises(ConfigError, match=r"^@pytest\.mark\.chatproxy: ignore: 3 is no list"):
        settings_of({"ignore": 3}, tmp_path)
    (tmp_path / "chatproxy.toml").write_text("seed = -1\n")
    with pytest.raises(ConfigError, match=r"^chatproxy\.toml: seed: "):
        settings_of({}, tmp_path)
