"""Scrubbing: what of a recording may be shared, said in rules that shape a live request in the same way.

The laws:

1. What is scrubbed is a pure function of the exchange and the rules; scrubbing it again changes nothing.
2. A live request is scrubbed as a recorded one is, so both have one key.
3. The first rule that names a header, a member or a parameter decides on it; patterns are searched in all the rest.
4. What no rule touches stays byte for byte.
5. Where patterns could take quadratic time, the texts of one message are searched up to ``MOST_WORK``; those of
   them that are longer than is left go as a whole.

A text that is a JSON object or array counts as one wherever it stands, and in a text that is an URL its path and
parameters count. A multipart form is scrubbed part by part. Content-Type is never touched, since it says how a body is
read.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from json import dumps, loads
from urllib.parse import quote, quote_plus, unquote_to_bytes

from chatproxy.core.http.forms import decoded, is_readable
from chatproxy.core.http.headers import is_form
from chatproxy.core.http.multipart import read_multipart
from chatproxy.core.model import Exchange, Headers, Request, Response
from chatproxy.core.scrubbing.parts import as_bytes, as_text, scrubbed_parts
from chatproxy.core.scrubbing.patterns import patterned, patterned_number
from chatproxy.core.scrubbing.pseudonyms import NUMBER_PSEUDONYM
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule, names_header
from chatproxy.core.text.json_edit import Value, edited, values
from chatproxy.core.text.json_text import has_many_values
from chatproxy.core.twilio.origins import URL
from chatproxy.core.twilio.sids import SID_SEGMENT

Note = Callable[[str, str], None]
"""Is told of each pseudonym, and of the value that it stands for."""

TELLING = (
    "Forwarded",
    "X-Forwarded-*",
    "X-Real-Ip",
    "X-Client-Ip",
    "True-Client-Ip",
    "Cf-Connecting-Ip",
    "Traceparent",
    "Tracestate",
    "Baggage",
    "X-Request-Id",
    "X-Correlation-Id",
    "X-Amzn-Trace-Id",
    "Sentry-Trace",
    "X-B3-*",
    "B3",
    "Uber-Trace-Id",
)
"""Request headers that tell of persons' machines, or differ with each call: they are always dropped."""


@lru_cache(256)  # most requests have the same few names, and the table has many
def is_telling(name: bytes) -> bool:
    """Tell whether request headers of this name are always dropped."""
    return any(names_header(telling, name) for telling in TELLING)


def scrubbed_exchange(exchange: Exchange, scrub: Scrub) -> Exchange:
    """Return what may be shared of an exchange."""
    request = scrubbed_request(exchange.request, scrub)
    if not scrub:
        return exchange if request is exchange.request else replace(exchange, request=request)
    return replace(exchange, request=request, response=_scrubbed_response(exchange.response, scrub))


def scrubbed_request(request: Request, scrub: Scrub, note: Note = lambda pseudonym, value: None) -> Request:
    """Return what may be shared of a request; ``note`` is told which pseudonym stands for which value."""
    headers = tuple(header for header in request.headers if not is_telling(header[0]))
    if not scrub:
        return request if headers == request.headers else replace(request, headers=headers)
    scrubber = _Scrubber(scrub, note)
    return replace(
        request,
        target=scrubber.target(request.target),
        headers=scrubber.headers(headers),
        body=scrubber.body(request.headers, request.body),
    )


def scrubbed_target(target: bytes, scrub: Scrub) -> bytes:
    """Return what may be shown of a request's target."""
    return _Scrubber(scrub).target(target) if scrub else target


def unsettled(rules: Sequence[ScrubRule]) -> ScrubRule | None:
    """Return the first pattern whose replacement the rules would change again, if there is one."""
    scrubber = _Scrubber(Scrub(tuple(rules)))
    replacing = [rule for rule in rules if rule.looks_at is LooksAt.PATTERN and rule.action is Action.REPLACE]
    return next((rule for rule in replacing if scrubber.once(rule.text) != rule.text), None)


