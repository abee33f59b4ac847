"""Twilio's OpenAPI document against the sandbox's answers.

The document contradicts itself in two places, and the sandbox follows its text: a channel may be named by its
unique name, which the parameter's pattern does not allow, so only channels named by SID are looked at here; and
dates are called RFC 2822 but typed ``date-time``, as they are in its examples.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.validation.response.exceptions import InvalidData
from pytest_aiohttp.plugin import AiohttpClient, AiohttpRawServer
from yarl import URL

from chatproxy.sandbox import Sandbox

DOCUMENT = Path(__file__).parents[2].parent / "shared/twilio/twilio_chat_v1.json"
PATH = f"/v1/Services/IS{'a' * 32}/Channels/CH{'B' * 32}/Messages"
AUTH = {"Authorization": aiohttp.encode_basic_auth("SK" + "a" * 32, "secret")}


@dataclass
class Asked:
    """A request as openapi-core wants it; the document knows the service by one host."""

    method: str
    path: str
    host_url: str = "https://chat.twilio.com"
    content_type: str = "application/x-www-form-urlencoded"
    body: bytes | None = None
    parameters: RequestParameters = field(default_factory=RequestParameters)


@dataclass
class Answered:
    status_code: int
    headers: dict[str, str]
    data: bytes | None

    @property
    def content_type(self) -> str:
        return self.headers["Content-Type"].lower()


@pytest.fixture(scope="module")
def document() -> OpenAPI:
    if not DOCUMENT.exists():
        pytest.skip("Twilio's OpenAPI document (twilio_chat_v1.json) is not beside the repository")
    return OpenAPI.from_dict(json.loads(DOCUMENT.read_text()))


@pytest.fixture
async def client(aiohttp_client: AiohttpClient, aiohttp_raw_server: AiohttpRawServer) -> TestClient[Any, None]:
    return await aiohttp_client(await aiohttp_raw_server(Sandbox().handle), headers=AUTH)


async def exchanged(
    client: TestClient[Any, None], method: str, url: str, form: dict[str, str] | None = None
) -> tuple[Asked, Answered]:
    async with client.request(method, url, data=form) as response:
        answered = Answered(response.status, dict(response.headers), await response.read())
    return Asked(method.lower(), URL(url).path), answered


async def test_every_successful_answer_is_as_the_document_says(
    client: TestClient[Any, None], document: OpenAPI
) -> None:
    _, made = await exchanged(client, "POST", PATH, {"Body": ""})
    member = f"{PATH}/{json.loads(made.data or b'')['sid']}"
    calls = [
        ("POST", PATH, {"Body": "Hi \u00e9"}, 201),
        ("POST", PATH, {"Body": "Hi", "From": "bob", "Attributes": '{"a": [1, null]}'}, 201),
        ("GET", member, None, 200),
        ("POST", member, {}, 200),
        ("POST", member, {"Body": "New", "Attributes": '{"b": 2}'}, 200),
        ("GET", member, None, 200),
        ("GET", PATH, None, 200),
        ("GET", f"{PATH}?PageSize=1&Page=1&PageToken=PT1&Order=desc", None, 200),
        ("GET", PATH.replace("B", "C"), None, 200),
        ("DELETE", member, None, 204),
    ]
    for method, url, form, status in calls:
        asked, answered = await exchanged(client, method, url, form)
        assert answered.status_code == status
        document.validate_response(asked, answered)


async def test_the_document_would_show_a_wrong_answer(client: TestClient[Any, None], document: OpenAPI) -> None:
    asked, answered = await exchanged(client, "POST", PATH, {"Body": "x"})
    answered.data = (answered.data or b"").replace(b'"IM', b'"XX')
    with pytest.raises(InvalidData):
        document.validate_response(asked, answered)
