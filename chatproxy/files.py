"""A file is written whole or not at all: who reads it sees the old one or the new one, whatever happens meanwhile.

The text goes to a temporary file in the same folder, which takes the file's place once all of it is on disk. What
fails before that leaves the old file, and nothing else. Of a symbolic link, the file that it leads to is replaced.
"""

import errno
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from chatproxy.core.errors import CassetteError, ChatproxyError, ConfigError
from chatproxy.core.text.json_text import parsed

Check = Callable[[Path], None]
"""Looks at the temporary file before it takes the file's place; what it raises leaves the old one."""


@contextmanager
def whole_file(
    path: Path,
    *,
    permissions: int | None = None,
    flag: str = "",
    check: Check | None = None,
    make_folder: bool = False,
) -> Iterator[TextIO]:
    """Give a file to write text to, UTF-8 with plain newlines, which is put at the path if the block ends well.

    ``permissions`` are those that the umask leaves, unless given; ``check`` is called with the path of what was
    written before it is put in place. Raises ConfigError if the path comes from a ``flag``, else CassetteError.
    """
    with _errors(path, flag), ExitStack() as undo:
        target = _target(path)
        if make_folder:
            undo.callback(_remove_folders, _make_folders(target.parent))
        beside = target.with_name(_temporary_name(target.name))
        with _new_file(beside, permissions) as file:
            undo.callback(_forget, beside)
            yield file
            file.flush()
            if permissions is not None:
                os.fchmod(file.fileno(), permissions)
            os.fsync(file.fileno())
        if check is not None:
            check(beside)
        os.replace(beside, target)
        undo.pop_all()
        _sync_folder(target.parent)


def write_whole(path: Path, text: str, *, permissions: int | None = None, flag: str = "") -> None:
    """Write a text as ``whole_file`` does."""
    with whole_file(path, permissions=permissions, flag=flag) as file:
        file.write(text)


def write_json(path: Path, content: object, *, flag: str = "") -> None:
    """Write JSON for programs and people to read, as ``whole_file`` does."""
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n", flag=flag)


def read_json(path: Path) -> object:
    """Return what a file of JSON holds, None if it holds anything else; raises CassetteError if it cannot be read."""
    try:
        return parsed(path.read_bytes())
    except OSError as error:
        raise CassetteError(str(path), f"cannot be read: {error.strerror}") from error
    except ValueError:
        return None


def make_way(path: Path | None, *, flag: str) -> None:
    """Remove the file of an earlier run, and refuse at once a place where none can be written."""
    if path is not None:
        write_whole(path, "", flag=flag)
        remove_file(path, flag=flag)


def remove_file(path: Path, *, flag: str = "") -> None:
    """Remove the file at a path, if there is one; of a symbolic link, the file that it leads to."""
    with _errors(path, flag):
        _target(path).unlink(missing_ok=True)


@contextmanager
def _errors(path: Path, flag: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failure(path, flag, error.strerror or str(error)) from error


def _failure(path: Path, flag: str, reason: str) -> ChatproxyError:
    if flag:
        return ConfigError(flag, f"{path} cannot be written: {reason}; the old file, if any, is untouched")
    return CassetteError(str(path), f"cannot be written: {reason}; the old file, if any, is untouched")


def _target(path: Path) -> Path:
    """Return which file to replace: never a link, nor a device or a pipe, which would be gone then."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise OSError(errno.EINVAL, "it is no regular file")
    return target


def _temporary_name(name: str) -> str:
    """Return a name that nobody has, is hidden, begins as the file's, and is no longer than names may be."""
    return f".{os.fsdecode(os.fsencode(name)[:_KEPT])}.{secrets.token_hex(8)}"


_KEPT = 200


def _new_file(path: Path, permissions: int | None) -> TextIO:
    """Make a file that gets its permissions later, if any are given, and is its owner's alone until then."""
    first = 0o666 if permissions is None else 0o600
    return open(path, "x", encoding="utf-8", newline="\n", opener=lambda name, flags: os.open(name, flags, first))


def _forget(beside: Path) -> None:
    with suppress(OSError):
        beside.unlink()


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder if need be, and return those that were made, the innermost first."""
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return made


def _remove_folders(folders: list[Path]) -> None:
    with suppress(OSError):  # somebody else has put something there
        for folder in folders:
            folder.rmdir()


def _sync_folder(folder: Path) -> None:
    """Let the new entry outlast a power cut where the system can; the file is in its place in any case."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
