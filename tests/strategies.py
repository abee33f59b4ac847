"""Hypothesis strategies: SIDs, JSON, forms, headers, messages, and other spellings of one meaning.

All of it is valid HTTP: header names are tokens, values have no CR, LF or NUL and no white space around them,
targets are visible ASCII; bodies are any bytes.
"""

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st

from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Exchange, Headers, Request, Response
from chatproxy.core.products.sid_types import PREFIXES

ORIGIN = "http://127.0.0.1:8765"
"""The address of the proxy."""
UPSTREAM = "https://chat.twilio.com"
FORM = (b"Content-Type", b"application/x-www-form-urlencoded")
JSON = (b"Content-Type", b"application/json")
MESSAGES = b"/v1/Services/IS" + b"1" * 32 + b"/Channels/CH" + b"2" * 32 + b"/Messages"

T = TypeVar("T")
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Pairs = list[tuple[bytes, bytes | None]]
"""Decoded names and values; a name without ``=`` has none."""


def basic(user: bytes, password: bytes) -> tuple[bytes, bytes]:
    """Return the header field of Basic authentication."""
    return b"Authorization", b"Basic " + b64encode(user + b":" + password)


@cache
def sids(*prefixes: str) -> st.SearchStrategy[str]:
    """SIDs of these types, or of any."""
    hexes = st.text("0123456789abcdef", min_size=32, max_size=32)
    return st.builds(str.__add__, st.sampled_from(prefixes or PREFIXES), hexes)


@cache
def one_of(*choices: T) -> st.SearchStrategy[T]:
    """One of these. Where many are drawn, making the strategy anew each time would take most of the time."""
    return st.sampled_from(choices)


# JSON

_numbers = (
    st.integers(-(10**6), 10**6)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, -0.0, 1, 1.0, 1e22, 1e23, 10**23, 5e-324, 0.1, 1.7976931348623157e308])
)
_texts = st.text(max_size=6) | st.sampled_from(
    ["a", "1", "http://127.0.0.1:8765", "\U0001f600", '"', "\\", "/", "\x00"]
)
json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=10,
)
json_containers: st.SearchStrategy[Json] = st.lists(json_values, max_size=4) | st.dictionaries(
    _texts, json_values, max_size=4
)
"""Objects and arrays, which count by content where other JSON counts by its bytes."""

_booleans = st.booleans()
_zeros = st.integers(0, 3)


@st.composite
def json_spellings(draw: st.DrawFn, value: Json) -> bytes:
    """Texts of this content: other white space, order of names, escapes, spelling of numbers."""
    space: str = draw(one_of("", "", " ", "\n", "\t \r\n"))
    return (space + _spelled(draw, value, space) + space).encode()


def _spelled(draw: st.DrawFn, value: Json, space: str) -> str:
    comma, colon = f"{space},{space}", f"{space}:{space}"
    if isinstance(value, dict):
        members = [
            _spelled_text(draw, name) + colon + _spelled(draw, value[name], space)
            for name in draw(st.permutations(sorted(value)))
        ]
        return "{" + space + comma.join(members) + space + "}"
    if isinstance(value, list):
        return "[" + space + comma.join(_spelled(draw, inner, space) for inner in value) + space + "]"
    if isinstance(value, str):
        return _spelled_text(draw, value)
    if isinstance(value, float) or (type(value) is int and abs(value) < 10**15):
        return _spelled_number(draw, repr(value))
    return json.dumps(value)


def _spelled_number(draw: st.DrawFn, number: str) -> str:
    """Write ``-15e-1`` for ``-1.5`` and the like."""
    sign = "-" if number.startswith("-") else ""
    mantissa, _, exponent = number.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits, shift = (whole + fraction).lstrip("0") or "0", int(exponent or 0) - len(fraction)
    zeros = draw(_zeros)
    spellings = [
        number,
        f"{sign}{digits}{draw(one_of('e', 'E'))}{shift:{draw(one_of('', '+'))}}",
        f"{sign}{digits[0]}.{digits[1:]}{'0' * (zeros + 1)}e{shift + len(digits) - 1}",
        f"{sign}0.{'0' * zeros}{digits}E{shift + len(digits) + zeros}",
    ]
    return draw(st.sampled_from(spellings))


def _spelled_text(draw: st.DrawFn, text: str) -> str:
    how = draw(one_of("plain", "escaped", "all"))
    if how == "all":
        units = text.encode("utf-16-be", "surrogatepass")
        hexes = [units[at : at + 2].hex() for at in range(0, len(units), 2)]
        upper = draw(_booleans)
        return '"' + "".join("\\u" + (digits.upper() if upper else digits) for digits in hexes) + '"'
    return json.dumps(text, ensure_ascii=how == "escaped").replace("/", draw(one_of("/", "\\/")))


# Paths, queries and forms

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_IN_SEGMENT = _UNRESERVED | frozenset(b"!$&'()*+,;=:@")
_IN_NAME = _UNRESERVED | frozenset(b"!$'()*,;:@/?")
_IN_VALUE = _IN_NAME | frozenset(b"=")

