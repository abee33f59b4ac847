"""What is recorded, and so what is asked: messages of one account, spelled as the service spells them.

Every cassette is a program that somebody could have run:

- ``fetches``: lists a channel in pages of 100 messages, then fetches the messages one by one, which gives them
  SIDs of the replay's own; and fetches others, whose SIDs it brought along.
- ``lists``: reads the first messages of many channels.
- ``creates``: writes messages to a channel.
- ``mixed``: writes, fetches what it wrote, and now and then lists the last 50.
"""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from chatproxy.core.model import Exchange, Headers, Request, Response

UPSTREAM = "https://chat.twilio.com"
ACCOUNT = "AC" + "c" * 32
SERVICE = "IS" + "a" * 32
CHANNEL = "CH" + "b" * 32
BEGIN = 1_767_225_600
"""The second in which every recording begins, since 1970."""

AUTHORIZATION = "Basic " + b64encode(f"{ACCOUNT}:a-token-of-no-account-at-all-00000".encode()).decode()
"""What every client of the service sends; it also chooses the session."""

PAGE = 100
_LOCAL = "http://127.0.0.1:8765"
_FORM: Headers = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
_STEP = 100
"""So many µs after an exchange the next one begins, if it is a read."""

_OWN = 1_000_000
"""The index of the first message; all have as many digits, so that all answers have one length."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a client, and the answer that was recorded for it."""

    method: str
    target: str
    status: int
    answer: bytes
    body: bytes = b""


def messages_path(channel: str = CHANNEL) -> str:
    """Return the path of a channel's messages."""
    return f"/v1/Services/{SERVICE}/Channels/{channel}/Messages"


def message(index: int, channel: str = CHANNEL, created: int = BEGIN) -> dict[str, object]:
    """Return a message of 620 bytes, made in this second."""
    sid = f"IM{int(channel[2:], 16) % 2**64:016x}{index:016x}"
    return {
        "sid": sid,
        "account_sid": ACCOUNT,
        "service_sid": SERVICE,
        "to": channel,
        "channel_sid": channel,
        "date_created": _instant(created),
        "date_updated": _instant(created),
        "last_updated_by": None,
        "was_edited": False,
        "from": "system",
        "attributes": "{}",
        "body": text(index),
        "index": _OWN + index,
        "url": f"{UPSTREAM}{messages_path(channel)}/{sid}",
    }


def text(index: int) -> str:
    """Return what a message says."""
    return f"message {index:07d}"


def listed(messages: list[dict[str, object]], channel: str, size: int, page: int, *, more: bool) -> bytes:
    """Return a page of a list."""
    base = f"{UPSTREAM}{messages_path(channel)}"
    meta = {
        "page": page,
        "page_size": size,
        "first_page_url": base + page_query(size, 0),
        "previous_page_url": base + page_query(size, page - 1) if page else None,
        "url": base + page_query(size, page),
        "next_page_url": base + page_query(size, page + 1) if more else None,
        "key": "messages",
    }
    return json.dumps({"meta": meta, "messages": messages}).encode()


def page_query(size: int, page: int) -> str:
    """Return the query of a list's page."""
    token = f"&PageToken=PT{size * page}" if page else ""
    return f"?PageSize={size}&Page={page}{token}"


def pages(total: int) -> Iterator[Asked]:
    """Yield the pages of 100 messages that list so many."""
    for page in range(-(-total // PAGE)):
        first, last = page * PAGE, min(total, (page + 1) * PAGE)
        shown = [message(index, created=BEGIN - total + index) for index in range(first, last)]
        yield Asked(
            "GET",
            messages_path() + page_query(PAGE, page),
            200,
            listed(shown, CHANNEL, PAGE, page, more=last < total),
        )


def fetch(index: int, total: int) -> Asked:
    """Return the fetch of one of so many messages."""
    one = message(index, created=BEGIN - total + index if index < total else BEGIN - total - 1)
    return Asked("GET", f"{messages_path()}/{one['sid']}", 200, json.dumps(one).encode())


def fetches(total: int, unlisted: int = 1) -> Iterator[Asked]:
    """Yield the pages that list so many messages, a fetch of each, and fetches of others."""
    yield from pages(total)
    yield from (fetch(index, total) for index in range(total + unlisted))


def lists(channels: int, size: int = 50) -> Iterator[Asked]:
    """Yield the first page of so many channels."""
    for number in range(channels):
        yield channel_list(number, size)


def channel_list(number: int, size: int = 50) -> Asked:
    """Return the first page of a channel."""
    channel = f"CH{number + 1:032x}"
    shown = [message(index, channel, BEGIN - 10 * size + index) for index in range(size)]
    target = messages_path(channel) + page_query(size, 0)
    return Asked("GET", target, 200, listed(shown, channel, size, 0, more=False))


def creates(total: int) -> Iterator[Asked]:
    """Yield so many creates."""
    return (create(index) for index in range(total))


def create(index: int) -> Asked:
    """Return the create of a message, made a second after the one before."""
    answer = json.dumps(message(index, created=BEGIN + index)).encode()
    return Asked("POST", messages_path(), 201, answer, f"Body={text(index).replace(' ', '+')}".encode())


def mixed(total: int) -> Iterator[Asked]:
    """Yield creates, after each a fetch of what it made, and a list of the last 50 in place of every 50th pair."""
    made = 0
    for number in count():
        if 2 * number >= total:
            return
        if number % 50 == 49:
            shown = [message(index, created=BEGIN + index) for index in range(max(0, made - 50), made)]
            yield Asked(
                "GET",
                messages_path() + "?Order=desc&" + page_query(50, 0)[1:],
                200,
                listed(shown[::-1], CHANNEL, 50, 0, more=False),
            )
            continue
        yield create(made)
        one = message(made, created=BEGIN + made)
        yield Asked("GET", f"{messages_path()}/{one['sid']}", 200, json.dumps(one).encode())
        made += 1


def exchanges(asked: Iterator[Asked]) -> Iterator[Exchange]:
    """Yield the exchanges of a program that asks one after another, and waits a second before each write."""
    last, second = 0, BEGIN
    for number, one in enumerate(asked, 1):
        second += one.method == "POST"
        moment = second * 1_000_000 + number * _STEP
        request = Request(one.method, one.target.encode(), _FORM if one.body else (), one.body, _LOCAL)
        reason = b"CREATED" if one.method == "POST" else b"OK"
        response = Response(one.status, reason, headers(number, moment // 1_000_000), one.answer)
        yield Exchange(number, request, response, UPSTREAM, moment, moment + _STEP // 2, last, ACCOUNT)
        last = number if one.method == "POST" else last


def headers(number: int, second: int) -> Headers:
    """Return an answer's headers."""
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))
    return (
        (b"Content-Type", b"application/json; charset=utf-8"),
        (b"Date", date.encode()),
        (b"Twilio-Request-Id", b"RQ%032x" % number),
        (b"Access-Control-Allow-Origin", b"*"),
    )


def _instant(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
