"""The leak gate on files: which credentials are in use, and what a file holds that should not be shared."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from chatproxy.core.credentials.blanking import MINIMUM_LENGTH
from chatproxy.core.errors import CassetteError, LeakError
from chatproxy.core.leaks.gate import Gate, Leak, leaks
from chatproxy.core.twilio.sids import SID_SEGMENT

ADVICE = "keep secrets out by a scrub rule; allow what is none by its id, --allow ID"

_SHOWN = 20


def gate_of(allow: tuple[re.Pattern[bytes], ...], strict: bool, environ: Mapping[str, str]) -> Gate:
    """Return a gate that also knows the credentials of this environment."""
    return Gate(frozenset(_credentials(environ)), allow, strict)


def _credentials(environ: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the values of TWILIO_AUTH_TOKEN, TWILIO_API_SECRET and the like; SIDs are no secrets."""
    for name, value in environ.items():
        credential = value.strip().encode("utf-8", "surrogateescape")
        if _NAME.match(name) and len(credential) >= MINIMUM_LENGTH and not SID_SEGMENT.fullmatch(credential):
            yield credential


_NAME = re.compile("TWILIO_.*(?:TOKEN|SECRET|PASSWORD)", re.IGNORECASE)


def leaks_of(path: Path, gate: Gate) -> Iterator[Leak]:
    """Yield what a file holds that should not be shared; raises CassetteError for one that cannot be read."""
    try:
        with path.open("rb") as file:
            yield from leaks(file, gate, lambda: _lines(path))
    except (OSError, ValueError) as error:  # a name with NUL is a ValueError
        raise CassetteError(str(path), f"cannot be read: {getattr(error, 'strerror', error)}") from error


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def refuse_leaks(path: Path, shown: Path, gate: Gate) -> None:
    """Raise LeakError if a file that is about to become ``shown`` holds what should not be shared."""
    found = leaks_of(path, gate)
    lines = [f"{shown}:{leak}" for leak in islice(found, _SHOWN)]
    more = sum(1 for _ in found)
    if lines:
        summary = f"{shown}: is not written, for {findings(len(lines) + more)}; {ADVICE}"
        raise LeakError(summary, [*lines, f"and {more} more"] if more else lines)


def findings(count: int) -> str:
    """Say how many findings."""
    return f"{count} finding" if count == 1 else f"{count} findings"
