"""Where what is installed begins: the command and the pytest plugin, by the name of the distribution.

1. Nothing of chatproxy is imported before a function is called: another distribution, whose package has the name
   chatproxy too, may have put its files in the place of ours, or before them on the path.
2. No other distribution has a module of this name, so who has both installed is told so.
"""

import os
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn


def main() -> None:
    """Run the command; say where another package has the name chatproxy, and exit with 1 if ours cannot be loaded."""
    other = namesake(sys.path)
    cli = _loaded(_cli, other, sys.exit)
    if other is not None:
        from chatproxy.cli.streams import warn  # noqa: PLC0415 - law 1

        warn(other)
    cli.main()


def __getattr__(name: str) -> Any:
    """Return the pytest plugin, which is loaded when it is asked for."""
    if name != "pytest_plugin":
        raise AttributeError(name)
    return _loaded(_pytest_plugin, namesake(sys.path), _refuse)


def namesake(path: list[str], listed: Callable[[str], list[str]] = os.listdir) -> str | None:
    """Return a line about another distribution that has a package chatproxy, and is in a folder of this path."""
    for folder in path:
        try:
            found = next((name for name in listed(folder or ".") if _OTHER.fullmatch(name)), None)
        except OSError:
            continue
        if found is not None:
            return (
                f"chatproxy: {os.path.join(folder, found)} is of another package called chatproxy, with files of the "
                "same names: pip uninstall chatproxy, then install this one again with pip install --force-reinstall"
            )
    return None


_OTHER = re.compile(r"chatproxy-[^-]+(?:-[\w.]+)?\.(?:dist|egg)-info", re.IGNORECASE)


def _cli() -> Any:
    import chatproxy.cli  # noqa: PLC0415 - law 1

    return chatproxy.cli


def _pytest_plugin() -> Any:
    import chatproxy.pytest_plugin  # noqa: PLC0415 - law 1

    return chatproxy.pytest_plugin


def _loaded(load: Callable[[], Any], other: str | None, refuse: Callable[[str], NoReturn]) -> Any:
    try:
        return load()
    except ImportError:
        if other is None:
            raise
    return refuse(other)


def _refuse(line: str) -> NoReturn:
    raise ImportError(line)