def _scrubbed_response(response: Response, scrub: Scrub) -> Response:
    scrubber = _Scrubber(scrub)
    headers, body = scrubber.headers(response.headers), scrubber.body(response.headers, response.body)
    return replace(response, headers=headers, body=body)


_DEEPEST = 4
"""How deep texts within texts are looked into as JSON or URLs; beyond that they are plain texts."""

_PASSES = 8
"""How often the patterns are searched in what they have left before it counts as never coming to rest."""

MOST_WORK = 2**28
"""The squares of the lengths of all texts that are searched: that of one of 16,384 characters, half a second."""

_JSON_STARTS = frozenset({b"{", b"[", b" ", b"\t", b"\r", b"\n"})
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


class _Scrubber:
    def __init__(self, scrub: Scrub, note: Note = lambda pseudonym, value: None) -> None:
        self._scrub = scrub
        self._note = note
        self._left = MOST_WORK

    def headers(self, headers: Headers) -> Headers:
        kept = []
        for name, value in headers:
            new = value if name.lower() == b"content-type" else self.header(name, value)
            if new is not None:
                kept.append((name, new))
        return tuple(kept)

    def target(self, target: bytes, depth: int = 0) -> bytes:
        """Scrub a path and its query; the sign between goes with the last parameter."""
        if not self._scrub.has_texts:
            return target
        path, sign, query = target.partition(b"?")
        if self._scrub.patterns:
            path = b"/".join(self._segment(segment, depth) for segment in path.split(b"/"))
        new = self._pairs(query, depth)
        return path if query and not new else path + sign + new

    def body(self, headers: Headers, body: bytes) -> bytes:
        if not self._scrub.has_texts or not body:
            return body
        if is_form(headers) and is_readable(body):
            return self._pairs(body)
        if form := read_multipart(headers, body):
            new = scrubbed_parts(form, self)
            return body if new == form else new.written()
        return as_bytes(self.text(as_text(body), is_body=True))

    def text(self, text: str, depth: int = 0, *, is_body: bool = False) -> str:
        """Scrub a text until it stays as it is; one that never does is replaced as a whole."""
        new = text
        for _ in range(_PASSES):
            before, new = new, self.once(new, depth, is_body=is_body)
            if new == before:
                return new
        return self._last_resort(text)

    def once(self, text: str, depth: int = 0, *, is_body: bool = False) -> str:
        """Scrub a text in one pass; one that is no UTF-8 is neither JSON nor an URL."""
        written = _utf8(text) if depth < _DEEPEST else b""
        if has_many_values(written):
            written = b""
        if written[:1] in _JSON_STARTS and (found := values(written)) and written[found[0].start] in b"{[":
            edits = self._edits(written, found, depth, is_body=is_body)
            return edited(written, dict(edits)).decode()
        if written.startswith(b"http") and (url := URL.fullmatch(written)):
            text = (url[1] + self.target(url[2], depth + 1)).decode()
        return patterned(text, self._scrub, self._put) if self._is_short(text) else self._last_resort(text)

    def _is_short(self, text: str) -> bool:
        """Count the work of a search, and tell whether it is little enough."""
        work = self._scrub.unbounded * len(text) ** 2
        is_short = work <= self._left
        self._left -= work if is_short else 0
        return is_short

    def _last_resort(self, text: str) -> str:
        """Return what stands for a text in which the patterns always find something again, or for too long a one.

        It stays as it is: replacements were checked for that, and pseudonyms do.
        """
        replacing = [rule for rule in self._scrub.patterns if rule.action is Action.REPLACE]
        return self._put((replacing or self._scrub.patterns)[-1], text)

    def rule(self, name: bytes) -> ScrubRule | None:
        """Return the rule for parameters of this decoded name."""
        return self._scrub.parameter_rule(as_text(name))

    def header(self, name: bytes, value: bytes) -> bytes | None:
        text = as_text(value)
        rule = self._scrub.header_rule(name)
        new = self.text(text) if rule is None else self.act(rule, text)
        return None if new is None else as_bytes(new)

    def _segment(self, segment: bytes, depth: int) -> bytes:
        text = as_text(unquote_to_bytes(segment))
        new = text if SID_SEGMENT.fullmatch(segment) else self.text(text, depth + 1)
        return segment if new == text else quote(as_bytes(new), safe="").encode()

    def _pairs(self, text: bytes, depth: int = 0) -> bytes:
        """Scrub a form or a query."""
        kept = (self._pair(pair, depth) for pair in text.split(b"&"))
        return b"&".join(pair for pair in kept if pair is not None)

    def _pair(self, pair: bytes, depth: int) -> bytes | None:
        name, equals, value = pair.partition(b"=")
        rule = self.rule(decoded(name)) if pair else None
        if not equals:  # without a value there is nothing to replace
            return None if rule and rule.action is Action.DROP else pair
        text = as_text(decoded(value))
        new = self.text(text, depth) if rule is None else self.act(rule, text)
        if new is None:
            return None
        return pair if new == text else name + equals + quote_plus(as_bytes(new)).encode()

    def _edits(
        self, text: bytes, found: Iterable[Value], depth: int, *, is_body: bool
    ) -> Iterator[tuple[Value, bytes | None]]:
        for value in found:
            rule = self._scrub.field_rule(value, is_of_body=is_body)
            if rule is not None:
                yield value, self._act_on_json(rule, value, text[value.start : value.end])
            elif text[value.start] in b'"-0123456789':
                yield value, self._leaf(text[value.start : value.end], depth)

    def _leaf(self, raw: bytes, depth: int) -> bytes:
        """Search the patterns in a JSON string or number that no rule names."""
        if raw[:1] == b'"':
            text = loads(raw)
            new = self.text(text, depth + 1)
            return raw if new == text else _json_string(new, raw)
        if NUMBER_PSEUDONYM.fullmatch(raw):
            return raw
        if not self._is_short(number := raw.decode()):
            return _json_string(self._last_resort(number), raw)
        left = patterned_number(number, self._scrub, self._number_pseudonym)
        return left.encode() if _NUMBER.fullmatch(left) else _json_string(left, raw)

    def _act_on_json(self, rule: ScrubRule, value: Value, raw: bytes) -> bytes | None:
        """Return the JSON in a value's place, None to drop it.

        An element that is dropped by its place leaves null, so that others keep theirs.
        """
        if rule.action is Action.DROP:
            return b"null" if value.name is None and not rule.drops_all else None
        if rule.action is Action.REPLACE:
            return _json_string(rule.text, raw)
        if raw in (b"true", b"false", b"null"):
            return raw
        if raw[:1] in b"-0123456789":
            return self._number_pseudonym(raw.decode()).encode()
        text = loads(raw) if raw[:1] == b'"' else raw.decode()
        new = self._pseudonym(text)
        return raw if new == text else _json_string(new, raw)

    def act(self, rule: ScrubRule, text: str) -> str | None:
        """Return what a rule puts in a text's place, None to drop it."""
        return None if rule.action is Action.DROP else self._put(rule, text)

    def _put(self, rule: ScrubRule, text: str) -> str:
        return rule.text if rule.action is Action.REPLACE else self._pseudonym(text)

    def _pseudonym(self, text: str) -> str:
        pseudonym = self._scrub.pseudonyms.of_text(text)
        if pseudonym != text:
            self._note(pseudonym, text)
        return pseudonym

    def _number_pseudonym(self, number: str) -> str:
        pseudonym = self._scrub.pseudonyms.of_number(number.encode()).decode()
        if pseudonym != number:
            self._note(pseudonym, number)
        return pseudonym


def _utf8(text: str) -> bytes:
    """Encode a text, or give no bytes for one that is no UTF-8."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return b""


def _json_string(text: str, like: bytes) -> bytes:
    """Write a JSON string, with escapes for all but ASCII if the text before had no other characters either."""
    return dumps(text, ensure_ascii=like.isascii() or not _utf8(text)).encode()
