"""Programs that run against the pure state of the sandbox."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from exchanges import numbered
from hypothesis import strategies as st
from strategies import FORM

from chatproxy.core.model import Exchange, Headers, Request, Response, is_read
from chatproxy.core.time.timestamps import SECOND, Spelling, spell_instant
from chatproxy.sandbox.calls import Call, Target
from chatproxy.sandbox.messages import ApiError, Messages
from chatproxy.sandbox.operations import answer, refusal

ACCOUNT, SERVICE, CHANNEL = "AC" + "1" * 32, "IS" + "2" * 32, "CH" + "3" * 32
PATH = f"/v1/Services/{SERVICE}/Channels/{CHANNEL}/Messages"
JSON: Headers = ((b"Content-Type", b"application/json; charset=utf-8"),)
BEGIN = 1_767_225_600 * SECOND


@dataclass
class Program:
    """Calls the sandbox one request after another."""

    messages: Messages = field(default_factory=lambda: Messages(0))
    exchanges: list[Exchange] = field(default_factory=list)
    sids: list[str] = field(default_factory=list)
    now: int = BEGIN
    suffix: str = ""
    """What comes after each body, with the exchange's number."""

    def call(self, method: str, sid: str | None = None, **form: str) -> Exchange:
        self.now += 1
        if self.suffix and "Body" in form:
            form["Body"] += f"{self.suffix}{len(self.exchanges)}"
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.now)
        try:
            target = Target(PATH, SERVICE, CHANNEL, sid)
            given = answer(self.messages, Call(method, ACCOUNT, target, "https://chat.twilio.com", {}, form), moment)
        except ApiError as error:
            given = refusal(error)
        path = (f"{PATH}/{sid}" if sid else PATH).encode()
        number = len(self.exchanges) + 1
        exchange = numbered(
            number,
            Request(method, path, (FORM,), urlencode(form).encode()),
            Response(given.status, b"", (*JSON, (b"Date", spell_instant(self.now, Spelling(1)))), given.body),
            "https://chat.twilio.com",
            self.now,
            self.now,
            next((one.number for one in reversed(self.exchanges) if not is_read(one.request.method)), 0),
        )
        self.exchanges.append(exchange)
        return exchange

    def create(self) -> None:
        made = self.call("POST", Body="hello")
        self.sids.append(json.loads(made.response.body)["sid"])

    def run(self, steps: list["Step"]) -> "Program":
        """Create a message, then take steps, each after a pause in microseconds."""
        self.create()
        for operation, which, form, pause in steps:
            self.now += pause
            sid = self.sids[which % len(self.sids)]
            if operation == "create":
                self.create()
            elif operation == "update":
                self.call("POST", sid, **form)
            else:
                method = "DELETE" if operation == "delete" else "GET"
                self.call(method, None if operation == "list" else sid)
        return self


Step = tuple[str, int, dict[str, str], int]

steps = st.lists(
    st.tuples(
        st.sampled_from(["create", "update", "fetch", "list", "delete"]),
        st.integers(0, 3),
        st.sampled_from([{"Body": "a"}, {"Body": "b"}, {"Attributes": "[1]"}, {}]),
        st.sampled_from([0, SECOND // 3, 2 * SECOND]),
    ),
    max_size=20,
)


@dataclass
class Listed:
    """Exchanges as a cassette that is to be compiled has them."""

    exchanges: Sequence[Exchange]

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges)

    def exchange(self, number: int) -> Exchange:
        return next(one for one in self.exchanges if one.number == number)


programs = steps.map(lambda taken: Program().run(taken))
"""Programs that have run."""


def again(taken: list[Step]) -> Program:
    """Run a program with other SIDs and at other times."""
    program = Program(Messages(1), now=BEGIN + 10**10)
    return program.run([(operation, which, form, 3 * pause + 7) for operation, which, form, pause in taken])
