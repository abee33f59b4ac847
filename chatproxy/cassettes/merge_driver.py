"""Merges two versions of a fixture as git asks a merge driver to: by what they mean, and never line by line.

Half of one recording and half of another is no recording. So one side is taken as a whole, where it alone has changed.
"""

from pathlib import Path

from chatproxy.cassettes.transfer import open_document
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.review.comparison import compare
from chatproxy.files import write_whole


def merge(base: Path, ours: Path, theirs: Path, path: str, rules: Rules) -> None:
    """Put the merged fixture in the place of ``ours``; ``path`` is what the file is called in the repository.

    ``base`` is empty where both sides added the file. Raises CassetteError if both sides changed it, or if a file
    cannot be read; ``ours`` stays as it is then.
    """
    one, other = _read(ours, f"{path} (ours)", rules), _read(theirs, f"{path} (theirs)", rules)
    if not _is_empty(base):
        before = _read(base, f"{path} (base)", rules)
        if _means_the_same(before, other, rules):
            return
        if _means_the_same(before, one, rules):
            _replace(ours, theirs)
            return
    if not _means_the_same(one, other, rules):
        raise CassetteError(path, "both sides changed what it means; ours is kept, record it again")


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError as error:
        raise CassetteError(str(path), f"cannot be read: {error.strerror}") from error


def _read(path: Path, shown: str, rules: Rules) -> Cassette:
    with open_document(path, shown) as document:
        return MemoryCassette(document.name, document.exchanges, rules, document.declared, document.variables)


def _means_the_same(one: Cassette, other: Cassette, rules: Rules) -> bool:
    return one.name == other.name and not any(compare(one, other, rules))


def _replace(path: Path, source: Path) -> None:
    """Give a file the content of another, whole or not at all."""
    try:
        text, permissions = source.read_bytes().decode(), path.stat().st_mode & 0o777
    except OSError as error:
        raise CassetteError(str(path), f"cannot be read: {error.strerror}") from error
    write_whole(path, text, permissions=permissions)
