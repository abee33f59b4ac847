"""Programs that know a service and channels: recorded by hand, and asked again by clients with SIDs of their own."""

import re
from dataclasses import replace

from exchanges import numbered
from strategies import FORM, JSON, ORIGIN, UPSTREAM, basic

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Request, Response, is_read
from chatproxy.core.replay.bindings import Bindings, Choice
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions

RULES = Rules()


def sid(prefix: str, digit: str) -> str:
    return prefix + digit * 32


ACCOUNT, SERVICE, CHANNEL, MESSAGE = sid("AC", "a"), sid("IS", "1"), sid("CH", "2"), sid("IM", "3")
LIVE_SERVICE, LIVE_CHANNEL, LIVE_ACCOUNT = sid("IS", "d"), sid("CH", "e"), sid("AC", "f")


def messages(service: str = SERVICE, channel: str = CHANNEL) -> str:
    return f"/v1/Services/{service}/Channels/{channel}/Messages"


def get(target: str, user: str = ACCOUNT) -> Request:
    return Request("GET", target.encode(), (basic(user.encode(), b"x"),), origin=ORIGIN)


def post(target: str, body: str, user: str = ACCOUNT) -> Request:
    return Request("POST", target.encode(), (FORM, basic(user.encode(), b"x")), body.encode(), origin=ORIGIN)


def cassette(*recorded: tuple[Request, str], name: str = "tour") -> MemoryCassette:
    several: list[Exchange] = []
    for place, (asked, text) in enumerate(recorded, 1):
        request = replace(asked, headers=tuple(header for header in asked.headers if header[0] != b"Authorization"))
        response = Response(200, b"OK", (JSON, (b"X-Id", b"RQ%032d" % place)), text.encode())
        after = next((one.number for one in reversed(several) if not is_read(one.request.method)), 0)
        several.append(numbered(place, request, response, UPSTREAM, place, place, after, ACCOUNT))
    return MemoryCassette(name, several, RULES)


CREATED = f'{{"sid": "{MESSAGE}", "account_sid": "{ACCOUNT}", "channel_sid": "{CHANNEL}", "service_sid": "{SERVICE}"}}'
CREATE = (post(messages(), "Body=a"), CREATED)
FETCH = (get(f"{messages()}/{MESSAGE}"), CREATED)
TOUR = cassette(CREATE, FETCH, (get(messages()), f'{{"token": "PT{MESSAGE}", "a": "{{\\"b\\": \\"{MESSAGE}\\"}}"}}'))


class Client:
    """A client of one session."""

    def __init__(self, recorded: Cassette = TOUR, choice: Choice | None = None, *, keep_urls: bool = False) -> None:
        self.session = Session(recorded, RULES, sids=Bindings(recorded, choice))
        sessions = Sessions(lambda name, restarts: self.session)
        self.engine = Engine(UPSTREAM, lambda: 1, sessions=sessions, keep_urls=keep_urls)

    def ask(self, request: Request) -> str:
        answer = self.engine.on_request(request)
        assert isinstance(answer, Response)
        self.status = answer.status
        self.assumed = [value.decode() for name, value in answer.headers if name == b"x-chatproxy-assumed"]
        return answer.body.decode()

    def create(self, where: str = messages()) -> str:
        """Create the message, and return its SID."""
        found = re.search("IM[0-9a-f]{32}", self.ask(post(where, "Body=a")))
        assert found
        return found[0]
