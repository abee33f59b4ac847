"""How the upstream is asked, by the settings."""

from chatproxy.config.settings import Settings
from chatproxy.upstream import UpstreamSettings


def upstream_settings(settings: Settings) -> UpstreamSettings:
    """Return how the upstream is asked."""
    return UpstreamSettings(
        origin=settings.upstream,
        ca_file=settings.upstream_ca,
        max_body=settings.max_body,
        connect_timeout=settings.connect_timeout,
        timeout=settings.upstream_timeout,
        max_connections=settings.max_connections,
    )
