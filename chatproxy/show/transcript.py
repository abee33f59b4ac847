"""An exchange as text that shows its meaning line by line, for a person and for line-based tools such as git.

It has neither moments nor header fields. Equal exchanges have equal texts, and every line is printable.
"""

import json
from collections.abc import Iterator

from chatproxy.core.http.forms import pairs
from chatproxy.core.http.headers import is_form
from chatproxy.core.http.multipart import read_multipart
from chatproxy.core.model import Exchange, Request
from chatproxy.core.text.excerpts import legible, printable
from chatproxy.core.text.json_text import canonical


def transcript(exchange: Exchange) -> str:
    """Return the block of an exchange: its number, its request with a parameter a line, status, and body."""
    response = exchange.response
    reason = printable(_text(response.reason))
    lines = [
        f"# {exchange.number}",
        exchange.request.line,
        *_sent(exchange.request),
        f"{response.status} {reason}".rstrip(),
        *_body(response.body),
    ]
    return "\n".join(lines)


def _sent(request: Request) -> Iterator[str]:
    if form := read_multipart(request.headers, request.body):
        for part in form.parts:
            yield f"  {_value(part.name)} = {_value(part.content)}"
            yield from (f"  {_value(part.name)}; {_value(one)} = {_value(value)}" for one, value in part.attributes)
    elif not is_form(request.headers):
        yield from _body(request.body)
    elif request.body:
        for name, value in pairs(request.body):
            yield f"  {_value(name)} = {_value(value)}"


def _value(value: bytes) -> str:
    return legible(_text(value))


def _body(body: bytes) -> Iterator[str]:
    is_json = canonical(body) is not None
    shown = json.dumps(json.loads(body), indent=2, ensure_ascii=False) if is_json else _text(body)
    return (f"  {printable(line)}" for line in shown.split("\n") if shown)


def _text(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
