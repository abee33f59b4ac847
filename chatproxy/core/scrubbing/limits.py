"""Where the rules of scrubbing reach nothing, though there may be something: such an exchange is not to be shared."""

import re

from chatproxy.core.http.forms import is_readable, pairs
from chatproxy.core.http.headers import is_form
from chatproxy.core.http.multipart import DISPOSITION, is_multipart, read_multipart
from chatproxy.core.model import Exchange, Headers
from chatproxy.core.scrubbing.parts import as_text
from chatproxy.core.scrubbing.rules import LooksAt, Scrub, ScrubRule
from chatproxy.core.text.excerpts import literal
from chatproxy.core.text.json_text import canonical, has_many_values


def out_of_reach(exchange: Exchange, scrub: Scrub) -> str | None:
    """Say why the rules cannot be applied to a body of an exchange, None if they can."""
    request, response = exchange.request, exchange.response
    sides = (("request", request.headers, request.body), ("answer", response.headers, response.body))
    if not scrub.has_texts:
        return None
    for side, headers, body in sides:
        if (is_form(headers) and not is_readable(body)) or has_many_values(body):
            return f"the body of its {side} has more parameters, escapes or values than are read"
        if body and is_multipart(headers):
            if reason := _of_multipart(headers, body, scrub):
                return f"the body of its {side} {reason}"
        elif side == "request" and body and (rule := _missed(headers, body, scrub)):
            return f"no type says that the body of its request is a form, which the rule for {rule.name!r} needs"
    return None


def _of_multipart(headers: Headers, body: bytes, scrub: Scrub) -> str | None:
    form = read_multipart(headers, body)
    if form is None:
        return "is of a multipart type, and no form whose parts can be read"
    hidden = (part for part in form.parts if part.is_encoded and not any(_rule(name, scrub) for name in part.names))
    if any(rule.looks_at is not LooksAt.PARAMETER for rule in scrub.rules) and (part := next(hidden, None)):
        return f"has the part {literal(part.name)} in a transfer encoding, in which nothing is found"
    return None


def _missed(headers: Headers, body: bytes, scrub: Scrub) -> ScrubRule | None:
    """Return the rule for a parameter that a body holds as a form does, though it has another type, or none."""
    if is_form(headers) or canonical(body) is not None:
        return None
    in_heads = _NAMED.finditer(body) if DISPOSITION in body.lower() else ()
    names = [*(name for name, _ in pairs(body)), *(found[1] for found in in_heads)]
    return next((rule for name in names if (rule := _rule(name, scrub))), None)


def _rule(name: bytes, scrub: Scrub) -> ScrubRule | None:
    return scrub.parameter_rule(as_text(name))


_NAMED = re.compile(rb"\bname=\"?([^\";\r\n]+)", re.IGNORECASE)
"""The name of a part, where a multipart form has no type."""
