r"""Multipart forms: ``multipart/form-data`` (RFC 7578) as parts, read strictly (RFC 2046 section 5.1).

1. No bytes raise an error: a form is only what can be read in one way, as whole parts with a name each.
2. The boundary, what stands before the first part and after the last, and the spelling of a part's head do not count.
3. The content of a part is its bytes: transfer encodings are deprecated (section 4.7), so one is told, not undone.
4. In a quoted name ``\"`` is a quote; percent escapes stay, since not all clients write them (section 2).
5. A form has at most ``MOST_PARTS`` parts, and each a head of at most ``LONGEST_HEAD`` bytes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from chatproxy.core.http.forms import pairs
from chatproxy.core.http.grammar import TOKEN
from chatproxy.core.http.headers import content_type, is_form
from chatproxy.core.model import Headers

BOUNDARY = b"chatproxy-boundary"
"""Stands for the boundary of every form in a canonical fixture."""

DISPOSITION, TYPE, ENCODING = b"content-disposition", b"content-type", b"content-transfer-encoding"
"""The header fields of a part that have a meaning; all others are to be ignored (section 4.8)."""

FILENAME = b"filename"


MOST_PARTS = 1000
LONGEST_HEAD = 16_384


class Valued(NamedTuple):
    """A header's value with parameters, these in their order; what stands in quotes is as written there."""

    value: bytes
    parameters: tuple[tuple[bytes, bytes], ...]

    def written(self) -> bytes:
        """Write the value with each parameter in quotes."""
        return b"".join((self.value, *(b'; %b="%b"' % one for one in self.parameters)))


class FormPart(NamedTuple):
    """One part; ``fields`` are its header lines, each without its colon.

    ``attributes`` are what counts beside name and content, sorted: the other parameters of its disposition, its type,
    and a transfer encoding that is not the identity.
    """

    name: bytes
    attributes: tuple[tuple[bytes, bytes], ...]
    content: bytes
    fields: Headers

    @property
    def names(self) -> tuple[bytes, bytes]:
        """The name as it was sent, and with percent escapes undone: a rule may mean either."""
        return self.name, unquote_to_bytes(self.name)

    @property
    def is_encoded(self) -> bool:
        """Whether the content has a transfer encoding."""
        return any(name == ENCODING for name, _ in self.attributes)


class MultipartForm(NamedTuple):
    """A form as its parts; ``before`` and ``after`` are what stands around them, with the last boundary's line end."""

    boundary: bytes
    newline: bytes
    before: bytes
    parts: tuple[FormPart, ...]
    after: bytes

    @property
    def has_bare_newlines(self) -> bool:
        """Whether lines end in LF alone, as no server has to read them."""
        return self.newline == b"\n"

    def written(self) -> bytes:
        """Write the form."""
        texts = [self.before]
        for part in self.parts:
            lines = (b"--" + self.boundary, *(b"%b:%b" % field for field in part.fields), b"", part.content, b"")
            texts.append(self.newline.join(lines))
        return b"".join((*texts, b"--%b--" % self.boundary, self.after))

    def fitting(self, content: bytes) -> bytes:
        """Return a content as it can stand in a part, nothing for one that has the boundary in it."""
        return b"" if self.newline + b"--" + self.boundary in self.newline + content else content


def is_multipart(headers: Headers) -> bool:
    """Tell whether the body is of a multipart type, a form or another."""
    return content_type(headers).lstrip().lower().startswith(b"multipart/")


def read_multipart(headers: Headers, body: bytes) -> MultipartForm | None:
    """Return the form that a body is, None for one that cannot be read as a form."""
    boundary = _boundary(content_type(headers))
    if not boundary:
        return None
    return _read(boundary, body, b"\r\n") or _read(boundary, body, b"\n")


