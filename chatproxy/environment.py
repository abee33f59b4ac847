"""The variables by which a child finds the proxy, and what it reaches past one."""

from collections.abc import Callable, Mapping

URL = "CHATPROXY_URL"
"""The variable in which a child finds the proxy."""

FORWARD = "HTTPS_PROXY or HTTP_PROXY"
"""Those in which it finds a forward proxy."""

_DIRECT = ("NO_PROXY", "no_proxy")
_LOCAL = ("localhost", "127.0.0.1", "::1")


def environment(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the environment of a child that is to use the proxy at this URL, and to reach it directly."""
    return {**environ, URL: url, **direct(environ)}


def direct(environ: Mapping[str, str], but: Callable[[str], bool] = lambda host: False) -> dict[str, str]:
    """Return which hosts a child reaches past any forward proxy: those given, ``but`` these, and this machine."""
    hosts = [*(host for host in exempt(environ) if not but(host)), *_LOCAL]
    return dict.fromkeys(_DIRECT, ",".join(dict.fromkeys(hosts)))


def exempt(environ: Mapping[str, str]) -> list[str]:
    """Return the hosts that a program reaches past any forward proxy; commas or blanks part them."""
    return [host for name in _DIRECT for host in environ.get(name, "").replace(",", " ").split()]


THREADS = "chatproxy-server"
"""How the names of all threads begin in which chatproxy's own servers run: they may ask the upstream."""
