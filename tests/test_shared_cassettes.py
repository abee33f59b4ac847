"""What lies under cassettes/ is what it is said to be."""

import io
import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from fixture.fixtures import read

from chatproxy.fixture import write_fixture

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT.parent / "shared" / "twilio" / "reference_examples.json"


@pytest.mark.parametrize("path", sorted((ROOT / "cassettes").glob("*.json")), ids=lambda path: path.name)
def test_a_cassette_is_as_the_writer_writes_it(path: Path) -> None:
    text = path.read_text("utf-8")
    document = read(text, str(path))
    again = io.StringIO()
    write_fixture(document.name, document.exchanges, again, document.declared)
    assert again.getvalue() == text
    assert document.name == path.stem


def test_the_reference_cassette_has_the_reference_pages_examples() -> None:
    if not EXAMPLES.exists():
        pytest.skip("the reference page's examples are not here")
    examples = json.loads(EXAMPLES.read_text())["exchanges"]
    exchanges = read((ROOT / "cassettes/reference.json").read_text(), "reference.json").exchanges
    assert len(list(exchanges)) == len(examples)
    for exchange, example in zip(exchanges, examples, strict=True):
        request, response = exchange.request, exchange.response
        path, _, query = request.target.decode().partition("?")
        assert (request.method, path) == (example["request"]["method"], example["request"]["path"])
        assert dict(parse_qsl(query)) == example["request"].get("query", {})
        assert dict(parse_qsl(request.body.decode())) == example["request"].get("form", {})
        assert response.status == example["response"]["status"]
        expected = example["response"]["body"]
        assert response.body == (b"" if expected is None else json.dumps(expected).encode())
