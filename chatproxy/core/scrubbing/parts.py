"""Multipart forms, scrubbed part by part: content, file name and the parameters of a part's head.

1. A rule for a parameter holds for the parts of its name, and for their file names.
2. What tells of a content that was changed, as its length or digest, is left out.
3. The name of a part, its type and charset stay.
"""

import re
from typing import Protocol
from urllib.parse import quote, unquote_to_bytes

from chatproxy.core.http.multipart import (
    DISPOSITION,
    ENCODING,
    FILENAME,
    TYPE,
    FormPart,
    MultipartForm,
    Valued,
    unquoted,
    valued,
)
from chatproxy.core.scrubbing.rules import ScrubRule


class Scrubber(Protocol):
    """What the rules do to a text, a header's value and a parameter."""

    def text(self, text: str) -> str:
        """Search the patterns in a text."""

    def header(self, name: bytes, value: bytes) -> bytes | None:
        """Return what stands in the place of a header's value, None to drop the header."""

    def rule(self, name: bytes) -> ScrubRule | None:
        """Return the rule for parameters of this name."""

    def act(self, rule: ScrubRule, text: str) -> str | None:
        """Return what a rule puts in a text's place, None to drop it."""


def scrubbed_parts(form: MultipartForm, scrubber: Scrubber) -> MultipartForm:
    """Return what may be shared of a form; its boundary stays."""
    parts = (_part(part, form, scrubber) for part in form.parts)
    before, end, _ = form.before.rpartition(form.newline)
    line, newline, after = form.after.partition(form.newline)
    return form._replace(
        before=form.fitting(as_bytes(scrubber.text(as_text(before)))) + end,
        after=line + newline + as_bytes(scrubber.text(as_text(after))),
        parts=tuple(part for part in parts if part is not None),
    )


def _part(part: FormPart, form: MultipartForm, scrubber: Scrubber) -> FormPart | None:
    rule = next((rule for rule in map(scrubber.rule, part.names) if rule), None)
    text = as_text(part.content)
    new = scrubber.text(text) if rule is None else scrubber.act(rule, text)
    if new is None:
        return None
    fields = []
    for name, value in part.fields:
        kept = _field(name, value, rule, scrubber) if new == text or name.lower() in _STAYING else None
        if kept is not None and not _LINE_ENDS.search(kept):
            fields.append((name, kept))
    content = part.content if new == text else form.fitting(as_bytes(new))
    return part._replace(content=content, fields=tuple(fields))


_LINE_ENDS = re.compile(rb"[\r\n]")
_STAYING = frozenset({DISPOSITION, TYPE, ENCODING})
_FIXED = {DISPOSITION: frozenset({b"name"}), TYPE: frozenset({b"boundary", b"charset"})}
"""The parameters that say what a part is and how it is read."""


def _field(name: bytes, value: bytes, rule: ScrubRule | None, scrubber: Scrubber) -> bytes | None:
    """Scrub a line of a part's head: in those with parameters these alone."""
    fixed = _FIXED.get(name.lower())
    if fixed is None:
        return value if name.lower() == ENCODING else scrubber.header(name, value)
    found = valued(value)
    if found is None:
        return as_bytes(scrubber.text(as_text(value)))
    parameters = tuple(
        one if one[0].lower() in fixed else (one[0], _parameter(*one, rule, scrubber)) for one in found.parameters
    )
    return value if parameters == found.parameters else b" " + Valued(found.value, parameters).written()


def _parameter(name: bytes, written: bytes, rule: ScrubRule | None, scrubber: Scrubber) -> bytes:
    """Scrub a parameter of a part's head, in text without escapes."""
    text = as_text(unquote_to_bytes(unquoted(written)))
    is_of_file = name.lower().startswith((FILENAME, b"name"))
    new = scrubber.act(rule, text) if rule is not None and text and is_of_file else scrubber.text(text)
    return written if new in (text, None) else quote(as_bytes(new or ""), safe=_PLAIN).encode()


_PLAIN = " !#$&'()*+,/:;<=>?@[]^`{|}"
"""What stands for itself in quotes."""


def as_text(written: bytes) -> str:
    """Decode UTF-8; other bytes stand as surrogates, and come back."""
    return written.decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """Encode what was decoded so."""
    return text.encode("utf-8", "surrogateescape")