_hostile = st.sampled_from(
    [b"", b"\n", b"\0", b"&", b"=", b"%", b"+", b" ", b"/", b"?", b"%0a", b"100%", b"a=1", b"\xff"]
)
_words = st.sampled_from([b"a", b"b", b"Body", b"From", b"PageSize", b"Page", b"Order", b"Attributes", b"PageToken"])
components = st.binary(max_size=6) | _hostile | _words | sids().map(str.encode)
values = components | st.sampled_from([b"50", b"0", b"asc", b"system", b"{}", b"[1]", b' {"a": 1}', b'{"a":1,"a":2}'])
pairs: st.SearchStrategy[Pairs] = st.lists(
    st.tuples(components, st.none() | values).filter(lambda pair: pair != (b"", None)), max_size=5
)
segments = st.lists(components.filter(lambda text: text not in (b".", b"..")), min_size=1, max_size=5)


@st.composite
def spelled(draw: st.DrawFn, text: bytes, plain: frozenset[int], *, plus: bool) -> bytes:
    """Spellings of a component: escapes in either letter case, what may stand for itself escaped or not."""
    written = b""
    for byte in text:
        escapes = [b"%%%02x" % byte, b"%%%02X" % byte]
        if byte in plain:
            escapes = [bytes([byte])] * 2 + escapes
        elif byte == ord(" ") and plus:
            escapes.append(b"+")
        written += draw(one_of(*escapes))
    return written


@st.composite
def spelled_pairs(draw: st.DrawFn, pairs: Pairs) -> bytes:
    """Spellings of a query or form: also other orders of names, and empty pairs between."""
    by_name: dict[bytes, list[bytes | None]] = defaultdict(list)
    for name, value in pairs:
        by_name[name].append(value)
    written = []
    for name in draw(st.permutations([name for name, _ in pairs])):
        value = by_name[name].pop(0)
        pair = draw(spelled(name, _IN_NAME, plus=True))
        written.append(pair if value is None else pair + b"=" + draw(spelled(value, _IN_VALUE, plus=True)))
    ampersand: bytes = draw(one_of(b"&", b"&", b"&&"))
    return ampersand.join(written)


@st.composite
def spelled_path(draw: st.DrawFn, segments: Sequence[bytes]) -> bytes:
    """Spellings of a path."""
    return b"".join(b"/" + draw(spelled(segment, _IN_SEGMENT, plus=False)) for segment in segments)


# Messages

_TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
tokens = st.text(_TOKEN, min_size=1, max_size=12).map(str.encode)
_IN_FIELD = [chr(byte) for byte in range(256) if byte == 0x09 or (byte >= 0x20 and byte != 0x7F)]
field_values = st.text(_IN_FIELD, max_size=12).map(lambda content: content.encode("latin-1").strip(b" \t"))
_named = st.sampled_from(
    [FORM, JSON, (b"content-type", b"application/problem+json; charset=utf-8"), (b"X-A", b"1"), (b"x-a", b"1, 2")]
)
headers: st.SearchStrategy[Headers] = st.lists(_named | st.tuples(tokens, field_values), max_size=5).map(tuple)
methods = st.sampled_from(["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"]) | tokens.map(bytes.decode)
targets = st.binary(max_size=20).map(
    lambda content: b"/" + bytes(0x21 + byte % 94 for byte in content).replace(b"#", b"?")
)
origins = st.sampled_from([ORIGIN, "http://localhost:8080", "http://[::1]:1", "https://proxy.example", UPSTREAM])
bodies = st.binary(max_size=40) | json_containers.flatmap(json_spellings) | pairs.flatmap(spelled_pairs)


_channels = sids("CH") | st.just("general")
_messages = st.none() | sids("IM")


@st.composite
def twilio_paths(draw: st.DrawFn) -> bytes:
    """Paths of the Message resource."""
    service, channel, message = draw(sids("IS")), draw(_channels), draw(_messages)
    return f"/v1/Services/{service}/Channels/{channel}/Messages{'/' + message if message else ''}".encode()


hosts = st.sampled_from(
    ["chat.twilio.com"] * 3 + ["chat.dublin.ie1.twilio.com", "ip-messaging.twilio.com", "example.com"]
)
requests = st.builds(
    Request,
    method=methods,
    target=targets
    | twilio_paths()
    | st.builds(b"%b?%b".__mod__, st.tuples(twilio_paths(), pairs.flatmap(spelled_pairs))),
    headers=headers,
    body=bodies,
    origin=origins,
    host=hosts,
)


@cache
def _bodies_of(upstream: str) -> st.SearchStrategy[str]:
    return st.text(max_size=10) | one_of(upstream + "/x", ORIGIN + "/x", f'{{"url": "{upstream}"}}')


