"""What is said of a test by its place, by its mark and by the command line: its cassette, session, mode, settings."""

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from chatproxy.cassettes.names import is_file, plain_name
from chatproxy.config.settings import Settings, load, private
from chatproxy.core.errors import ConfigError
from chatproxy.runs.attempt import RecordMode

MARK = "@pytest.mark.chatproxy"
_OF_SETTINGS = ("clock", "ignore")
_NAMES = {"cassette", "mode", *_OF_SETTINGS}


def merged(marks: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]) -> Mapping[str, Any]:
    """Return what the marks of a test say, the nearest first; each is its arguments without names and those with."""
    said: dict[str, Any] = {}
    for args, kwargs in marks:
        if args:
            raise ConfigError(f"{MARK} takes names", f"chatproxy(cassette={args[0]!r})")
        said = {**kwargs, **said}
    return said


def cassette_of(marked: Mapping[str, Any], place: Path, test: str, root: Path) -> str:
    """Return the cassette of a test: a name or a file below the root, as its mark says, else a file of its own.

    ``place`` is the test's file, ``test`` its name with its classes before it.
    """
    given = marked.get("cassette")
    if given is None:
        return default_cassette(_parts(place, root), test)
    if not isinstance(given, str | os.PathLike) or not os.fspath(given):
        raise ConfigError(f"{MARK}: cassette", f"{given!r} is no name and no file; a test has one cassette")
    named = os.fspath(given)
    if is_file(named) and not _is_below(root, named):
        raise ConfigError(f"{MARK}: cassette", f"{named} is not below the project's root, {root}")
    return named


def _is_below(root: Path, file: str) -> bool:
    """Tell whether a path leads to somewhere below a folder; links that lie there may lead elsewhere."""
    place = Path(os.path.normpath(root / file))
    return any(place.is_relative_to(one) for one in (root, root.resolve()))


def default_cassette(parts: tuple[str, ...], test: str) -> str:
    """Return the file of a test that names none, below the project's root; ``parts`` are those of its file's path."""
    return "/".join(("cassettes", *map(plain_name, parts), f"{plain_name(_flat(test))}.json"))


def session_name(place: Path, test: str, root: Path) -> str:
    """Return the name of a test's session."""
    return plain_name(".".join((*_parts(place, root), _flat(test))))


def _parts(place: Path, root: Path) -> tuple[str, ...]:
    """Return the folders and the name of a test's file; its module's name depends on how it is imported."""
    path = Path(os.path.relpath(place, root)).with_suffix("")
    return tuple(part for part in path.parts if part != os.pardir)


def _flat(test: str) -> str:
    """Return a test's name with its parameters, ``test_x[1-a]``, as ``test_x-1-a``."""
    return test.removesuffix("]").replace("[", "-", 1)


def settings_of(marked: Mapping[str, Any], root: Path) -> Settings:
    """Return the settings of a test: its mark over the environment over the file at the root."""
    if unknown := marked.keys() - _NAMES:
        raise ConfigError(f"{MARK}: {min(unknown)}", f"is not known; it takes {', '.join(sorted(_NAMES))}")
    flags = {name: marked[name] for name in _OF_SETTINGS if name in marked}
    try:
        settings = load(flags, os.environ, root)
    except ConfigError as error:
        name = error.source.removeprefix("--")
        raise ConfigError(f"{MARK}: {name}" if name in flags else error.source, error.reason) from error
    store = root / settings.store
    return replace(private(settings), store=store, report=None, append=False, replace=True)


def record_mode(marked: Mapping[str, Any], given: str) -> RecordMode:
    """Return what a test does with its cassette: what its mark says, else what the command line says."""
    word = marked.get("mode", given)
    try:
        return RecordMode(word)
    except ValueError as error:
        words = ", ".join(RecordMode)
        raise ConfigError(f"{MARK}: mode", f"{word!r} is none of {words}") from error


def recording(word: RecordMode, marked: Mapping[str, Any], test: str, flag: str) -> str:
    """Return what records a test in this way: a command, unless its mark decides; ``test`` is as pytest takes it."""
    if "mode" in marked:
        return f"mode={word.value!r} in its {MARK}"
    return f"pytest {flag}={word} {shlex.quote(test)}"
