"""The normal form of a request, by which recorded and live requests are matched.

The laws (one function makes keys, for recording and for replay; a match is never fuzzy):

1. The form has method, host, decoded path, query pairs, and the body. It has no credentials, and no headers but
   those that the rules name and the conditions (``If-None-Match``, ``Range`` and their like). The address by which the
   client reached us counts as the upstream's.
2. Pairs are sorted by name; those of one name keep their order. ``+`` and ``%20`` are one in forms; an empty
   value differs from an absent one. A form value that is a JSON object or array counts by its content, a
   JSON body likewise; a multipart form by its parts, whatever its boundary. Anything else counts by its bytes, and so
   does a body of more parts than are read one by one.
3. A parameter spelled out at its default equals its absence.

The form is text of one spelling for each meaning, so that equal texts are equal requests::

    POST chat.twilio.com/v1/Services/IS…/Channels/CH…/Messages?a=1
    x-named-by-rules: value

    form
    Attributes={"a":1}&Body=Hello

Within it, ``%`` and whatever would read as structure is escaped in lower case, which no SID can contain. A part of a
multipart form has its attributes after its content, as ``File=content;filename=a.txt;content-type=text/plain``.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Set
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from chatproxy.core.http.conditions import conditions
from chatproxy.core.http.forms import decoded, is_readable
from chatproxy.core.http.headers import is_form, is_json
from chatproxy.core.http.multipart import FILENAME, FormPart, bounded, read_multipart
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Request, header_values
from chatproxy.core.products.every import TWILIO_HOST, TWILIO_ORIGIN
from chatproxy.core.text import json_text as jsontext
from chatproxy.core.twilio.defaults import defaults_of
from chatproxy.core.twilio.origins import one_host, replace_origin
from chatproxy.core.twilio.paths import path_segment
from chatproxy.core.twilio.sids import (
    mask,
    mask_members,
    mask_path,
    replace_in_path,
    replace_sids,
    sids_in,
    sids_in_path,
)

_TWILIO = TWILIO_ORIGIN.encode()

_WHOLE, _BARE = "multipart", "multipart with bare line feeds"
MULTIPART = frozenset({_WHOLE, _BARE})
"""The kinds of multipart forms: a server need not read one whose lines end in LF alone."""
FORMS = MULTIPART | {"form"}
"""The kinds of bodies that are forms."""


class NormalForm(NamedTuple):
    """A request in normal form, in the parts that a difference can be named by."""

    method: str
    host: str
    path: bytes
    query: tuple[bytes, ...]
    headers: tuple[bytes, ...]
    kind: str
    body: tuple[bytes, ...]

    @property
    def text(self) -> bytes:
        """The whole form as one text."""
        return self._text(self.path, b"&".join(self.query), b"&".join(self.body))

    @property
    def key(self) -> bytes:
        """Bytes that are equal for equal requests."""
        return text_key(self.text)

    @property
    def shape(self) -> bytes:
        """The key with every SID replaced by its type."""
        return b"s" + _digest(self._text(mask_path(self.path), mask(b"&".join(self.query)), mask(b"&".join(self.body))))

    @property
    def route(self) -> bytes:
        """Method, host and the collections of the path, whatever stands in them: a SID, a name, or nothing."""
        return b"r" + _digest(f"{self.method} {self.host}".encode() + mask_members(self.path))

    @property
    def sids(self) -> list[bytes]:
        """Every SID of path, query, headers and body, in that order and as often as it stands there."""
        pairs = (*self.query, *self.headers, *self.body)
        return sids_in_path(self.path) + (sids_in(b"\n".join(pairs)) if pairs else [])

    @property
    def sent_path(self) -> bytes:
        """The path with the escapes of an URL in the place of those of the form."""
        return _ESCAPE.sub(lambda found: found[0].upper(), self.path)

    @property
    def sent_query(self) -> list[bytes]:
        """The pairs of the query without the escapes of the form."""
        return [unquote_to_bytes(pair) for pair in self.query]

    @property
    def sent_body(self) -> list[bytes]:
        """The body without the escapes of the form, a form pair by pair."""
        return [unquote_to_bytes(pair) for pair in self.body] if self.kind in FORMS else list(self.body)

    def _text(self, path: bytes, query: bytes, body: bytes) -> bytes:
        head = f"{self.method} {self.host}".encode()
        return b"%b%b?%b\n%b\n\n%b\n%b" % (head, path, query, b"\n".join(self.headers), self.kind.encode(), body)


def text_key(text: bytes) -> bytes:
    """Return the key of the request whose form has this text."""
    return b"k" + _digest(text)


def normalize(request: Request, rules: Rules) -> NormalForm:
    """Return the normal form of a request under these rules."""
    host = request.host if request.host == TWILIO_HOST else one_host(request.host)
    names = conditions(request.headers)
    if not (request.body or names or rules.match_headers or _QUERY_OR_ESCAPE.search(request.target)):
        return NormalForm(
            request.method, host, request.target, (), (), "empty", ()
        )  # as most reads are: a fifth of it all
    raw_path, _, raw_query = request.target.partition(b"?")
    path = raw_path if b"%" not in raw_path else _decoded_path(raw_path)
    query = _pairs(raw_query, request.origin, _plain)
    kind, body = _body(request)
    defaults = defaults_of(request.method, path)
    if defaults.query:
        query = _without_defaults(query, defaults.query)
    if defaults.form and kind in FORMS:
        body = _without_defaults(body, defaults.form)
    if rules.ignore:
        ignored = rules.ignored(request.method, path)
        query = [pair for pair in query if unquote_to_bytes(_name(pair)) not in ignored]
        body = [pair for pair in body if not _is_ignored(pair, kind, ignored)] if kind in FORMS else body
    if kind == "form" and not body:
        kind = "empty"
    if names:
        headers = _headers(request, sorted({*rules.names, *names}), kind)
    else:
        headers = _headers(request, rules.names, kind) if rules.match_headers else ()
    return NormalForm(request.method, host, path, tuple(query), headers, kind, tuple(body))


def translate(form: NormalForm, other: Callable[[bytes], bytes]) -> NormalForm:
    """Return the form that the request would have with other SIDs: sorted and spelled as theirs would be.

    No two SIDs may be given the same other one, or two names could become one.
    """
    query, body = _translated(form.query, other, ""), _translated(form.body, other, form.kind)
    headers = tuple(replace_sids(header, other) for header in form.headers)
    return form._replace(path=replace_in_path(form.path, other), query=query, headers=headers, body=body)


def _translated(pairs: tuple[bytes, ...], other: Callable[[bytes], bytes], kind: str) -> tuple[bytes, ...]:
    replaced = [(pair, replace_sids(pair, other)) for pair in pairs]
    if all(pair == new for pair, new in replaced):
        return pairs
    texts = [new if pair == new else _respelled(new, kind) for pair, new in replaced]
    return tuple(texts if kind in {"json", "bytes"} else sorted(texts, key=_name))


def _respelled(text: bytes, kind: str) -> bytes:
    """Put the names in the JSON of a body or a form's value in their order, where they have SIDs."""
    if kind == "json":
        return jsontext.canonical(text) or text
    name, equals, value = text.partition(b"=")
    value, sign, attributes = value.partition(b";") if kind in MULTIPART else (value, b"", b"")
    if kind not in FORMS or value[:1] not in _JSON_STARTS or _is_file(attributes):
        return text
    canonical = jsontext.canonical(unquote_to_bytes(value))
    structure = _PART_STRUCTURE if kind in MULTIPART else _VALUE_STRUCTURE
    return text if canonical is None else name + equals + _escape(canonical, structure) + sign + attributes


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).digest()


