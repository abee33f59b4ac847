"""The table of Chat v1 agrees with Twilio's OpenAPI document, where that is beside the repository."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatproxy.core.products.chat import CHAT_V1, MESSAGES
from chatproxy.core.products.every import DATES

DOCUMENT = Path(__file__).parents[4] / "shared" / "twilio" / "twilio_chat_v1.json"


@pytest.fixture
def document() -> Any:
    if not DOCUMENT.is_file():
        pytest.skip(f"Twilio's OpenAPI document ({DOCUMENT.name}) is not beside the repository")
    return json.loads(DOCUMENT.read_text("utf-8"))


def test_each_path_of_the_table_is_in_the_document(document: Any) -> None:
    paths = {re.sub(r"\{\w+\}", "{}", path) for path in document["paths"]}
    assert {collection.path for collection in CHAT_V1.collections} <= paths
    assert all(path.startswith(f"/{CHAT_V1.version}/") for path in paths)


def test_what_users_write_is_sent_and_repeated(document: Any) -> None:
    sent = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            for content in (
                operation.get("requestBody", {}).get("content", {}).values() if "responses" in operation else ()
            ):
                sent |= content["schema"].get("properties", {}).keys()
    shown = {name for schema in document["components"]["schemas"].values() for name in schema.get("properties", {})}
    later = {"LastUpdatedBy": "last_updated_by"}  # of version 2, which answers under the same host
    assert CHAT_V1.written.keys() - later.keys() <= sent
    assert set(CHAT_V1.written.values()) - set(later.values()) <= shown


def test_the_fields_with_instants_are_those_of_the_document(document: Any) -> None:
    formats = {
        name: one.get("format")
        for schema in document["components"]["schemas"].values()
        for name, one in schema.get("properties", {}).items()
    }
    dates = {name for name, form in formats.items() if form == "date-time"}
    assert dates
    assert {name for name in formats if re.fullmatch(DATES, name)} == dates


def test_the_parameters_of_lists_are_those_of_the_document(document: Any) -> None:
    path = next(path for path in document["paths"] if re.sub(r"\{\w+\}", "{}", path) == MESSAGES.path)
    asked = {one["name"] for one in document["paths"][path]["get"]["parameters"]}
    lists = CHAT_V1.lists
    assert {lists.token, lists.newest_first.partition("=")[0]} <= asked
    assert {pair.partition("=")[0] for pair in MESSAGES.list_defaults} <= asked
