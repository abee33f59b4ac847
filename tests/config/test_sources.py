from pathlib import Path

import pytest

from chatproxy.config.sources import in_folder
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
