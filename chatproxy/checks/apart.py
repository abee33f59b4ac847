"""Checks a cassette against a document in a process of its own, with limits: a document can ask for work without end.

Run as a module it is that process: it reads what is to be checked from its input, and writes what came of it.
"""

import pickle
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from chatproxy.checks.openapi import Asked, asked, check_exchanges
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.errors import ConfigError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.review.findings import Checked
from chatproxy.outside import reason

SECONDS = 20.0
"""How long a document and a few exchanges may take; each exchange adds some."""

_SECONDS_EACH = 0.1
_MEMORY = 2 * 2**30


def check_apart(cassette: Cassette, rules: Rules, path: Path, seconds: float = SECONDS) -> Iterator[Checked]:
    """Yield what ``check_exchanges`` does; raises ConfigError too for a document that takes too long or too much."""
    listed = list(asked(cassette, rules))
    limit = seconds + _SECONDS_EACH * len(listed)
    command = [sys.executable, "-P", "-m", __spec__.name]
    try:
        done = subprocess.run(
            command, check=False, input=pickle.dumps((path, listed)), capture_output=True, timeout=limit
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError("--openapi", f"{path} takes more than {limit:g} s to check; {_HELPS}") from error
    if done.returncode:
        raise ConfigError("--openapi", f"{path} takes too much memory, or too deep a nesting, to check; {_HELPS}")
    result: list[Checked] | tuple[str, str] = pickle.loads(done.stdout)
    if isinstance(result, tuple):
        raise ConfigError(*result)
    yield from result


_HELPS = "take repeated allOf, nested patterns and references in a circle out of a copy of it"


def _check(path: Path, listed: list[Asked]) -> list[Checked] | tuple[str, str]:
    try:
        return list(check_exchanges(listed, path))
    except ConfigError as error:
        return error.source, error.reason
    except Exception as error:  # whatever a document can lead the package to
        return "--openapi", f"{path} cannot be used to check a cassette: {reason(error)}"


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    path, listed = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps(_check(path, listed)))


if __name__ == "__main__":
    _main()
