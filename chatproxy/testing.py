"""The twilio package's clients sent to a proxy: programs keep their code, and are given another HTTP client.

    Client(account_sid, auth_token, http_client=HttpClient("http://127.0.0.1:8765"))

It needs the twilio package, the extra ``twilio``.
"""

import os
from base64 import b64encode
from contextlib import AsyncExitStack, ExitStack
from copy import copy
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from chatproxy.core.errors import ConfigError
from chatproxy.core.twilio.origins import is_twilio
from chatproxy.environment import URL

try:
    from twilio.http.async_http_client import AsyncTwilioHttpClient
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client
except ImportError as missing:
    raise ImportError("chatproxy.testing needs the twilio package: pip install 'twilio>=9'") from missing


class HttpClient(TwilioHttpClient):  # type: ignore[misc]  # the package has no types
    """Sends what is meant for chat.twilio.com to the proxy at ``url``, and all else where it belongs.

    ``options`` are those of TwilioHttpClient. The proxy is reached directly, whatever HTTP_PROXY says.
    Threads may share one.
    """

    def __init__(self, url: str | None = None, **options: Any) -> None:
        self._proxy = _Proxy(url)
        proxies = options.pop("proxy", None) or {}
        direct = (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), self._proxy.host)
        super().__init__(proxy={"no_proxy": ",".join(filter(None, direct)), **proxies}, **options)

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        """Make a request as TwilioHttpClient does."""
        call = copy(self)
        with ExitStack() as stack:
            if self.session is None:
                call.session = stack.enter_context(TwilioHttpClient().session)
            answer = super(HttpClient, call).request(method, self._proxy.address(url), *arguments, **options)
        _keep_last(self, call)
        return answer


class AsyncHttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # as above
    """The same for the package's async calls; ``options`` are those of AsyncTwilioHttpClient.

    Connections are not kept between requests unless that is asked for (``pool_connections``), so that there is nothing
    to close, and calls may come from several event loops.
    """

    def __init__(self, url: str | None = None, **options: Any) -> None:
        self._proxy = _Proxy(url)
        self._of_one_call = {**options, "pool_connections": True}
        if not options.get("pool_connections"):
            options = {**options, "pool_connections": False, "max_retries": None}
        super().__init__(**options)

    async def request(  # noqa: PLR0917 - as the package has it
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
        allow_redirects: bool = False,
    ) -> Any:
        """Make a request as AsyncTwilioHttpClient does, without aiohttp's parameter for credentials, which is going."""
        if auth is not None:
            basic = b64encode(":".join(auth).encode()).decode()
            headers, auth = {**(headers or {}), "Authorization": f"Basic {basic}"}, None
        address = self._proxy.address(url)
        call = copy(self)
        async with AsyncExitStack() as stack:
            if self.session is None:
                own = await stack.enter_async_context(AsyncTwilioHttpClient(**self._of_one_call))
                call.session = own.session
            answer = await super(AsyncHttpClient, call).request(
                method, address, params, data, headers, auth, timeout, allow_redirects
            )
        _keep_last(self, call)
        return answer


def _keep_last(client: Any, call: Any) -> None:
    """Keep on a client what the package keeps there of the last call.

    The package answers with what it has just put there, so calls at once would get each other's answers: each is made
    by a copy of the client.
    """
    for name in _LAST:
        setattr(client, name, getattr(call, name, None))


_LAST = ("_test_only_last_request", "_test_only_last_response")


def twilio_client(url: str, account_sid: str, auth_token: str, *, is_async: bool = False) -> Any:
    """Return a twilio.rest.Client that uses the proxy at ``url``, for async calls if that is asked for.

    TWILIO_EDGE and TWILIO_REGION do not count: what was recorded is the same from every edge.
    """
    http_client = AsyncHttpClient(url) if is_async else HttpClient(url)
    everywhere = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
    return Client(account_sid, auth_token, http_client=http_client, environment=everywhere)


class _Proxy:
    def __init__(self, url: str | None) -> None:
        given = url or os.environ.get(URL)
        if not given:
            raise ConfigError(URL, "is not set; `chatproxy run` sets it, or give the proxy's address")
        self._parts = urlsplit(given)
        self.host = self._parts.hostname or ""

    def address(self, url: str) -> str:
        """Return where a request for this address goes."""
        parts = urlsplit(url)
        if not is_twilio(parts.hostname or "") and not self._is_mangled(parts.netloc):
            return url
        return urlunsplit(parts._replace(scheme=self._parts.scheme, netloc=self._parts.netloc))

    def _is_mangled(self, netloc: str) -> bool:
        """Tell whether this is the proxy's own address, into which a client has put its edge or region.

        Such a client rewrites the host of any URL, also of next pages: ``127.0.0.1:8765`` becomes
        ``127.dublin.ie1.0.1:8765`` (``get_hostname`` in its ``client_base.py``).
        """
        pieces = self._parts.netloc.split(".")
        return netloc.startswith(f"{pieces[0]}.") and netloc.endswith(f".{'.'.join(pieces[-2:])}")
