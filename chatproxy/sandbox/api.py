"""The sandbox as an HTTP handler: it reads a request, acts, waits and answers.

Clock, chance and sockets are here, and nothing of what the API means. Chance is drawn when a request has been
read, so the same seed and the same order of requests give the same SIDs, delays and failures.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

from aiohttp import HttpVersion11, web

from chatproxy.core.errors import error_json
from chatproxy.core.products.every import TWILIO_HOST
from chatproxy.core.products.sid_types import REQUEST
from chatproxy.sandbox.calls import Call, account_of, form_of, pairs_of, root_of, target_of
from chatproxy.sandbox.messages import ApiError, Messages, make_sid
from chatproxy.sandbox.operations import Answer, answer, refusal

_FAILURES = (
    Answer(429, error_json(429, "Too Many Requests", 20429)),
    Answer(500, b'{"message": "An error occurred", "status": 500}'),  # the one error seen without a code
    Answer(503, error_json(503, "Service Unavailable")),
)
"""What an upstream in trouble says; none of these requests was processed (https://www.twilio.com/docs/api/errors/20429)."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """How the sandbox behaves: ``latency`` is the least and the most of seconds that it waits before an answer.

    ``fail_rate`` is the share, 0 to 1, of the requests answered with 429, 500 or 503 and not processed.
    ``start_time`` (aware) is the moment at which its clock begins; None stands for the real time.
    """

    seed: int = 0
    latency: tuple[float, float] = (0.0, 0.0)
    fail_rate: float = 0.0
    start_time: datetime | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.latency[0] <= self.latency[1] < float("inf"):
            raise ValueError(f"latency is a minimum and a maximum in seconds, not {self.latency}")
        if not 0 <= self.fail_rate <= 1:
            raise ValueError(f"fail_rate is a share from 0 to 1, not {self.fail_rate}")
        if self.start_time is not None and self.start_time.utcoffset() is None:
            raise ValueError("start_time needs a time zone")


class Sandbox:
    """A stand-in for chat.twilio.com's messages: ``handle`` is a handler for aiohttp's low-level ``web.Server``.

    It answers every request itself and raises nothing. Its data live as long as it does.
    """

    def __init__(self, settings: SandboxSettings = SandboxSettings()) -> None:
        self._settings = settings
        self._messages = Messages(settings.seed)
        self._random = random.Random(settings.seed)
        # From here on the clock is monotonic: no message can be updated before it was created.
        self._start = (settings.start_time or datetime.now(UTC)).astimezone(UTC)
        self._started = time.monotonic()
        self._requests = 0
        self._concurrent = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request. Its effect is there once it has been read, however long the answer then takes."""
        self._concurrent += 1
        try:
            try:
                body = await _read(request)
            except ApiError as error:
                result, delay = refusal(error), 0.0
            else:
                result, delay = self._decide(request, body)
            headers = self._headers(delay)
            await asyncio.sleep(delay)
        finally:
            self._concurrent -= 1
        return _response(result, headers)

    def _decide(self, request: web.BaseRequest, body: bytes) -> tuple[Answer, float]:
        """Return the answer and how many seconds it waits."""
        # Always three draws, so that one setting does not shift what another one draws.
        fate, failure, delay = (self._random.random() for _ in range(3))
        least, most = self._settings.latency
        if fate < self._settings.fail_rate:
            result = _FAILURES[int(failure * len(_FAILURES))]
        else:
            result = self._act(request, body)
        return result, least + (most - least) * delay

    def _act(self, request: web.BaseRequest, body: bytes) -> Answer:
        try:
            return answer(self._messages, self._call(request, body), self._now())
        except ApiError as error:
            return refusal(error)

    def _call(self, request: web.BaseRequest, body: bytes) -> Call:
        return Call(
            method=request.method,
            account_sid=account_of(request.headers.get("Authorization"), self._settings.seed),
            target=target_of(request.rel_url.raw_path),
            root=root_of(request.scheme, request.host),
            query=pairs_of(request.rel_url.raw_query_string),
            form=form_of(body),
        )

    def _now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._started)

    def _headers(self, delay: float) -> dict[str, str]:
        """Return the headers that all answers share, in the order of real answers.

        They are those of the same API edge since 2020. ETag and Last-Modified were never seen on chat. The
        duration is the delay drawn, so that it too depends on the seed alone.
        """
        self._requests += 1
        return {
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Headers": (
                "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since"
            ),
            "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "ETag",
            "Content-Type": "application/json; charset=utf-8",
            "Date": format_datetime(self._now(), usegmt=True),
            "Strict-Transport-Security": "max-age=31536000",
            "Twilio-Concurrent-Requests": str(self._concurrent),
            "Twilio-Request-Duration": f"{delay:.3f}",
            "Twilio-Request-Id": make_sid(REQUEST, self._settings.seed, self._requests),
            "X-API-Domain": TWILIO_HOST,
            "X-Home-Region": "us1",
            "X-Powered-By": "AT-5000",
            "X-Shenanigans": "none",
        }


async def _read(request: web.BaseRequest) -> bytes:
    """Return the request's body, of 1 MiB at most, aiohttp's own limit; raise ApiError if it cannot be had."""
    # aiohttp's low-level server leaves this to its handler (RFC 9110 section 10.1.1).
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise ApiError(413, "Request entity too large") from error
    except (web.RequestPayloadError, ConnectionError) as error:  # a wrong encoding, or nobody is left
        raise ApiError(400, "Invalid request body.", 20001) from error


def _response(result: Answer, headers: dict[str, str]) -> web.Response:
    # aiohttp adds a Server header that cannot be left out; ours at least does not pass for Twilio's.
    return web.Response(
        status=result.status,
        reason=HTTPStatus(result.status).phrase.upper(),
        body=result.body,
        headers={**headers, **result.headers, "Server": "chatproxy-sandbox"},
    )
