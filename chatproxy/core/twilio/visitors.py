"""Whose requests a listener takes: those of programs, and none that a web page of another site has a browser send.

1. Where only some names are taken, a request names one of them: a page whose name was made to resolve to the listener's
   address (DNS rebinding) comes with its own.
2. What a browser says of the page a request comes from is heeded: ``Origin`` (RFC 6454 section 7), and
   ``Sec-Fetch-Site`` (https://www.w3.org/TR/fetch-metadata/), which stands on requests without ``Origin`` too.
"""

import re
from dataclasses import dataclass

from chatproxy.core.errors import RequestError
from chatproxy.core.model import Headers
from chatproxy.core.text.excerpts import cut
from chatproxy.core.twilio.origins import DEFAULT_PORTS, is_twilio

_LOOPBACK = re.compile(r"(?:[\w.-]+\.)?localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]")
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*?)\.?(?::(\d*))?")
_SHOWN = 100
_FOREIGN_SITES = {b"cross-site", b"same-site"}


@dataclass(frozen=True, slots=True)
class Visitors:
    """Takes requests that name the loopback, one of ``names``, or a host of the service's; all if ``names`` is None.

    ``public`` is the address by which clients reach the listener, if that is not the one that requests name.
    """

    names: frozenset[str] | None = None
    public: str | None = None

    def check(self, named: str, headers: Headers) -> None:
        """Raise RequestError for a request that is to be refused, whose client calls us by this address."""
        host, port = _parts(named)
        names = self.names
        if names is not None and not _LOOPBACK.fullmatch(host) and host not in names and not is_twilio(host):
            shown = cut(host, _SHOWN)
            raise RequestError(403, f"{shown} in the Host header is no name of this listener's (--allow-host {shown})")
        for name, value in headers:
            lower = name.lower()
            if lower == b"origin" and not self._is_own(value.decode("utf-8", "replace").lower(), (host, port)):
                raise RequestError(403, "a page of another site sent this request (Origin)")
            if lower == b"sec-fetch-site" and value.lower() in _FOREIGN_SITES:
                raise RequestError(403, "a page of another site sent this request (Sec-Fetch-Site)")

    def _is_own(self, page: str, named: tuple[str, str]) -> bool:
        """Tell whether a page is of the address that was called; in the public one the scheme counts, too."""
        if self.public is not None and _parts(page) == _parts(self.public):
            return page.partition("://")[0] == self.public.partition("://")[0].lower()
        return _parts(page) == named


def _parts(origin: str) -> tuple[str, str]:
    """Return an origin's host, and its port unless that is a scheme's own; what is before us may speak TLS."""
    found = _HOST.fullmatch(origin.lower().partition("://")[2])
    if found is None:
        return "", ""
    port = found[2] or ""
    return found[1], "" if port in DEFAULT_PORTS else port


ANYBODY = Visitors()
"""Takes requests under all names, but none of a page of another site."""


def visitors(
    host: str, allowed: frozenset[str], upstream: str, *, is_loopback: bool, public: str | None = None
) -> Visitors:
    """Return whose requests a listener on this host takes, which stands for the upstream.

    One that only this machine reaches takes no other names than its own, and so does one for which names are allowed.
    The name in its public address is its own.
    """
    if not (is_loopback or allowed):
        return Visitors(public=public)
    own = f"[{host}]" if ":" in host else host
    return Visitors((allowed | {own.lower(), _parts(upstream)[0], _parts(public or "")[0]}) - {""}, public)
