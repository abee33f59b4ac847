"""What the tests of real twilio clients share: the client, a program that calls it, and a guard on where it goes."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "fedcba9876543210" * 2
SERVICE = "IS" + "0123456789abcdef" * 2
CHANNEL = "CH" + "0123456789abcdef" * 2

BODIES = ("1 + 1 = 2", "é, 世界", "a & b=c; 100 %", "", "line\nbreak\ttab", "{not: json}", "+&é")
ATTRIBUTES = '{"nested": {"list": [1, 2.5, null, {"é": "+ & ="}], "deep": {"a": {"b": {}}}}, "flag": true}'
RESPELLED = '{ "flag":true,\n"nested":{"deep":{"a":{"b":{ } }}, "list":[1,2.5,null,{"\\u00e9":"\\u002b & ="}]}}'
"""The same attributes with other white space, another order of names and other escapes."""

Step = tuple[str, Any]
"""What was called, and what it gave in plain values."""

NO_EDGE = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}


class CountingHttpClient(TwilioHttpClient):  # type: ignore[misc]  # the package ships no types
    """The package's own HTTP client, with a list of what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Make the request."""
        self.asked.append(f"{method} {url}")
        return super().request(method, url, *args, **kwargs)


@contextmanager
def messages_at(url: str, channel: str = CHANNEL, token: str = TOKEN) -> Iterator[tuple[Any, list[str]]]:
    """Give the messages of a channel as the client sees them by this base URL, and a list of its requests."""
    http = CountingHttpClient()
    client = Client(ACCOUNT, token, http_client=http, environment=NO_EDGE)
    client.chat.base_url = url
    try:
        yield client.chat.v1.services(SERVICE).channels(channel).messages, http.asked
    finally:
        assert http.session is not None
        http.session.close()


def program(messages: Any, attributes: str) -> Iterator[Step]:
    """Call all five operations, lists in every way, as a user's program would."""
    sids = []
    for body in BODIES:
        made = messages.create(body=body, from_="alice", attributes=attributes)
        sids.append(made.sid)
        yield f"create {body!r}", plain(made)
    yield "create, all by default", plain(messages.create(body="last"))
    yield "list", [plain(one) for one in messages.list()]
    yield "list by twos", [plain(one) for one in messages.list(page_size=2)]
    yield "list five by twos", [plain(one) for one in messages.list(limit=5, page_size=2)]
    yield "list three", [plain(one) for one in messages.list(limit=3)]
    yield "list 5000", [plain(one) for one in messages.list(limit=5000)]
    yield "list backwards", [plain(one) for one in messages.list(order="desc", page_size=3)]
    yield "stream", [plain(one) for one in messages.stream(page_size=3)]
    yield "pages", list(_there_and_back(messages))
    yield "fetch", plain(messages(sids[2]).fetch())
    yield "update body", plain(messages(sids[0]).update(body="é + &"))
    yield "update attributes", plain(messages(sids[0]).update(attributes=attributes))
    yield "update nothing", plain(messages(sids[0]).update())
    yield "update to empty", plain(messages(sids[3]).update(body=""))
    yield "fetch updated", plain(messages(sids[0]).fetch())
    yield "delete", messages(sids[1]).delete()
    yield "fetch deleted", _error(messages(sids[1]).fetch)
    yield "list after", [plain(one) for one in messages.list(limit=20)]


def _there_and_back(messages: Any) -> Iterator[list[Any]]:
    page = messages.page(page_size=3)
    while following := page.next_page():
        yield [plain(one) for one in page]
        page = following
    while page:
        yield [plain(one) for one in page]
        page = page.previous_page()


def _error(call: Any) -> dict[str, Any]:
    with pytest.raises(TwilioRestException) as caught:
        call()
    return {"status": caught.value.status, "code": caught.value.code}


def plain(message: Any) -> dict[str, Any]:
    """Return all public properties of a message under the names that the API's other clients use."""
    fields = {_camel(name): value for name, value in vars(message).items() if name == "_from" or name[0] != "_"}
    for name in ("dateCreated", "dateUpdated"):
        assert isinstance(fields[name], datetime), f"{name} was not understood: {fields[name]}"
        fields[name] = fields[name].strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return fields


def _camel(name: str) -> str:
    first, *others = name.strip("_").split("_")
    return first + "".join(map(str.capitalize, others))


def anywhere(steps: list[Step], url: str) -> list[Step]:
    """Replace the address by which the proxy was reached, which differs from run to run."""
    return [(call, _replaced(result, url)) for call, result in steps]


def _replaced(value: Any, url: str) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(one, url) for name, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, url) for one in value]
    return value.replace(url + "/", "http://proxy/") if isinstance(value, str) else value


@dataclass
class Guard:
    """Where this process wanted to go: hosts whose addresses it asked for, and addresses that it connected to."""

    hosts: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)

    @property
    def outside(self) -> set[str]:
        """All that is not on this machine's loopback."""
        return (self.hosts | self.addresses) - {"127.0.0.1"}


@contextmanager
def guarded() -> Iterator[Guard]:
    """Refuse every connection and look-up of this process that is not for 127.0.0.1, and note all of them."""
    guard = Guard()
    look_up, connect, connect_ex = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex

    def noted(seen: set[str], host: Any) -> None:
        seen.add(str(host))
        if host != "127.0.0.1":
            raise OSError(f"the test lets nobody go to {host}")

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        noted(guard.hosts, host)
        return look_up(host, *args, **kwargs)

    def guarded_connect(self: socket.socket, address: Any) -> None:
        noted(guard.addresses, address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        noted(guard.addresses, address[0])
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        yield guard
