from pathlib import Path

import pytest

from chatproxy.config.settings import load
from chatproxy.config.sources import check_environment, in_folder
from chatproxy.core.errors import ConfigError


def test_a_file_says_what_is_set_in_it_and_chatproxy_toml_hides_the_other(tmp_path: Path) -> None:
    assert in_folder(tmp_path, ["max-body"]) == ("", {})
    (tmp_path / "pyproject.toml").write_text("[tool.other]\na = 1\n")
    assert in_folder(tmp_path, ["max-body"]) == ("", {})
    (tmp_path / "pyproject.toml").write_text("[tool.chatproxy]\nmax_body = 1\n")
    assert in_folder(tmp_path, ["max-body"]) == ("pyproject.toml", {"max-body": 1})
    (tmp_path / "chatproxy.toml").write_text("max-body = 2\n")
    assert in_folder(tmp_path, ["max-body"]) == ("chatproxy.toml", {"max-body": 2})


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text("maxbody = 1")
    with pytest.raises(ConfigError, match=r"chatproxy\.toml: maxbody: is no setting, the nearest is max-body;"):
        load({}, {}, tmp_path)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    for name, table in (("pyproject.toml", "[tool.chatproxy]\n"), ("chatproxy.toml", "")):
        (tmp_path / name).write_text(f"\ufeff{table}max-body = 3", "utf-8")
        assert load({}, {}, tmp_path).max_body == 3


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 100_000, "listen = " + "[" * 100_000, "listen = " + "{a = " * 100_000),
        *("seed = " + "9" * 5000, "listen" + ".a" * 3000 + " = 1"),
    ],
    ids=["tables", "arrays", "inline tables", "digits", "key"],
)
def test_a_file_that_nests_too_deep_or_has_too_large_a_number_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "chatproxy.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"^chatproxy\.toml: .*(cannot be read|nests too deep)"):
        load({}, {}, tmp_path)


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text("max-body = = 1")
    with pytest.raises(ConfigError, match=r"chatproxy\.toml: cannot be read"):
        load({}, {}, tmp_path)


def test_what_cannot_be_read_is_named_by_its_place_and_not_by_its_text(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text("seed = 1\nsalt = the-secret-of-a-team")
    with pytest.raises(ConfigError, match=r"^chatproxy\.toml: cannot be read: it is no TOML: line 2, column 8$"):
        in_folder(tmp_path, [])
    (tmp_path / "chatproxy.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"^chatproxy\.toml: cannot be read: it is no UTF-8$"):
        in_folder(tmp_path, [])


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("CHATPROXY_MAXBODY", ", the nearest is CHATPROXY_MAX_BODY;"),
        ("CHATPROXY_UPSTREAMS", ", the nearest is CHATPROXY_UPSTREAM;"),
        ("CHATPROXY_upstream", ", the nearest is CHATPROXY_UPSTREAM;"),
        ("CHATPROXY_", ";"),
        ("CHATPROXY_FOO", ";"),
    ],
)
def test_a_variable_of_ours_that_is_no_setting_is_refused(name: str, nearest: str) -> None:
    environ = {"PATH": "x", "CHATPROXY_STORE": "x", "CHATPROXY_URL": "x", "MY_CHATPROXY_X": "x", "CHATPROXYX": "x"}
    variables = ["CHATPROXY_MAX_BODY", "CHATPROXY_UPSTREAM", "CHATPROXY_STORE"]
    check_environment(environ, variables)
    with pytest.raises(ConfigError, match=f"^{name}: is no setting{nearest}"):
        check_environment(environ | {name: "the value"}, variables)
