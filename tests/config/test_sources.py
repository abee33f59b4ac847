from pathlib import Path

import pytest

from chatproxy.config.sources import check_environment, in_folder
from chatproxy.core.errors import ConfigError


def test_a_file_says_what_is_set_and_where(tmp_path: Path) -> None:
    assert in_folder(tmp_path, ["max-body"]) == ("", {})
    (tmp_path / "chatproxy.toml").write_text("max_body = 3")
    assert in_folder(tmp_path, ["max-body"]) == ("chatproxy.toml", {"max-body": 3})


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
        ("CHATPROXY_MAXBODY", "CHATPROXY_MAX_BODY"),
        ("CHATPROXY_UPSTREAMS", "CHATPROXY_UPSTREAM"),
        ("CHATPROXY_", "CHATPROXY_"),
        ("CHATPROXY_upstream", "CHATPROXY_"),
    ],
)
def test_a_variable_of_ours_that_is_no_setting_is_refused(name: str, nearest: str) -> None:
    environ = {"PATH": "x", "CHATPROXY_STORE": "x", "CHATPROXY_URL": "x", "MY_CHATPROXY_X": "x", "CHATPROXYX": "x"}
    variables = ["CHATPROXY_MAX_BODY", "CHATPROXY_UPSTREAM", "CHATPROXY_STORE"]
    check_environment(environ, variables)
    with pytest.raises(ConfigError, match=f"^{name}: is no setting, the nearest is {nearest}"):
        check_environment(environ | {name: "the value"}, variables)