def _decoded_path(path: bytes) -> bytes:
    return b"/".join(path_segment(unquote_to_bytes(segment)) for segment in path.split(b"/"))


def _headers(request: Request, names: Iterable[bytes], kind: str) -> tuple[bytes, ...]:
    headers = bounded(request.headers) if kind in MULTIPART else request.headers
    return tuple(
        b"%b: %b" % (name, replace_origin(value, request.origin, _TWILIO))
        for name in names
        for value in header_values(headers, name)
    )


def _body(request: Request) -> tuple[str, Iterable[bytes]]:
    if not request.body:
        return "empty", ()
    if is_form(request.headers) and is_readable(request.body):
        return "form", _pairs(request.body, request.origin, jsontext.canonical)
    if is_json(request.headers) and (canonical := jsontext.canonical(request.body)) is not None:
        return "json", (replace_origin(canonical, request.origin, _TWILIO),)
    if form := read_multipart(request.headers, request.body):
        parts = [_part(part, request.origin) for part in form.parts]
        return _BARE if form.has_bare_newlines else _WHOLE, sorted(parts, key=_name)
    return "bytes", (request.body,)


def _plain(value: bytes) -> None:
    """In a query, a value that looks like JSON is text like any other."""


def _pairs(text: bytes, origin: str, meaning: Callable[[bytes], bytes | None]) -> list[bytes]:
    """Split query or form into ``name=value`` in one spelling, sorted by name, repeats in their order."""
    if not text:
        return []
    if b"%" not in text:
        text = text.replace(b"+", b" ")  # all that there is to decode, so that no pair has to be taken apart for it
    pairs = [pair for pair in text.split(b"&") if pair]
    if _NOT_PLAIN.search(text):
        pairs = [_pair(pair, origin, meaning) for pair in pairs]
    pairs.sort(key=_name)
    return pairs


