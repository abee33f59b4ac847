import json
import sys
from pathlib import Path
from typing import Any

import pytest
from core.programs import Program, programs
from exchanges import numbered
from fixture.fixtures import read
from hypothesis import HealthCheck, given, settings
from profiles import many
from strategies import FORM, JSON, UPSTREAM

from chatproxy.checks.openapi import asked, check_exchanges
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import ConfigError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Headers, Request, Response

RULES = Rules()
ROOT = Path(__file__).parents[2]
TWILIO = ROOT.parent / "shared/twilio/twilio_chat_v1.json"
ITEM = {
    "type": "object",
    "properties": {
        "sid": {"type": "string", "pattern": "^IM[0-9a-f]{32}$"},
        "index": {"type": "integer", "nullable": True},
        "date_created": {"type": "string", "format": "date-time"},
    },
    "required": ["sid"],
}
FORM_SCHEMA = {
    "type": "object",
    "properties": {"Body": {"type": "string"}, "Loud": {"type": "boolean"}, "At": {"type": "number"}},
    "required": ["Body"],
}


def answered(schema: str) -> dict[str, Any]:
    """Return an answer of the document whose body is of this schema."""
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "a", "version": "1"},
    "paths": {
        "/v1/Items": {
            "parameters": [{"name": "Trace", "in": "header", "schema": {"type": "string"}}],
            "get": {
                "parameters": [
                    {"name": "Size", "in": "query", "schema": {"type": "integer", "maximum": 100}},
                    {"name": "Order", "in": "query", "schema": {"type": "string", "enum": ["asc", "desc"]}},
                    {"name": "Tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/page"}}}}
                },
            },
            "post": {
                "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": FORM_SCHEMA}}},
                "responses": {
                    "201": answered("item"),
                    "4XX": {"description": "refused"},
                },
            },
        },
        "/v1/Items/{Sid}": {
            "get": {
                "parameters": [
                    {"name": "Sid", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^IM"}}
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/item"}}}}
                },
            },
            "delete": {"responses": {"204": {"description": "gone"}}},
        },
    },
    "components": {
        "schemas": {
            "item": ITEM,
            "page": {
                "type": "object",
                "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/item"}}},
            },
        }
    },
}
SID = "IM" + "1" * 32
GOOD = {"sid": SID, "index": None, "date_created": "2026-01-01T00:00:00Z"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "document.json"
    path.write_text(json.dumps(DOCUMENT))
    return path


def exchange(
    method: str, target: str, answer: object, *, status: int = 200, form: str = "", headers: Headers = (JSON,)
) -> Exchange:
    request = Request(method, target.encode(), (FORM,) if form else (), form.encode())
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return numbered(1, request, Response(status, b"OK", headers, body), UPSTREAM, 0, 0)


def found(recorded: Exchange, path: Path) -> list[str]:
    (checked,) = check_exchanges(asked(MemoryCassette("a", [recorded], RULES), RULES), path)
    assert checked.exchange == "a/1"
    return [f"{one.severity} {one.place} {one.message}" for one in checked.findings]


@pytest.mark.parametrize(
    "recorded",
    [
        exchange("GET", "/v1/Items?Size=5&Order=asc&Tag=a", {"items": [GOOD]}),
        exchange("HEAD", "/v1/Items", b""),
        exchange("POST", "/v1/Items", GOOD, status=201, form="Body=a&Loud=true&At=1.5"),
        exchange("POST", "/v1/Items", {"code": 1}, status=429, form="Body=a"),
        exchange("DELETE", f"/v1/Items/{SID}", b"", status=204),
        exchange("GET", f"/v1/Items/{SID}", GOOD | {"date_created": "Thu, 01 Jan 2026 00:00:00 +0000"}),
    ],
)
def test_what_the_document_says_has_no_findings(recorded: Exchange, path: Path) -> None:
    assert [one for one in found(recorded, path) if not one.startswith("low body")] == []


@pytest.mark.parametrize(
    ("recorded", "findings"),
    [
        (exchange("GET", "/v2", b""), ["high request path is not in the document"]),
        (exchange("PUT", "/v1/Items", b""), ["high request method PUT is not in the document"]),
        (exchange("GET", "/v1/Items?Sort=a", {}), ["high request query parameter Sort is not in the document"]),
        (exchange("GET", "/v1/Items?Size=x", {}), ["high request query parameter Size 'x' is not of type 'integer'"]),
        (
            exchange("GET", "/v1/Items?Size=500", {}),
            ["low request query parameter Size 500 is greater than the maximum of 100"],
        ),
        (
            exchange("GET", "/v1/Items?Order=up", {}),
            ["low request query parameter Order 'up' is not one of ['asc', 'desc']"],
        ),
        (
            exchange("POST", "/v1/Items", GOOD, status=201, form="Loud=yes&At=x"),
            [
                "high request form field Loud 'yes' is not of type 'boolean'",
                "high request form field At 'x' is not of type 'number'",
                "high request form field Body is required, and missing",
            ],
        ),
        (exchange("POST", "/v1/Items", GOOD, status=201), ["high request form field Body is required, and missing"]),
        (
            exchange("GET", "/v1/Items/general", GOOD),
            ["low request path parameter Sid 'general' does not match '^IM'"],
        ),
        (exchange("GET", f"/v1/Items/{SID}", GOOD, status=202), ["high status 202 is not in the document"]),
        (exchange("GET", f"/v1/Items/{SID}", GOOD, status=404), ["low status 404 is not in the document"]),
        (
            exchange("GET", f"/v1/Items/{SID}", GOOD, headers=()),
            ["high header content-type is none of application/json"],
        ),
        (exchange("GET", f"/v1/Items/{SID}", b"{"), ["high body is no JSON, or nests too deep"]),
        (exchange("GET", f"/v1/Items/{SID}", b"[" * 100_000), ["high body is no JSON, or nests too deep"]),
        (exchange("GET", f"/v1/Items/{SID}", {}), ["high body 'sid' is a required property"]),
        (exchange("GET", f"/v1/Items/{SID}", GOOD | {"index": "0"}), ["high /index '0' is not of type 'integer'"]),
        (
            exchange("GET", "/v1/Items", {"items": [GOOD | {"a/b": 1}]}),
            ["high /items/0/a~1b is not in the document"],
        ),
        (
            exchange("GET", f"/v1/Items/{SID}", GOOD | {"date_created": "today"}),
            ["low /date_created 'today' is not a 'date-time'"],
        ),
        (exchange("DELETE", f"/v1/Items/{SID}", b"x", status=204), ["low body is not in the document"]),
    ],
)
def test_what_departs_from_the_document_is_found(recorded: Exchange, findings: list[str], path: Path) -> None:
    assert found(recorded, path) == findings


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON: it nests too deep"),
        (b'{"openapi": "3.0.0", "paths": ' + b'{"a":' * 900 + b"1" + b"}" * 901, "is no JSON: it nests too deep"),
        (b"[]", "is no OpenAPI 3.0 document"),
        (b'{"openapi": "3.1.0", "paths": {}}', "is no OpenAPI 3.0 document"),
        (b'{"openapi": "3.0.0", "paths": {"/a": {"get": {}}}}', "is no OpenAPI 3.0 document: KeyError"),
        (b'{"openapi": "3.0.0", "paths": {"/a": []}}', "is no OpenAPI 3.0 document: "),
        (b'{"openapi": "3.0.0", "paths": {}, "x": {"$ref": "http://127.0.0.1:9/a"}}', "refers to http://127.0.0.1:9/a"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"--openapi: {path} {reason}"):
        found(exchange("GET", "/v1/Items", {}), path)


def test_a_schema_that_leads_to_itself_is_refused_in_one_line(tmp_path: Path) -> None:
    components = {
        "schemas": {"item": {"$ref": "#/components/schemas/page"}, "page": {"$ref": "#/components/schemas/item"}}
    }
    (tmp_path / "circle.json").write_text(json.dumps(DOCUMENT | {"components": components}))
    with pytest.raises(ConfigError, match=r"^--openapi: \S+circle\.json has a schema that leads to itself$"):
        found(exchange("GET", f"/v1/Items/{SID}", GOOD), tmp_path / "circle.json")


def test_a_document_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        found(exchange("GET", "/v1/Items", {}), tmp_path / "none.json")


def test_a_missing_package_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openapi_schema_validator", None)
    with pytest.raises(ConfigError, match=r"pip install 'openapi-schema-validator>=0\.6'"):
        found(exchange("GET", "/v1/Items", {}), path)


@pytest.fixture(scope="module")
def twilio() -> Path:
    if not TWILIO.exists():
        pytest.skip("Twilio's OpenAPI document (twilio_chat_v1.json) is not beside the repository")
    return TWILIO


@settings(max_examples=many(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(programs)
def test_a_recording_of_the_sandbox_has_no_high_findings(twilio: Path, program: Program) -> None:
    for checked in check_exchanges(asked(MemoryCassette("a", program.exchanges, RULES), RULES), twilio):
        assert [one for one in checked.findings if one.severity == "high"] == []


def test_the_demos_fixture_has_no_high_findings(twilio: Path) -> None:
    document = read((ROOT / "cassettes/demo.json").read_text())
    cassette = MemoryCassette(document.name, document.exchanges, RULES, document.declared)
    assert {
        f"{finding.severity} {finding.place} {finding.message}"
        for checked in check_exchanges(asked(cassette, RULES), twilio)
        for finding in checked.findings
    } == {"low status 404 is not in the document"}
