"""Times that a client sends back: which recorded ones a request may have had where it now has some that were served.

1. A whole string that was served as an instant is turned back: a value of the query or the form, a string in a value
   that is JSON, or a header that counts. It keeps its spelling.
2. Where several recorded instants were served as one second, each is a reading.
3. Where an answer repeats what was turned back, as a whole string or as a value in an address, it stands as sent.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, product
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote_to_bytes

from chatproxy.core.http.forms import decoded
from chatproxy.core.matching.normal_form import FORMS, NormalForm
from chatproxy.core.time.timestamps import Spelled, read_instant, spell_instant

Recorded = Callable[[Spelled], Iterable[int]]
"""Gives the recorded moments of the instants that were served so."""

_MOST = 256
"""How many readings are looked at; of more none is."""

_LARGEST = 2_000_000
"""In how many bytes times are looked for, and of how many bytes all readings are together; of more none is."""


class Reading(NamedTuple):
    """A request with recorded times, and which of them stands in the place of which that was sent."""

    form: NormalForm
    sent: Mapping[bytes, bytes]


_Place = tuple[int, int, Spelled]
"""Where a time begins and ends, and which it is."""


class _Found(NamedTuple):
    """A time in a pair of query or body, or in a header, and the recorded ones that it may stand for."""

    pair: int
    start: int
    end: int
    text: bytes
    recorded: list[bytes]


def readings(form: NormalForm, recorded: Recorded) -> list[Reading]:
    """Return the readings of a request; none where it has no time that was served."""
    body = form.body if form.kind in FORMS else ()
    pairs = [*form.query, *body, *form.headers]
    size = sum(map(len, pairs))
    if size > _LARGEST:
        return []
    most = min(_MOST, _LARGEST // (size + 1))
    headers_from = len(pairs) - len(form.headers)
    found = [
        one
        for nth, pair in enumerate(pairs)
        for one in _times(nth, pair, times_in(pair) if nth < headers_from else time_of_header(pair), recorded)
    ]
    choices = list(islice(product(*(one.recorded for one in found)), most + 1)) if found else []
    if len(choices) > most:
        return []
    return [_reading(form, pairs, list(zip(found, chosen, strict=True))) for chosen in choices]


def _times(nth: int, pair: bytes, times: Iterable[_Place], recorded: Recorded) -> Iterator[_Found]:
    for start, end, served in times:
        texts = list(dict.fromkeys(spell_instant(moment, served.spelling) for moment in sorted(recorded(served))))
        if texts:
            yield _Found(nth, start, end, pair[start:end], texts)


def time_of_header(header: bytes) -> Iterator[_Place]:
    """Yield the time that is the value in ``name: value``, with where it stands."""
    whole = header.find(b": ") + 2
    if time := read_instant(header[whole:]):
        yield whole, len(header), time


def times_in(pair: bytes) -> Iterator[_Place]:
    """Yield the times in ``name=value`` that are the value or a string in its JSON, each with where it stands."""
    whole = pair.find(b"=") + 1
    if time := read_instant(pair[whole:]):
        yield whole, len(pair), time
        return
    for found in _STRING.finditer(pair, whole):
        if found["colon"] is None and (time := read_instant(found["text"])):
            yield *found.span("text"), time


_STRING = re.compile(rb'"(?P<text>(?:[^"\\]++|\\.)*+)"(?P<colon>\s*:)?', re.DOTALL)
"""A string in JSON; with a colon behind it is a name."""


def _reading(form: NormalForm, pairs: list[bytes], chosen: list[tuple[_Found, bytes]]) -> Reading:
    turned = list(pairs)
    for one, text in reversed(chosen):
        pair = turned[one.pair]
        turned[one.pair] = pair[: one.start] + text + pair[one.end :]
    body_from, headers_from = len(form.query), len(turned) - len(form.headers)
    body = tuple(turned[body_from:headers_from]) if form.kind in FORMS else form.body
    form = form._replace(query=tuple(turned[:body_from]), body=body, headers=tuple(turned[headers_from:]))
    return Reading(form, {text: one.text for one, text in chosen})


def repeated(text: bytes, sent: Mapping[bytes, bytes], percent: str = "%") -> bytes:
    """Put what was sent in the place of what was recorded; ``percent`` is how the text spells that sign."""
    sign = percent.encode()

    def live(found: re.Match[bytes]) -> bytes:
        written = found[2].replace(sign, b"%")
        new = _as_sent(written, sent)
        return found[0] if new == written else found[1] + new.replace(b"%", sign)

    return _REPEATED.sub(live, text)


_REPEATED = re.compile(rb'(["=])([0-9A-Za-z:.+, %-]{20,}+)(?=\\?"|&)')
"""What a time can be, plain or escaped: each is looked up once, however many were sent."""


def _as_sent(written: bytes, sent: Mapping[bytes, bytes]) -> bytes:
    for plain, spell in _SPELLINGS:
        time = plain(written)
        if time in sent and spell(time).encode() == written:
            return spell(sent[time]).encode()
    return written


_SPELLINGS: tuple[tuple[Callable[[bytes], bytes], Callable[[bytes], str]], ...] = (
    (bytes, bytes.decode),
    (unquote_to_bytes, quote),
    (decoded, quote_plus),
)
"""How a time is written in JSON, in an address, and in the query of one, each with how it is read."""
