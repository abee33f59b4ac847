"""The control API: what a proxy's own listener answers below ``/__chatproxy/``, in every mode.

On the loopback it is open to the machine's programs, but not to the web pages that a browser there shows. On any
other address a token is demanded, and wherever one was given; without it, health says its status alone. A socket in the
file system is open to those who may use that file.
"""

import hmac
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

import orjson

from chatproxy import __version__
from chatproxy.core.errors import RequestError, error_json
from chatproxy.core.http.headers import OWN_FIELDS
from chatproxy.core.model import Headers, Request, Response, header_values
from chatproxy.core.report.report import Report
from chatproxy.core.twilio.visitors import Visitors

_PREFIX = "/__chatproxy/"
_JSON = (b"Content-Type", b"application/json; charset=utf-8")
_NO_CONTENT = Response(204, b"No Content", OWN_FIELDS)

Handler = Callable[[Request, str], Response]


class Control:
    """Answers for the engine that ``report`` reports on.

    ``visitors`` says whose requests are taken, ``token`` is what is demanded, if one is.
    """

    def __init__(self, report: Report, visitors: Visitors, token: str | None) -> None:
        self._report = report
        self._visitors = visitors
        self._token = token
        self._routes: dict[str, tuple[str, Handler]] = {
            "health": ("GET", self._health),
            "journal": ("GET", self._journal),
            "report": ("GET", self._whole_report),
            "sessions": ("DELETE", self._end_all),
            "sessions/": ("DELETE", self._end),
        }

    def answer(self, request: Request, named: str) -> Response | None:
        """Return the answer to a request of the control API, whose client named this address, None for any other."""
        if b"%" not in request.target and not request.target.startswith(_PREFIX.encode()):
            return None  # as nearly every request: a twentieth of what decoding costs
        path = unquote_to_bytes(request.path).decode("utf-8", "replace")
        if not path.startswith(_PREFIX):
            return None
        try:
            path = path.removeprefix(_PREFIX)
            self._visitors.check(named, request.headers)
            if self._token is not None and path == "health" and not _names_anybody(request.headers):
                return self._allowed(request, "GET") or _content({"status": "ok"})
            self._check_token(request)
            return self._route(request, path)
        except RequestError as error:
            extra = _CHALLENGE if error.status == HTTPStatus.UNAUTHORIZED else ()
            return _json(error.status, error_json(error.status, str(error)), extra)

    def _check_token(self, request: Request) -> None:
        if self._token is not None and not _bears(request.headers, self._token):
            raise RequestError(401, "the control API demands its token as Authorization: Bearer TOKEN")

    def _route(self, request: Request, path: str) -> Response:
        first, slash, rest = path.partition("/")
        method, handler = self._routes.get(first + slash, ("", None))
        if handler is None:
            known = ", ".join(_PREFIX + path for path in self._routes)
            raise RequestError(404, f"there is no such path in the control API, which has {known}")
        return self._allowed(request, method) or handler(request, rest)

    def _allowed(self, request: Request, method: str) -> Response | None:
        """Return a refusal of another method than this one; HEAD is taken as GET is (RFC 9110 section 9.1)."""
        methods = ("GET", "HEAD") if method == "GET" else (method,)
        if request.method in methods:
            return None
        refusal = RequestError(405, f"the control API takes only {' and '.join(methods)} at this path")
        allow = ", ".join(methods).encode()
        return _json(refusal.status, error_json(refusal.status, str(refusal)), ((b"Allow", allow),))

    def _health(self, request: Request, rest: str) -> Response:
        report = self._report
        return _content({"status": "ok", "mode": report.mode, "cassette": report.name, "version": __version__})

    def _journal(self, request: Request, rest: str) -> Response:
        given = parse_qs(request.target.partition(b"?")[2].decode(), keep_blank_values=True)
        session, limit = (given.get(name, [None])[-1] for name in ("session", "limit"))
        if limit is not None and not (limit.isascii() and limit.isdigit() and len(limit) <= _DIGITS):
            raise RequestError(400, "limit is no number of journal entries")
        journal = self._report.engine.journal
        entries = journal.entries(session, None if limit is None else int(limit))
        return _content({"noted": journal.count, "entries": entries})

    def _whole_report(self, request: Request, rest: str) -> Response:
        return _content(self._report.content())

    def _end_all(self, request: Request, rest: str) -> Response:
        if (sessions := self._report.engine.sessions) is not None:
            sessions.end_all()
        return _NO_CONTENT

    def _end(self, request: Request, name: str) -> Response:
        sessions = self._report.engine.sessions
        if sessions is None or not sessions.end(name):
            raise RequestError(404, "there is no session of this name")
        return _NO_CONTENT


_DIGITS = 9

_CHALLENGE: Headers = ((b"WWW-Authenticate", b"Bearer"),)
"""What a 401 must carry (RFC 9110 section 11.6.1), as a 405 must carry Allow (section 15.5.6)."""


def _names_anybody(headers: Headers) -> bool:
    return any(True for _ in header_values(headers, b"authorization"))


def _bears(headers: Headers, token: str) -> bool:
    given = next(header_values(headers, b"authorization"), b"")
    scheme, _, credentials = given.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(credentials.strip(), token.encode())


def _content(content: dict[str, Any]) -> Response:
    return _json(200, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))


def _json(status: int, body: bytes, extra: Headers = ()) -> Response:
    return Response(status, HTTPStatus(status).phrase.encode(), (_JSON, *OWN_FIELDS, *extra), body)
