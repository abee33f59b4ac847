"""Where settings are given besides the command line; a name there that no setting has is refused."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chatproxy.core.errors import ConfigError
from chatproxy.environment import URL
from chatproxy.outside import reason


def in_folder(folder: Path, names: Sequence[str]) -> tuple[str, dict[str, object]]:
    """Return the configuration file's name and what is set in it; raises ConfigError for another name."""
    for name, table in (("chatproxy.toml", ()), ("pyproject.toml", ("tool", "chatproxy"))):
        path = folder / name
        if not path.is_file():
            continue
        try:
            content: Any = tomllib.loads(path.read_text("utf-8-sig"))  # some editors begin a file with the mark
        except (ValueError, OSError) as error:
            raise ConfigError(name, f"cannot be read: {reason(error)}") from error
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
        raise _unknown(f"{file}: {min(unknown)}", min(unknown), names)
    return given


def check_environment(environ: Mapping[str, str], variables: Sequence[str]) -> None:
    """Raise ConfigError for a variable of ours that is not one of these, except the one that chatproxy itself sets."""
    known = {*variables, URL}
    unknown = [name for name in environ if name.startswith(_PREFIX) and name not in known]
    if unknown:
        raise _unknown(min(unknown), min(unknown), variables)


_PREFIX = "CHATPROXY_"


def _unknown(source: str, name: str, names: Sequence[str]) -> ConfigError:
    """Return the error for a name that nothing has, with the nearest that something has, if one is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - most names are right

    alike = {one.upper().removeprefix(_PREFIX): one for one in names}
    found = get_close_matches(name.upper().removeprefix(_PREFIX), alike, n=1)
    near = "".join(f", the nearest is {alike[one]}" for one in found)
    return ConfigError(source, f"is no setting{near}; `chatproxy COMMAND --help` shows what can be set")