def _pair(pair: bytes, origin: str, meaning: Callable[[bytes], bytes | None]) -> bytes:
    name, equals, value = pair.partition(b"=")
    value = decoded(value)
    canonical = meaning(value) if value[:1] in _JSON_STARTS else None
    value = replace_origin(value if canonical is None else canonical, origin, _TWILIO)
    return b"%b%b%b" % (_escape(decoded(name), _NAME_STRUCTURE), equals, _escape(value, _VALUE_STRUCTURE))


def pair_of(name: bytes, value: bytes) -> bytes:
    """Return a pair of a form in its one spelling, given name and value as they are."""
    canonical = jsontext.canonical(value) if value[:1] in _JSON_STARTS else None
    value = value if canonical is None else canonical
    return b"%b=%b" % (_escape(name, _NAME_STRUCTURE), _escape(value, _VALUE_STRUCTURE))


def _part(part: FormPart, origin: str) -> bytes:
    """Spell a part as text; the content of a file counts by its bytes, another as a form's value does."""
    attributes = b"".join(
        b";%b=%b" % (_escape(name, _NAME_STRUCTURE), _escape(value, _PART_STRUCTURE)) for name, value in part.attributes
    )
    content = part.content
    if not _is_file(attributes[1:]):
        canonical = jsontext.canonical(content) if content[:1] in _JSON_STARTS else None
        content = replace_origin(content if canonical is None else canonical, origin, _TWILIO)
    return b"%b=%b%b" % (_escape(part.name, _NAME_STRUCTURE), _escape(content, _PART_STRUCTURE), attributes)


def _is_file(attributes: bytes) -> bool:
    return any(attribute.startswith(FILENAME) for attribute in attributes.split(b";"))


def _is_ignored(pair: bytes, kind: str, ignored: Set[bytes]) -> bool:
    """Tell whether a parameter is ignored; the name of a part may have escapes of its own."""
    name = unquote_to_bytes(_name(pair))
    return name in ignored or (kind in MULTIPART and unquote_to_bytes(name) in ignored)


def _name(pair: bytes) -> bytes:
    return pair.partition(b"=")[0]


def _without_defaults(pairs: Iterable[bytes], defaults: Set[bytes]) -> list[bytes]:
    """Drop the pairs that spell out a default; a name that is repeated is not at its default."""
    kept = list(pairs)
    often = Counter(map(_name, kept))
    return [pair for pair in kept if pair not in defaults or often[_name(pair)] > 1]


_ESCAPE = re.compile(rb"%[0-9a-f]{2}")
_QUERY_OR_ESCAPE = re.compile(rb"[?%]")
_NAME_STRUCTURE = re.compile(rb"[%&=\n]")
_VALUE_STRUCTURE = re.compile(rb"[%&\n]")
_PART_STRUCTURE = re.compile(rb"[%&;\n]")
_JSON_STARTS = frozenset({b"{", b"[", b" ", b"\t", b"\r", b"\n"})
_NOT_PLAIN = re.compile(rb"[%+\n]|//|=[\[{ \t\r]")
"""What a text must hold for decoding, JSON or an address to matter; without it the pairs only need sorting."""


def _escape(text: bytes, structure: re.Pattern[bytes]) -> bytes:
    return structure.sub(_escaped, text)


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"%%%02x" % ord(found[0])
