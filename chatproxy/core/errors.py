"""Every error that chatproxy raises on purpose, one level deep, and Twilio's error JSON.

A status or exit code is written once, on its class. Wrong arguments from code are plain
``TypeError`` and ``ValueError``.
"""

import json
from collections.abc import Sequence


class ChatproxyError(Exception):
    """The base of all of chatproxy's errors; its text is one line for a person to read."""

    status = 500
    exit_code = 1


class ConfigError(ChatproxyError):
    """A setting is wrong: ``source`` is the flag, the variable or the key of the file."""

    exit_code = 2

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class CassetteError(ChatproxyError):
    """A store, a cassette or a fixture cannot be used: ``place`` says where, ``reason`` why and what to do."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class LeakError(ChatproxyError):
    """Texts hold what should not be shared: a summary that says what to do, then one line for each of ``leaks``."""

    exit_code = 5

    def __init__(self, summary: str, leaks: Sequence[str] = ()) -> None:
        super().__init__("\n".join((summary, *leaks)))
        self.leaks = tuple(leaks)


class RequestError(ChatproxyError):
    """The client's request cannot be taken: malformed (400), late (408), too large (413, 431), coded (415)."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class MissError(ChatproxyError):
    """Replay has no recorded answer: ``reason`` says why, and names the nearest recorded request if there is one.

    It ``follows`` from the miss of the request with that line, if from any.

    424 (Failed Dependency, RFC 4918 section 11.4), since a test could take 404 for a deleted message, and
    client libraries repeat a 5xx.
    """

    status = 424

    def __init__(self, request_line: str, reason: str, follows: str | None = None) -> None:
        self.request_line = request_line
        self.reason = reason if follows is None else f"{reason}; follows from the miss of {follows}"
        self.follows = follows
        super().__init__(f"{request_line}: {self.reason}")


class NetworkBlockedError(ChatproxyError):
    """A test reached for another machine, ``host``, where the network is blocked."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host}: is another machine, and --block-network keeps tests from the network")
        self.host = host


class UpstreamError(ChatproxyError):
    """The upstream gave no usable answer: 502, or 504 if it was late."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def error_json(status: int, message: str, code: int | None = None) -> bytes:
    """Return Twilio's error JSON, with its spacing and its order of names.

    With a Twilio error ``code`` it carries the link to that code's page
    (https://www.twilio.com/docs/api/errors); without one ``code`` is the status, which is what
    Twilio's helper libraries put in its place.
    """
    fields: dict[str, object] = {"code": status if code is None else code, "message": message}
    if code is not None:
        fields["more_info"] = f"https://www.twilio.com/docs/errors/{code}"
    fields["status"] = status
    return json.dumps(fields).encode()
