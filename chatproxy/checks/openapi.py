"""Holds a cassette against an OpenAPI 3.0 document, without a network.

High is what a program can stumble over: a path, method or parameter that the document does not know, a required one
that is missing, a status below 400 that is not documented, a field that is new or gone or of another type. Low are
formats, patterns and lengths, and statuses of errors, which such documents seldom list.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.errors import ConfigError
from chatproxy.core.http.forms import pairs
from chatproxy.core.http.headers import is_form, is_json
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Request, Response
from chatproxy.core.review.findings import Change, Checked, Severity, findings
from chatproxy.core.review.meaning import meaning
from chatproxy.core.text.excerpts import cut, printable
from chatproxy.core.text.json_text import parsed
from chatproxy.core.time.timestamps import read_instant
from chatproxy.outside import reason

Schema = Mapping[str, Any]
Validate = Callable[[object], Iterable[Any]]

_NOT_DOCUMENTED = "is not in the document"


@dataclass(frozen=True)
class _Operation:
    """One method of one path: its parameters by where they stand, and its answers by their status."""

    pattern: re.Pattern[str]
    method: str
    parameters: dict[str, dict[str, Schema]]
    required: dict[str, frozenset[str]]
    responses: Schema


class Asked(NamedTuple):
    """An exchange that is checked: how it is called, and which endpoint it asks."""

    label: str
    endpoint: str
    exchange: Exchange


def asked(cassette: Cassette, rules: Rules) -> Iterator[Asked]:
    """Yield the exchanges of a cassette in canonical order."""
    for number in cassette.order():
        label, endpoint = f"{cassette.name}/{number}", meaning(cassette, number, rules).endpoint
        yield Asked(label, endpoint, cassette.exchange(number))


def check_exchanges(several: Iterable[Asked], path: Path) -> Iterator[Checked]:
    """Yield what each of several exchanges has that the document of this path does not.

    Raises ConfigError for a document that cannot be used, and where the extra is not installed.
    """
    document = _Document(_read(path), path)
    for label, endpoint, exchange in several:
        try:
            changes = list(document.changes(exchange))
        except RecursionError as error:
            raise ConfigError("--openapi", f"{path} has a schema that leads to itself") from error
        yield Checked(label, endpoint, findings(endpoint, label, changes))


def _read(path: Path) -> dict[str, Any]:
    try:
        document: Any = parsed(path.read_bytes())
    except OSError as error:
        raise ConfigError("--openapi", f"{path} cannot be read: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("--openapi", f"{path} is no JSON: {reason(error)}") from error
    except ValueError as error:
        raise ConfigError("--openapi", f"{path} is no JSON: {error}") from error
    version = document.get("openapi") if isinstance(document, dict) else None
    if not isinstance(version, str) or not version.startswith("3.0.") or not isinstance(document.get("paths"), dict):
        raise ConfigError("--openapi", f"{path} is no OpenAPI 3.0 document")
    return dict(document)


class _Document:
    def __init__(self, document: dict[str, Any], path: Path) -> None:
        self._root = document
        for reference in _references(document):
            if not reference.startswith("#/"):
                raise ConfigError("--openapi", f"{path} refers to {cut(reference, 60)}; only its own parts are read")
        try:
            self._operations = list(self._read_operations())
        except (KeyError, TypeError, AttributeError, re.error) as error:
            raise ConfigError("--openapi", f"{path} is no OpenAPI 3.0 document: {error!r}") from error
        self._validator = lru_cache(None)(_validators(document))

    def changes(self, exchange: Exchange) -> Iterator[Change]:
        """Yield in what an exchange departs from the document."""
        request = exchange.request
        path = request.path.decode("ascii", "replace")
        known = [one for one in self._operations if one.pattern.fullmatch(path)]
        if not known:
            yield Change(Severity.HIGH, "request path", _NOT_DOCUMENTED)
            return
        method = "GET" if request.method == "HEAD" else request.method
        operation = next((one for one in known if one.method == method), None)
        if operation is None:
            yield Change(Severity.HIGH, "request method", f"{request.method} {_NOT_DOCUMENTED}")
            return
        yield from self._of_request(operation, request, path)
        yield from self._of_response(operation, exchange.response, is_head=request.method == "HEAD")

    def _of_request(self, operation: _Operation, request: Request, path: str) -> Iterator[Change]:
        found = operation.pattern.fullmatch(path)
        segments = found.groups() if found else ()
        for (name, schema), segment in zip(operation.parameters["path"].items(), segments, strict=True):
            yield from islice(self._value(f"request path parameter {name}", segment, schema, "path"), 1)
        query = request.target.partition(b"?")[2]
        yield from self._pairs(operation, "query", "request query parameter", query)
        if is_form(request.headers) or operation.required["form"]:
            body = request.body if is_form(request.headers) else b""
            yield from self._pairs(operation, "form", "request form field", body)

    def _pairs(self, operation: _Operation, where: str, what: str, text: bytes) -> Iterator[Change]:
        sent = [(name.decode("utf-8", "replace"), value) for name, value in pairs(text) if name]
        for name, value in sent:
            schema = operation.parameters[where].get(name)
            if schema is None:
                yield Change(Severity.HIGH, f"{what} {printable(name)}", _NOT_DOCUMENTED)
            else:
                yield from self._value(f"{what} {name}", value.decode("utf-8", "replace"), schema, where)
        for name in sorted(operation.required[where] - {name for name, _ in sent}):
            yield Change(Severity.HIGH, f"{what} {name}", "is required, and missing")

    def _value(self, place: str, text: str, schema: Schema, where: str) -> Iterator[Change]:
        value = _typed(text, self._resolved(schema))
        for change in self._problems(schema, value):
            severity = Severity.LOW if where == "path" else change.severity
            yield Change(severity, place, change.message)

    def _of_response(self, operation: _Operation, response: Response, *, is_head: bool) -> Iterator[Change]:
        answers = operation.responses
        documented = next(
            (
                answers[key]
                for key in (str(response.status), f"{response.status // 100}XX", "default")
                if key in answers
            ),
            None,
        )
        if documented is None:
            severity = Severity.HIGH if response.status < _ERRORS else Severity.LOW
            yield Change(severity, "status", f"{response.status} {_NOT_DOCUMENTED}")
            return
        content = self._resolved(documented).get("content") or {}
        if not content and response.body:
            yield Change(Severity.LOW, "body", _NOT_DOCUMENTED)
        schema = next((one["schema"] for media, one in content.items() if "json" in media and "schema" in one), None)
        if is_head or schema is None:
            return
        if not is_json(response.headers):
            yield Change(Severity.HIGH, "header content-type", "is none of " + ", ".join(content))
            return
        try:
            value = parsed(response.body)
        except ValueError:
            yield Change(Severity.HIGH, "body", "is no JSON, or nests too deep")
            return
        yield from self._problems(schema, value)
        yield from self._unknown(schema, value, "")

    def _problems(self, schema: Schema, value: object) -> Iterator[Change]:
        """Yield what the schema says against a value."""
        for error in self._validator(json.dumps(schema, sort_keys=True))(value):
            if error.validator == "format" and _is_instant(error):
                continue
            pointer = "".join(f"/{_escaped(step)}" for step in error.absolute_path)
            severity = Severity.HIGH if error.validator in _SERIOUS else Severity.LOW
            yield Change(severity, pointer or "body", cut(printable(error.message), _SHOWN))

    def _unknown(self, schema: Schema, value: object, pointer: str) -> Iterator[Change]:
        """Yield the fields that the schema does not list."""
        schema = self._resolved(schema)
        if isinstance(value, list):
            for nth, element in enumerate(value):
                yield from self._unknown(schema.get("items") or {}, element, f"{pointer}/{nth}")
        elif isinstance(value, dict) and schema.get("properties") and not schema.get("additionalProperties"):
            for name, member in value.items():
                place = f"{pointer}/{_escaped(name)}"
                if name in schema["properties"]:
                    yield from self._unknown(schema["properties"][name], member, place)
                else:
                    yield Change(Severity.HIGH, place, _NOT_DOCUMENTED)

    def _read_operations(self) -> Iterator[_Operation]:
        for template, item in self._root["paths"].items():
            for method in _METHODS & item.keys():
                parameters = [*item.get("parameters", []), *item[method].get("parameters", [])]
                yield self._operation(template, method, item[method], parameters)

    def _operation(self, template: str, method: str, operation: Schema, parameters: list[Schema]) -> _Operation:
        known: dict[str, dict[str, Schema]] = {"path": {}, "query": {}, "form": {}}
        required: dict[str, set[str]] = {"path": set(), "query": set(), "form": set()}
        for one in map(self._resolved, parameters):
            if one["in"] in known:
                known[one["in"]][one["name"]] = one.get("schema", {})
                required[one["in"]] |= {one["name"]} if one.get("required") else set()
        body = self._resolved(operation.get("requestBody", {})).get("content", {})
        form = self._resolved(body.get("application/x-www-form-urlencoded", {}).get("schema", {}))
        known["form"] |= form.get("properties", {})
        required["form"] |= set(form.get("required", ()))
        known["path"] = {name: known["path"].get(name, {}) for name in re.findall(r"\{([^}]+)\}", template)}
        pattern = re.compile("([^/]+)".join(map(re.escape, re.split(r"\{[^}]+\}", template))))
        fixed = {where: frozenset(names) for where, names in required.items()}
        return _Operation(pattern, method.upper(), known, fixed, operation["responses"])

    def _resolved(self, part: Schema) -> Schema:
        """Follow references to other parts of the document."""
        for _ in range(_LONGEST_CHAIN):
            if "$ref" not in part:
                break
            target: Any = self._root
            for step in part["$ref"][2:].split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            part = target
        return part


_METHODS = {"get", "post", "put", "patch", "delete", "options"}
_SERIOUS = {"type", "required", "additionalProperties", "nullable"}
_ERRORS = 400
_LONGEST_CHAIN = 20
_SHOWN = 80


def _validators(document: dict[str, Any]) -> Callable[[str], Validate]:
    """Return what makes a validator of a schema, given as JSON."""
    try:
        from openapi_schema_validator import OAS30Validator, oas30_format_checker  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError("--openapi", "needs a package more: pip install 'openapi-schema-validator>=0.6'") from error
    components = document.get("components", {})

    def validator(schema: str) -> Validate:
        whole = {**json.loads(schema), "components": components}
        validate: Validate = OAS30Validator(whole, format_checker=oas30_format_checker).iter_errors
        return validate

    return validator


def _references(part: object) -> Iterator[str]:
    around = [part]
    while around:
        one = around.pop()
        if isinstance(one, dict):
            if isinstance(reference := one.get("$ref"), str):
                yield reference
            around += one.values()
        elif isinstance(one, list):
            around += one


def _is_instant(error: Any) -> bool:
    """Tell whether a text is an instant: Twilio's document calls RFC 2822 what it types as RFC 3339."""
    return isinstance(error.instance, str) and read_instant(error.instance.encode("utf-8", "replace")) is not None


def _typed(text: str, schema: Schema) -> object:
    """Read a parameter, which is a text, as its schema's type; what cannot be read so stays a text."""
    kind = schema.get("type")
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    if kind == "integer" and re.fullmatch(r"-?\d{1,400}", text):
        return int(text)
    if kind == "number" and re.fullmatch(r"-?\d{1,300}(\.\d{1,300})?", text):
        return float(text)
    return [text] if kind == "array" else text


def _escaped(step: object) -> str:
    return printable(str(step).replace("~", "~0").replace("/", "~1"))
