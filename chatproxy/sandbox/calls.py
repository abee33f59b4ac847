"""What a request asks for, read from its path, its query, its form and its credentials.

All of it comes from outside: whatever cannot be read becomes an ApiError, never another exception.
"""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from chatproxy.core.http.grammar import HOST
from chatproxy.sandbox.messages import ApiError, make_sid

_SERVICE_SID = re.compile(r"IS[0-9a-fA-F]{32}")
_USER = re.compile(r"(?:AC|SK)[0-9a-fA-F]{32}")
_MAX_PAIRS = 1000  # an answer to floods of empty parameters; the API knows eight


@dataclass(frozen=True, slots=True)
class Target:
    """The resource that a path names: a channel's messages, or one of them if ``sid`` is given.

    ``channel`` is the decoded segment, a SID or a unique name. The OpenAPI document contradicts itself here: its
    text allows both, its pattern only a SID.
    """

    path: str
    service_sid: str
    channel: str
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read: ``root`` is the scheme and the host by which it came, e.g. ``http://127.0.0.1:8080``."""

    method: str
    account_sid: str
    target: Target
    root: str
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)


def account_of(authorization: str | None, seed: int) -> str:
    """Return the account that HTTP Basic credentials belong to; raise ApiError (401) if they are none.

    The sandbox keeps no passwords: any that is not empty will do. An API key (SK) belongs to an account of its
    own, always the same for the same seed.
    """
    user, _, password = _basic(authorization or "").partition(":")
    if not _USER.fullmatch(user) or not password:
        raise ApiError(401, "Authenticate", 20003, {"WWW-Authenticate": 'Basic realm="Twilio API"'})
    return user if user.startswith("AC") else make_sid("AC", seed, user)


def target_of(raw_path: str) -> Target:
    """Return the resource that a path, still percent-encoded, names; raise ApiError (404) if it names none."""
    path = raw_path.removeprefix("/v1")
    match [_decoded(segment) for segment in raw_path.split("/")]:
        case ["", "v1", "Services", service, "Channels", channel, "Messages", *rest] if (
            service and _SERVICE_SID.fullmatch(service) and channel and all(rest) and not rest[1:]
        ):
            return Target(path, service, channel, rest[0] if rest else None)
    raise not_found(path)


def not_found(path: str) -> ApiError:
    """Return the error for a path, without its ``/v1``, that leads nowhere.

    Chat has a code of its own for a missing message, 50500, but the REST answers that were seen use 20404.
    """
    return ApiError(404, f"The requested resource {path} was not found", 20404)


def root_of(scheme: str, host: str) -> str:
    """Return the start of absolute URLs; raise ApiError (400) for a Host that would make them none (RFC 9112, 3.2)."""
    if not HOST.fullmatch(host):
        raise ApiError(400, "Invalid Host.", 20001)
    return f"{scheme}://{host}"


def pairs_of(encoded: str) -> dict[str, str]:
    """Read a query or an ``application/x-www-form-urlencoded`` form; of a repeated name the last value counts."""
    try:
        return dict(parse_qsl(encoded, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PAIRS))
    except ValueError as error:  # too many of them, or text that is not UTF-8
        raise ApiError(400, "Invalid parameters.", 20001) from error


def form_of(body: bytes) -> dict[str, str]:
    """Read a request's body as a form, whatever its Content-Type says: the API knows no other kind."""
    try:
        return pairs_of(body.decode())
    except UnicodeDecodeError as error:
        raise ApiError(400, "Invalid parameters.", 20001) from error


def _basic(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(token.strip(), validate=True).decode()
    except ValueError:  # not base64, or not UTF-8
        return ""


def _decoded(segment: str) -> str | None:
    """Return the segment's text, or None if its bytes are not UTF-8."""
    try:
        text = unquote(segment, errors="strict")
        text.encode()  # fails for the lone surrogates that stand for raw bytes
    except UnicodeError:
        return None
    return text
