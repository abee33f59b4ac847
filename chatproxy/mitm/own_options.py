"""mitmproxy's own options: what they must be whatever a person sets, and where its reverse proxies lead."""

import logging
from collections.abc import Iterator

from mitmproxy import ctx
from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode

from chatproxy.core.errors import ConfigError
from chatproxy.core.model import Mode
from chatproxy.core.products.every import TWILIO_ORIGIN
from chatproxy.core.twilio.origins import is_twilio
from chatproxy.mitm import flows

_log = logging.getLogger(__name__)

_MUST_BE = {"connection_strategy": "lazy", "keep_host_header": True}
"""mitmproxy must connect to no host before the addon has answered, and tell how clients call the server."""


class OwnOptions:
    """Sets options of mitmproxy's, and remembers how a person set them."""

    def __init__(self) -> None:
        self.rewrites_host = True
        self.is_known = False
        self.is_setting = False
        self._shows_certificates = True

    def note(self, updated: set[str]) -> None:
        """Take in what a person sets; at first, all that is set."""
        if "upstream_cert" in updated or not self.is_known:
            self._shows_certificates = ctx.options.upstream_cert
        if "keep_host_header" in updated or not self.is_known:
            self.rewrites_host = not ctx.options.keep_host_header
        self.is_known = True

    def set(self, mode: Mode) -> None:
        """Set what must be; in passthrough mitmproxy may look at the service's own certificate, if it was to."""
        wanted = {**_MUST_BE, "upstream_cert": mode is Mode.PASSTHROUGH and self._shows_certificates}
        changed = {name: value for name, value in wanted.items() if getattr(ctx.options, name) != value}
        self.is_setting = True
        try:
            ctx.options.update(**changed)
        finally:
            self.is_setting = False


def misled(mode: Mode, upstream: flows.Target) -> ConfigError | None:
    """Return what is wrong where a cassette is to answer, but a reverse proxy leads to another host."""
    if mode.replays:
        for spec, origin in _left_alone(upstream):
            where = f"make it reverse:{TWILIO_ORIGIN}, or set chatproxy_upstream={origin}"
            return ConfigError("mode", f"{spec} leads past the cassette to another host; {where}")
    return None


def say_what_is_left_alone(mode: Mode, upstream: flows.Target) -> None:
    """Warn of what a person may take for recorded or replayed, though it passes."""
    if ctx.options.stream_large_bodies:
        _log.warning(
            "chatproxy: stream_large_bodies is set; bodies that are streamed can be neither recorded nor matched"
        )
    for spec, origin in _left_alone(upstream) if not mode.replays else ():
        _log.warning("chatproxy: %s is left alone; to serve it, set chatproxy_upstream=%s", spec, origin)


def _left_alone(upstream: flows.Target) -> Iterator[tuple[str, str]]:
    """Yield each reverse proxy that leads neither to the service nor to this upstream, with its origin."""
    for spec in ctx.options.mode:
        mode = ProxyMode.parse(spec)
        if isinstance(mode, ReverseMode):
            target = flows.Target(mode.scheme, *mode.address[:2])
            if not is_twilio(target.host) and target != upstream:
                yield spec, f"{target.scheme}://{flows.address(*target)}"
