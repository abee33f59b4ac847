from pathlib import Path

import pytest

from chatproxy.config.values import FREE
from chatproxy.core.errors import ConfigError
from chatproxy.core.http.grammar import CASSETTE_NAME
from chatproxy.runs.attempt import RecordMode
from chatproxy.runs.marked import (
    cassette_of,
    default_cassette,
    merged,
    record_mode,
    recording,
    session_name,
    settings_of,
)


def test_a_test_has_a_file_of_its_own() -> None:
    assert default_cassette(("tests", "test_chat"), "test_x") == "cassettes/tests/test_chat/test_x.json"
    assert default_cassette(("test_chat",), "TestIt.test_x[1-a]") == "cassettes/test_chat/TestIt.test_x-1-a.json"
    odd = {
        default_cassette(("test_chat",), f"test_x[{name}]") for name in ("a/b", "a-b", "a b", "ü", "a" * 300, "a" * 301)
    }
    assert len(odd) == 6
    assert all(len(Path(file).name) <= 95 for file in odd)
    assert default_cassette(("ü", "a b"), "test_x") != default_cassette(("ö", "a b"), "test_x")


def test_the_file_and_the_session_are_named_by_the_path_of_the_test(tmp_path: Path) -> None:
    place = tmp_path / "tests" / "chat" / "test_chat.py"
    assert cassette_of({}, place, "test_x", tmp_path) == "cassettes/tests/chat/test_chat/test_x.json"
    assert cassette_of({"cassette": None}, place, "test_x", tmp_path) == "cassettes/tests/chat/test_chat/test_x.json"
    assert session_name(place, "TestIt.test_x[1]", tmp_path) == "tests.chat.test_chat.TestIt.test_x-1"
    assert cassette_of({}, place, "test_x", tmp_path / "other") == "cassettes/tests/chat/test_chat/test_x.json"
    assert CASSETTE_NAME.fullmatch(session_name(tmp_path / f"{'ü' * 80}.py", "ä" * 300, tmp_path))


@pytest.mark.parametrize("given", [["a.json", "b.json"], ("a.json",), {"a.json"}, 3, True, "", b"a.json", {}, []])
def test_a_mark_names_one_cassette(tmp_path: Path, given: object) -> None:
    with pytest.raises(ConfigError, match=r"mark\.chatproxy: cassette: .* is no name and no file; a test has one"):
        cassette_of({"cassette": given}, tmp_path / "test_x.py", "test_x", tmp_path)


@pytest.mark.parametrize("given", ["../x.json", "cassettes/../../x.json", "/elsewhere/x.json", "..//x", "./../x.json"])
def test_a_mark_names_no_file_outside_of_the_root(tmp_path: Path, given: str) -> None:
    for one in (given, Path(given)):
        with pytest.raises(ConfigError, match=r"mark\.chatproxy: cassette: .* is not below the project's root, /"):
            cassette_of({"cassette": one}, tmp_path / "test_x.py", "test_x", tmp_path)


def test_a_mark_names_a_file_below_the_root_or_a_cassette_of_the_store(tmp_path: Path) -> None:
    link = tmp_path.with_name(f"{tmp_path.name}-link")
    link.symlink_to(tmp_path)
    for given in ("talk", "a.json", "a/../b.json", str(tmp_path / "a.json"), Path("deep", "a.json"), Path("a.json")):
        for root in (tmp_path, link):
            assert cassette_of({"cassette": given}, root / "test_x.py", "test_x", root) == str(given)


def test_what_records_a_test_is_a_command_or_its_mark() -> None:
    once = RecordMode.ONCE
    assert recording(once, {}, "test_a.py::test_x", "--record-mode") == "pytest --record-mode=once test_a.py::test_x"
    assert recording(once, {}, "test_a.py::test_x[a b]", "--m") == "pytest --m=once 'test_a.py::test_x[a b]'"
    assert recording(once, {"mode": "none"}, "t", "--m") == "mode='once' in its @pytest.mark.chatproxy"


def test_the_nearest_mark_counts_name_by_name_and_each_has_names() -> None:
    assert merged([]) == {}
    assert merged([((), {"mode": "none"}), ((), {"mode": "all", "clock": "now"})]) == {"mode": "none", "clock": "now"}
    with pytest.raises(ConfigError, match=r"^@pytest\.mark\.chatproxy takes names: chatproxy\(cassette='x\.json'\)$"):
        merged([((), {"mode": "none"}), (("x.json",), {})])


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
