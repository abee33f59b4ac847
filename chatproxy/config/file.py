"""The configuration file: ``chatproxy.toml``, or ``[tool.chatproxy]`` in ``pyproject.toml``."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chatproxy.core.errors import ConfigError


def given_in(folder: Path, names: Sequence[str]) -> tuple[str, dict[str, object]]:
    """Return the configuration file's name and what is set in it; ``names`` are what can be set."""
    for name, table in (("chatproxy.toml", ()), ("pyproject.toml", ("tool", "chatproxy"))):
        path = folder / name
        if not path.is_file():
            continue
        try:
            content: Any = tomllib.loads(path.read_text("utf-8-sig"))  # some editors begin a file with the mark
        except (ValueError, OSError) as error:
            raise ConfigError(name, f"cannot be read: {error}") from error
        except RecursionError:
            raise ConfigError(name, "cannot be read: it nests too deep") from None
        for step in table:
            content = content.get(step, {}) if isinstance(content, dict) else {}
        if table and not content:
            continue
        return name, _known(name, content, names)
    return "", {}


def _known(file: str, content: dict[str, object], names: Sequence[str]) -> dict[str, object]:
    given = {key.replace("_", "-"): value for key, value in content.items()}
    if unknown := given.keys() - set(names):
        from difflib import get_close_matches  # noqa: PLC0415 - most files are right

        (nearest,) = get_close_matches(min(unknown), names, n=1, cutoff=0)
        reason = f"is no setting, the nearest is {nearest}; `chatproxy COMMAND --help` shows what can be set"
        raise ConfigError(f"{file}: {min(unknown)}", reason)
    return given
