"""How the upstream is asked, by the settings."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from chatproxy.config.settings import Settings
from chatproxy.environment import exempt
from chatproxy.upstream import UpstreamSettings


def upstream_settings(settings: Settings) -> UpstreamSettings:
    """Return how the upstream is asked."""
    proxy = settings.upstream_proxy
    return UpstreamSettings(
        origin=settings.upstream,
        ca_file=settings.upstream_ca,
        max_body=settings.max_body,
        connect_timeout=settings.connect_timeout,
        timeout=settings.upstream_timeout,
        max_connections=settings.max_connections,
        proxy=proxy.origin if proxy else None,
        proxy_login=(proxy.user, proxy.password) if proxy and proxy.user else None,
        passed_over=passed_over(settings.upstream, os.environ),
    )


def passed_over(origin: str, environ: Mapping[str, str]) -> str | None:
    """Return the variable by which most programs would ask this origin through a proxy; we are told by a setting."""
    host = urlsplit(origin).hostname or ""
    if any(one.lower().lstrip(".") in _and_above(host) for one in exempt(environ)):
        return None
    return next((name for name in _VARIABLES if environ.get(name)), None)


def _and_above(host: str) -> set[str]:
    """Return what stands for a host where hosts are exempt: itself, each domain that it is in, or ``*``."""
    labels = host.split(".")
    return {"*", *(".".join(labels[begin:]) for begin in range(len(labels)))}


_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
