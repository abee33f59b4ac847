"""Asks an upstream again for what a cassette has recorded of it."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.errors import ConfigError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Headers
from chatproxy.core.review.drift import Drift
from chatproxy.core.review.findings import Checked
from chatproxy.upstream import Upstream, UpstreamSettings

_PAIRS = (("TWILIO_API_KEY", "TWILIO_API_SECRET"), ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"))
"""The names by which Twilio's libraries find a user name and its password."""


def credentials_of(environ: Mapping[str, str]) -> Headers:
    """Return the header field that authenticates by the credentials of this environment (RFC 7617)."""
    for user, password in _PAIRS:
        if environ.get(user) and environ.get(password):
            basic = b64encode(f"{environ[user]}:{environ[password]}".encode("utf-8", "surrogateescape"))
            return ((b"Authorization", b"Basic " + basic),)
    names = " or ".join(" and ".join(pair) for pair in reversed(_PAIRS))
    raise ConfigError("verify", f"needs credentials for the upstream: set {names}")


def ask_again(
    cassette: Cassette,
    rules: Rules,
    settings: UpstreamSettings,
    credentials: Headers,
    *,
    bind: Mapping[str, str],
    writes: bool,
) -> list[Checked]:
    """Ask for each exchange, one after another, and compare; raises UpstreamError where no answer comes."""
    drift = Drift(cassette, rules, bind, writes=writes)
    drift.check_askable()

    async def ask() -> list[Checked]:
        checked = []
        async with Upstream(settings) as upstream:
            for number in drift.order():
                if (reason := drift.skipped(number)) is not None:
                    checked.append(drift.not_checked(number, reason))
                    continue
                request = drift.request(number, credentials)
                checked.append(drift.checked(number, request, settings.origin, await upstream.ask(request)))
        return checked

    return asyncio.run(ask())
