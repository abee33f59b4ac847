import json
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from checks.test_openapi import DOCUMENT, GOOD, RULES, SID, exchange

from chatproxy.checks.apart import check_apart
from chatproxy.checks.openapi import asked, check_exchanges
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import ConfigError
from chatproxy.core.review.findings import Checked

pytestmark = pytest.mark.process
CASSETTE = MemoryCassette("a", [exchange("GET", f"/v1/Items/{SID}", GOOD | {"odd": "a" * 40 + "!"})], RULES)


def written(path: Path, **schemas: Any) -> Path:
    path.write_text(json.dumps(DOCUMENT | {"components": {"schemas": DOCUMENT["components"]["schemas"] | schemas}}))
    return path


def apart(path: Path, seconds: float = 20) -> list[Checked]:
    return list(check_apart(CASSETTE, RULES, path, seconds))


def test_a_process_of_its_own_finds_the_same(tmp_path: Path) -> None:
    path = written(tmp_path / "document.json")
    assert apart(path) == list(check_exchanges(asked(CASSETTE, RULES), path))
    assert apart(path)[0].findings


def test_a_document_that_cannot_be_used_is_refused_as_ever(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--openapi: \S+none\.json cannot be read: No such file or directory$"):
        apart(tmp_path / "none.json")


def allof(depth: int) -> dict[str, Any]:
    """Return schemas that lead to 3 to the power of so many others."""
    return {f"s{nth}": {"allOf": [{"$ref": f"#/components/schemas/s{nth + 1}"}] * 3} for nth in range(depth)}


@pytest.mark.parametrize(
    "schemas",
    [
        {"item": {"$ref": "#/components/schemas/s0"}, **allof(25), "s25": {"type": "object"}},
        {"item": {"type": "object", "properties": {"odd": {"type": "string", "pattern": "^(a+)+$"}}}},
    ],
    ids=["allOf", "pattern"],
)
def test_a_document_that_takes_long_is_refused_when_the_time_is_up(tmp_path: Path, schemas: dict[str, Any]) -> None:
    begin = monotonic()
    with pytest.raises(ConfigError, match=r"^--openapi: \S+ takes more than 3\.1 s to check; take repeated allOf, "):
        apart(written(tmp_path / "long.json", **schemas), 3)
    assert monotonic() - begin < 20


@pytest.mark.parametrize(
    "schemas",
    [
        {"item": {"$ref": "#/components/schemas/item"}},
        {"item": {"allOf": [{"$ref": "#/components/schemas/item"}]}},
        {"item": {"$ref": "#/components/schemas/none"}},
        {"item": {"type": "object", "properties": {"odd": {"pattern": "("}}}},
        {"item": []},
    ],
)
def test_any_other_document_that_leads_nowhere_is_refused_in_one_line(tmp_path: Path, schemas: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^--openapi: [^\n]+$"):
        apart(written(tmp_path / "nowhere.json", **schemas))
