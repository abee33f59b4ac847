"""How the value of a setting is read that says where something is on the network, beside those of ``values``."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from chatproxy.config.values import Address, address
from chatproxy.core.http.grammar import ORIGIN


@dataclass(frozen=True, slots=True)
class SocketFile:
    """A socket in the file system, at which a server listens."""

    path: Path


Listener = Address | SocketFile
"""Where a server listens."""


def listener(raw: object) -> Listener:
    """Read ``HOST:PORT`` or ``unix:PATH``."""
    text = str(raw)
    if not text.startswith(_UNIX):
        try:
            return address(raw)
        except ValueError as error:
            raise ValueError(f"{error} or unix:PATH") from error
    path = text.removeprefix(_UNIX)
    if not path or "\0" in path:
        raise ValueError(f"{raw!r} is no unix:PATH")
    return SocketFile(Path(path))


_UNIX = "unix:"


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """A proxy on the way to the upstream, and who asks it; the password is never shown."""

    origin: str
    user: str | None = None
    password: str = field(default="", repr=False)


def proxy_address(raw: object) -> ProxyAddress:
    """Read ``http://HOST:PORT``, or with ``USER:PASSWORD@``; it is never shown."""
    scheme, mark, rest = str(raw).partition("://")
    access, at, place = rest.rpartition("@")
    if mark and scheme.lower() != "http":
        raise ValueError("is no http:// URL: a proxy is asked in plain HTTP only")
    origin = f"http://{place.removesuffix('/').lower()}"
    if not mark or not ORIGIN.fullmatch(origin):
        raise ValueError("is no URL of a proxy as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")
    return ProxyAddress(origin, *_access(access)) if at else ProxyAddress(origin)


def _access(text: str) -> tuple[str, str]:
    """Read ``USER:PASSWORD``; what an URL has no character for stands as in ``%40``."""
    before, _, after = text.partition(":")
    user, password = unquote(before), unquote(after)
    if not user or ":" in user or not (user + password).isprintable():
        raise ValueError("has no USER:PASSWORD before the @ (RFC 7617 section 2)")
    return user, password
