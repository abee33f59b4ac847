"""The client libraries that programs are run with."""

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from laws.traffic import Call

from chatproxy.core.model import Request


@dataclass(frozen=True, slots=True)
class Agent:
    """A client library: what it says of itself, and how it spells forms and reaches the proxy."""

    name: str = "twilio-python/9.13.0 (Linux x86_64) Python/3.11.7"
    client: str = "python-9.13.0"
    codings: str = "gzip, deflate"
    token: str = "0123456789abcdef" * 2
    plus: bool = True
    sorts: bool = False
    address: str = "http://127.0.0.1:8765"

    def request(self, call: Call, account: str) -> Request:
        """Return a call as this library sends it."""
        basic = b"Basic " + b64encode(f"{account}:{self.token}".encode())
        said = {"User-Agent": self.name, "Accept-Encoding": self.codings, "Accept": "application/json"}
        said |= {"X-Twilio-Client": self.client, "Accept-Charset": "utf-8"}
        headers = [*((name.encode(), value.encode()) for name, value in said.items()), (b"Authorization", basic)]
        body = b""
        if call.method == "POST":
            headers.append((b"Content-Type", b"application/x-www-form-urlencoded"))
            spell = quote_plus if self.plus else quote
            pairs = sorted(call.pairs) if self.sorts else call.pairs
            body = "&".join(f"{spell(name)}={spell(value)}" for name, value in pairs).encode()
        return Request(call.method, call.target.encode(), tuple(headers), body, self.address)


PYTHON = Agent()
OLDER = Agent(
    "twilio-python/9.3.1 (Darwin arm64) Python/3.13.0", "python-9.3.1", "gzip, deflate, br", address="http://[::1]:8799"
)
"""Another version, which spells requests alike."""
OTHER_AGENT = Agent(
    "twilio-go/1.30.0", "go-1.30.0", "gzip", "f" * 32, plus=False, sorts=True, address="http://a.test:1"
)
"""Another library, which does not."""
