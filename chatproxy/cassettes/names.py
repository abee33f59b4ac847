"""Cassettes as a user names them: a NAME in the store, a FILE that is a fixture, or a folder of such."""

import os
import re
from collections.abc import Iterable
from contextlib import ExitStack, closing
from hashlib import blake2b
from pathlib import Path

from chatproxy.core.errors import CassetteError
from chatproxy.store import Store
from chatproxy.store.folder import DATA


def is_file(argument: str) -> bool:
    """Tell whether an argument means a FILE: it ends in .json or has a slash; else it is a NAME."""
    return argument.endswith(".json") or "/" in argument


def files_of(arguments: Iterable[str]) -> list[str]:
    """Return the files that arguments mean, in their order: a folder stands for what ends in .json below it.

    What is hidden there is left out. Raises CassetteError for a folder that cannot be read whole, or without a file.
    """
    return [file for argument in arguments for file in (_below(argument) if os.path.isdir(argument) else [argument])]


def _below(top: str) -> list[str]:
    found = []
    try:
        for folder, folders, files in os.walk(top, onerror=_raise):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [os.path.join(folder, file) for file in files if file.endswith(".json") and file[0] != "."]
    except OSError as error:
        raise CassetteError(str(error.filename), f"cannot be read: {error.strerror}") from error
    if not found:
        raise CassetteError(top, "is a folder without a file that ends in .json")
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error


def fixture_path(name: str) -> Path:
    """Return where the fixture of a cassette lies unless one says otherwise."""
    return Path(_CASSETTES, f"{name}.json")


def fixture_name(path: Path) -> str:
    """Return the name of the cassette in a new fixture: what follows ``cassettes/`` in its path, or its file's name."""
    parts = path.with_suffix("").parts
    folders = parts[:-1][::-1]
    depth = folders.index(_CASSETTES) if _CASSETTES in folders else 0
    return plain_name(".".join(parts[len(parts) - depth - 1 :]))


def plain_name(text: str) -> str:
    """Return a text as a cassette's name, in which what no name can have is replaced; other texts get other names."""
    name = re.sub("[^A-Za-z0-9._-]+", "-", text).lstrip("._-")
    if name == text and len(name) <= _LONGEST_NAME:
        return name
    mark = blake2b(text.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    return f"{name[: _LONGEST_NAME - len(mark) - 1]}-{mark}".lstrip("-")


_CASSETTES = "cassettes"
_LONGEST_NAME = 90


def open_store(folder: Path, name: str) -> Store:
    """Open the store that has this cassette; raises CassetteError where there is none, and makes none."""
    if has_store(folder):
        with ExitStack() as undo:
            store = undo.enter_context(closing(Store(folder)))
            if store.find(name) is not None:
                undo.pop_all()
                return store
    path = fixture_path(name)
    if os.path.isfile(path):  # unlike Path.is_file for any text
        raise CassetteError(
            name,
            f"is not in the store {folder}, but {path} is there: "
            f"`chatproxy replay {path}` replays it, `chatproxy import {path}` puts it into the store",
        )
    raise CassetteError(name, f"there is no such cassette in {folder}; `chatproxy list` shows what is")


def has_store(folder: Path) -> bool:
    """Tell whether a store stands in a folder; raises CassetteError where that cannot be told."""
    try:
        os.stat(folder / DATA)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise CassetteError(str(folder), f"cannot be opened: {error.strerror}; {_OTHER}") from error
    return True


_OTHER = "give another --store, or its permissions"