def form_fields(headers: Headers, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the names and values of a form of either type in their order, nothing for any other body."""
    if is_form(headers):
        yield from pairs(body)
    elif form := read_multipart(headers, body):
        yield from ((part.name, part.content) for part in form.parts)


def one_boundary(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """Return a request's header fields and body with one boundary for all forms, or as they are if it has none.

    Where the text of the boundary stands in the form itself, digits follow it.
    """
    form = read_multipart(headers, body)
    if form is None:
        return headers, body
    nth, boundary = 1, BOUNDARY
    texts = form._replace(boundary=b"").written()
    while boundary in texts:
        nth, boundary = nth + 1, b"%b-%d" % (BOUNDARY, nth + 1)
    return bounded(headers, boundary), form._replace(boundary=boundary).written()


def bounded(headers: Headers, boundary: bytes = BOUNDARY) -> Headers:
    """Return the header fields of a form with another boundary in the first Content-Type."""
    nth = next(nth for nth, (name, _) in enumerate(headers) if name.lower() == TYPE)
    name, value = headers[nth]
    found = valued(value)
    assert found is not None  # else it would be no form's
    others = tuple(one for one in found.parameters if one[0].lower() != b"boundary")
    new = Valued(found.value, others).written() + b"; boundary=" + boundary
    return (*headers[:nth], (name, new), *headers[nth + 1 :])


def valued(text: bytes) -> Valued | None:
    """Take a header's value apart, None for one that has another form, or a parameter twice."""
    text = text.rstrip(b"; \t")
    value = text.partition(b";")[0]
    position, parameters = len(value), []
    while position < len(text):
        found = _PARAMETER.match(text, position)
        if found is None:
            return None
        parameters.append((found[1], found[3] if found[2] is None else found[2]))
        position = found.end()
    names = {name.lower() for name, _ in parameters}
    return Valued(value.strip(), tuple(parameters)) if len(names) == len(parameters) else None


def unquoted(written: bytes) -> bytes:
    """Return what the text of a quoted value says."""
    return written.replace(b'\\"', b'"')


_TOKEN = TOKEN.pattern.encode()
_PARAMETER = re.compile(rb";\s*(%b)\s*=\s*(?:\"((?:\\\"|[^\"])*)\"|([^\s;\"]*))\s*(?=;|\Z)" % _TOKEN)
_BOUNDARY = re.compile(rb"[ -~]{0,69}[!-~]")
_PADDING = re.compile(rb"[ \t]*")
_FIELD = re.compile(rb"(%b):([^\r\n\0]*)" % _TOKEN)
_IDENTITIES = frozenset({b"", b"7bit", b"8bit", b"binary"})


def _boundary(text: bytes) -> bytes:
    found = valued(text)
    if found is None or found.value.lower() != b"multipart/form-data":
        return b""
    boundary = next((value for name, value in found.parameters if name.lower() == b"boundary"), b"")
    return boundary if _BOUNDARY.fullmatch(boundary) else b""


def _read(boundary: bytes, body: bytes, newline: bytes) -> MultipartForm | None:
    """Split a body at the boundary; a line that only begins with it leaves open what the sender meant."""
    delimiter = newline + b"--" + boundary
    if body.count(delimiter) > MOST_PARTS:
        return None
    before, *pieces = (newline + body).split(delimiter)
    parts: list[FormPart] = []
    for nth, piece in enumerate(pieces):
        if piece.startswith(b"--"):
            after = delimiter.join((piece[2:], *pieces[nth + 1 :]))
            if not _begins_line(after, newline, is_last=True):
                return None
            return MultipartForm(boundary, newline, (before + newline).removeprefix(newline), tuple(parts), after)
        part = _part(piece[_padding(piece) + len(newline) :], newline) if _begins_line(piece, newline) else None
        if part is None:
            return None
        parts.append(part)
    return None


def _padding(text: bytes) -> int:
    found = _PADDING.match(text)
    return found.end() if found else 0


def _begins_line(text: bytes, newline: bytes, *, is_last: bool = False) -> bool:
    """Tell whether a line ends here, white space aside; after the last boundary so may the body."""
    rest = text[_padding(text) :]
    return rest.startswith(newline) or (is_last and not rest)


def _part(text: bytes, newline: bytes) -> FormPart | None:
    head, end, content = text.partition(newline + newline)
    if len(head) > LONGEST_HEAD:
        return None
    lines = re.sub(newline + rb"[ \t]+", b" ", head).split(newline) if end else []
    found = [_FIELD.fullmatch(line) for line in lines]
    fields = tuple((field[1], field[2]) for field in found if field)
    known = {name.lower(): value.strip() for name, value in fields}
    disposition = valued(known.get(DISPOSITION, b""))
    if len(fields) < len(found) or len(known) < len(fields) or not disposition:
        return None
    if disposition.value.lower() != b"form-data":
        return None
    told = {name.lower(): unquoted(value) for name, value in disposition.parameters}
    name = told.pop(b"name", None)
    if name is None or {TYPE, ENCODING} & told.keys():
        return None
    if TYPE in known:
        told[TYPE] = _one_spelling(known[TYPE])
    encoding = known.get(ENCODING, b"").lower()
    return FormPart(name, tuple(sorted((told | _encoded(encoding)).items())), content, fields)


def _encoded(encoding: bytes) -> dict[bytes, bytes]:
    return {} if encoding in _IDENTITIES else {ENCODING: encoding}


def _one_spelling(media_type: bytes) -> bytes:
    """Spell a type in lower case, with its parameters' names and the charset, which alone has no case of its own."""
    found = valued(media_type)
    if found is None:
        return media_type
    spelled = [(name.lower(), value) for name, value in found.parameters]
    return Valued(
        found.value.lower(), tuple((name, value.lower() if name == b"charset" else value) for name, value in spelled)
    ).written()
