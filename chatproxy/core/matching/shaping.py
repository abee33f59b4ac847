"""Which rules shaped a request's normal form, found by comparing the two."""

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from chatproxy.core.http.forms import decoded
from chatproxy.core.http.multipart import read_multipart
from chatproxy.core.matching.normal_form import MULTIPART, NormalForm
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Request
from chatproxy.core.text.excerpts import literal


def shaping(request: Request, rules: Rules, form: NormalForm, translated: NormalForm) -> list[str]:
    """Say what became of a request on its way to its normal form, and to that form in the cassette's SIDs."""
    path, _, query = request.target.partition(b"?")
    count = len(rules.scrub.rules)
    found = [f"the request is scrubbed by {count} {'rule' if count == 1 else 'rules'}"] if count else []
    found += [f"the host {request.host} counts as {form.host}"] if request.host != form.host else []
    found += ["the path is decoded"] if path != form.path else []
    ignored = rules.ignored(form.method, form.path)
    found += _of_pairs("query", query, form.query, ignored)
    if form.kind in {"form", "empty"}:
        found += _of_pairs("form", request.body, form.body, ignored)
    elif form.kind in MULTIPART:
        found += _of_parts(request, form, ignored)
    elif form.body != (request.body,):
        found.append("the JSON body is put into one spelling for its content")
    if request.origin.encode() in decoded(request.target + b" " + request.body):
        found.append(f"the proxy's own address {request.origin} counts as the upstream's")
    names = {*rules.names, *(header.partition(b": ")[0] for header in form.headers)}
    counted = ", ".join(name.decode() for name in sorted(names))
    found.append(f"of the headers these count: {counted}" if counted else "no header counts")
    return found + list(_of_sids(form, translated))


def _of_pairs(what: str, text: bytes, kept: tuple[bytes, ...], ignored: frozenset[bytes]) -> Iterator[str]:
    given = [pair for pair in text.split(b"&") if pair]
    names = {unquote_to_bytes(_name(pair)) for pair in kept}
    left = [pair for pair in given if decoded(_name(pair)) in names]
    for pair in given:
        if pair not in left:
            why = "ignored" if decoded(_name(pair)) in ignored else "the default"
            yield f"in the {what}, {literal(pair)} is {why} and left out"
    ordered = sorted(left, key=lambda pair: decoded(_name(pair)))
    if ordered != left:
        yield f"the {what} is sorted by name"
    if ordered != list(kept):
        yield f"the values of the {what} are decoded, with JSON objects and arrays in one spelling"


def _of_parts(request: Request, form: NormalForm, ignored: frozenset[bytes]) -> Iterator[str]:
    yield "the multipart form counts by its parts, sorted by name, whatever its boundary"
    kept = {unquote_to_bytes(_name(pair)) for pair in form.body}
    read = read_multipart(request.headers, request.body)
    for part in read.parts if read else ():
        if part.name not in kept:
            why = "ignored" if ignored.intersection(part.names) else "the default"
            yield f"in the multipart form, {literal(part.name)} is {why} and left out"


def _name(pair: bytes) -> bytes:
    return pair.partition(b"=")[0]


def _of_sids(form: NormalForm, translated: NormalForm) -> Iterator[str]:
    for live, recorded in dict(zip(form.sids, translated.sids, strict=False)).items():
        if live != recorded:
            yield f"{live.decode()} stands for the recorded {recorded.decode()}"
