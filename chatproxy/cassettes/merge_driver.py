"""Merges two versions of a fixture as git asks a merge driver to: by what they mean, and never line by line.

Half of one recording and half of another is no recording. So one side is taken as a whole, where it alone has changed.
"""

from pathlib import Path

from chatproxy.cassettes.transfer import open_document
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.review.comparison import Difference, compare
from chatproxy.core.text.excerpts import counted
from chatproxy.files import write_whole


def merge(base: Path, ours: Path, theirs: Path, path: str, rules: Rules) -> None:
    """Put the merged fixture in the place of ``ours``; ``path`` is what the file is called in the repository.

    ``base`` is empty where both sides added the file. Raises CassetteError if both sides changed it, or if a file
    cannot be read; ``ours`` stays as it is then.
    """
    one, other = _read(ours, f"{path} (ours)", rules), _read(theirs, f"{path} (theirs)", rules)
    before = None
    if not _is_empty(base):
        before = _read(base, f"{path} (base)", rules)
        if _means_the_same(before, other, rules):
            return
        if _means_the_same(before, one, rules):
            _replace(ours, theirs)
            return
    if not _means_the_same(one, other, rules):
        where = _where(before, one, other, rules)
        raise CassetteError(path, f"both sides changed what it means; ours is kept, record it again{where}")


def _where(before: Cassette | None, one: Cassette, other: Cassette, rules: Rules) -> str:
    """Say what both sides changed, else what each did; nothing where they have other names alone."""
    if before is None:
        found = next(compare(one, other, rules), None)
        return "" if found is None else f": they differ in {_shown(found, 'ours', 'theirs')}"
    ours, theirs = (
        {found.findings[0].endpoint: found for found in reversed(list(compare(before, side, rules)))}
        for side in (one, other)
    )
    both = [endpoint for endpoint in reversed(ours) if endpoint in theirs]
    if both:
        sides = ", ".join((_number(ours[both[0]], "base", "ours"), _number(theirs[both[0]], "base", "theirs")))
        more = f", and {counted(len(both) - 1, 'endpoint')} more" if len(both) > 1 else ""
        return f": both changed {both[0]} ({sides}){more}"
    changed = [
        f"{name} changed {_shown(found, 'base', name)}"
        for name, side in (("ours", ours), ("theirs", theirs))
        for found in [*side.values()][-1:]
    ]
    return f": {', '.join(changed)}" if changed else ""


def _shown(found: Difference, before: str, after: str) -> str:
    return f"{found.findings[0].endpoint} ({_number(found, before, after)})"


def _number(found: Difference, before: str, after: str) -> str:
    """Return which exchange differs, by the side that has it."""
    return f"{before}/{found.a}" if found.b is None else f"{after}/{found.b}"


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