@st.composite
def twilio_bodies(draw: st.DrawFn, upstream: str = UPSTREAM) -> bytes:
    """JSON as Twilio answers it: one message or a list, with URLs, in Twilio's spacing or another."""
    path = draw(twilio_paths()).decode()
    text = _bodies_of(upstream)
    message: Json = {
        "sid": draw(sids("IM")),
        "body": draw(text),
        "attributes": json.dumps({"url": draw(text)}),
        "from": draw(text),
        "url": upstream + path,
        "links": {"channel": upstream + path.rpartition("/")[0]},
    }
    page = {"url": upstream + path, "next_page_url": None, "page": 0, "key": "m"}
    content = {"meta": page, "messages": [message]} if draw(_booleans) else message
    body = json.dumps(content, ensure_ascii=draw(_booleans), indent=draw(one_of(None, 2)))
    return body.replace("/", draw(one_of("/", "\\/"))).encode()


responses = st.builds(
    Response,
    status=st.integers(200, 599) | st.just(401),
    reason=field_values,
    headers=headers,
    body=bodies | twilio_bodies(),
)
twilio_responses = st.builds(
    Response,
    status=st.sampled_from([200, 201]),
    reason=st.just(b"OK"),
    headers=st.builds(lambda path: (JSON, (b"Location", UPSTREAM.encode() + path)), twilio_paths()),
    body=twilio_bodies(),
)
_moments = st.integers(-(2**62), 2**62)
users = st.none() | st.sampled_from([NO_CREDENTIALS, OTHER_CREDENTIALS]) | sids("AC", "SK")
"""Who sent a request, as an exchange has it."""


exchanges = st.builds(
    Exchange,
    number=st.integers(1, 2**31),
    request=requests,
    response=responses | twilio_responses,
    upstream=origins,
    asked=_moments,
    answered=_moments,
    after=st.integers(0, 2**31),
    user=users,
)


# Multipart forms

MULTIPART = (b"Content-Type", b"multipart/form-data; boundary=b")
Parts = Sequence[tuple[bytes, bytes | None, bytes | None, bytes]]
"""Of each part the name, the file name, the type, and the content."""


def multipart(parts: Parts, boundary: bytes = b"b", newline: bytes = b"\r\n") -> bytes:
    """Return a form as clients write it."""
    lines = []
    for name, filename, media_type, content in parts:
        named = b"" if filename is None else b'; filename="%b"' % _in_quotes(filename)
        lines += [b"--" + boundary, b'Content-Disposition: form-data; name="%b"%b' % (_in_quotes(name), named)]
        lines += [] if media_type is None else [b"Content-Type: " + media_type]
        lines += [b"", content]
    return newline.join((*lines, b"--%b--" % boundary, b""))


def _in_quotes(text: bytes) -> bytes:
    return text.replace(b"\r", b"%0D").replace(b"\n", b"%0A").replace(b'"', b'\\"')


_part_names = st.sampled_from([b"Body", b"From", b"File", b"a b", b"caf\xc3\xa9", b"a=1&b;c", b"%", b"%22", b'"', b""])
_part_contents = st.binary(max_size=8) | st.sampled_from(
    [b"", b"\r\n", b"\n--", b"--c", b"a;filename=x", b"a&From=b", b"%3b", b"system", b"[1]", b'{"a": ";1"}']
)
form_parts: st.SearchStrategy[Parts] = st.lists(
    st.tuples(
        _part_names,
        st.none() | st.sampled_from([b"", b"a.txt", b"b;c=d.txt", b"%3B"]),
        st.none() | st.sampled_from([b"text/plain", b"application/json", b'text/plain; charset="utf-8"']),
        _part_contents,
    ),
    max_size=4,
)


@st.composite
def spelled_parts(draw: st.DrawFn, parts: Parts) -> tuple[tuple[bytes, bytes], bytes]:
    """Spellings of a form: other boundaries, orders of names and heads; the Content-Type, and the body."""
    boundary = b"----" + draw(st.binary(min_size=8, max_size=8)).hex().encode()
    by_name: dict[bytes, list[tuple[bytes, bytes | None, bytes | None, bytes]]] = defaultdict(list)
    for part in parts:
        by_name[part[0]].append(part)
    body = draw(one_of(b"", b"before\r\n"))
    for name in draw(st.permutations([part[0] for part in parts])):
        _, filename, media_type, content = by_name[name].pop(0)
        named = b'name="%b"' % _in_quotes(name)
        filed = [] if filename is None else [b'filename="%b"' % _in_quotes(filename)]
        disposition = draw(one_of(b"; ", b" ;")).join([b"form-data", *draw(st.permutations([named, *filed]))])
        head = [draw(one_of(b"Content-Disposition: ", b"content-disposition:")) + disposition]
        head += [] if media_type is None else [draw(one_of(b"Content-Type: ", b"CONTENT-TYPE:\t")) + media_type]
        head += draw(one_of((), (b"Content-Length: %d" % len(content),), (b"content-transfer-encoding: Binary",)))
        lines = [b"--" + boundary + draw(one_of(b"", b" ")), *draw(st.permutations(head)), b"", content, b""]
        body += b"\r\n".join(lines)
    quoted = draw(one_of(b"Multipart/Form-Data; boundary=%b", b'multipart/form-data;charset=utf-8; Boundary="%b"'))
    return (b"content-type", quoted % boundary), body + b"--%b--" % boundary + draw(one_of(b"", b"\r\n", b"\r\nafter"))
