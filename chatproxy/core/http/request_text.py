"""One request as HTTP/1.1 text (RFC 9112), as a person writes it down or a tool prints it."""

import re

from chatproxy.core.errors import ConfigError
from chatproxy.core.http.grammar import HOST, TARGET, TOKEN
from chatproxy.core.model import Headers, Request, header_values

_SOURCE = "standard input"
_REQUEST_LINE = re.compile(rb"(\S+) (?:https?://([^/?# ]+))?(/\S*)(?: HTTP/1\.[01])?", re.IGNORECASE)
_FIELD = re.compile(rb"([^:\s]+):[ \t]*(.*?)[ \t]*")
_END = re.compile(rb"\r?\n\r?\n|\r?\n?\Z")


def read_http(text: bytes) -> Request:
    """Return the request of a text, whose lines may end in LF or CR LF.

    The body has the length that ``Content-Length`` says, or else goes to the end of the text, without a last line
    end. Raises ConfigError with the line that is wrong.
    """
    end = _END.search(text)
    begin = end.end() if end else len(text)
    first, *lines = text[: end.start() if end else begin].replace(b"\r\n", b"\n").split(b"\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None or not TOKEN.fullmatch(_text(line[1])) or not TARGET.fullmatch(line[3].decode("latin-1")):
        raise ConfigError(_SOURCE, "line 1 is no request line such as GET /v1/Services HTTP/1.1")
    headers = tuple(_field(number, field) for number, field in enumerate(lines, 2))
    host = _text(line[2] or next(header_values(headers, b"host"), b"127.0.0.1"))
    if not HOST.fullmatch(host):
        raise ConfigError(_SOURCE, f"{host!r} is no host, in the request line or the Host header")
    return Request(_text(line[1]), line[3], headers, _body(text[begin:], headers), origin=f"http://{host}")


def _field(number: int, line: bytes) -> tuple[bytes, bytes]:
    field = _FIELD.fullmatch(line)
    if field is None:
        raise ConfigError(_SOURCE, f"line {number} is no header such as Name: value, nor the empty line before a body")
    return field[1], field[2]


def _body(rest: bytes, headers: Headers) -> bytes:
    given = next(header_values(headers, b"content-length"), None)
    if given is None:
        return rest.removesuffix(b"\n").removesuffix(b"\r")
    if not given.isdigit() or int(given) > len(rest):
        raise ConfigError(_SOURCE, f"the body has {len(rest)} bytes, and Content-Length is {_text(given)}")
    return rest[: int(given)]


def _text(value: bytes) -> str:
    return value.decode("ascii", "backslashreplace")
