"""Drift: in what an upstream answers otherwise today than it did when a cassette was recorded.

1. Without writes only reads are asked, and of these only the ones whose recorded answer shows the state in which the
   recording ended: all recorded writes that touch what it reads are done in it, and it is the last one of its kind.
2. With writes all is asked in recorded order, each read after the writes that are done in its state. Where an answer
   has another SID or page token than the recorded one at the same place, that stands for the recorded one from then on.
3. SIDs, times, addresses and volatile header fields are no difference.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from json import loads

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.compile import keys_of
from chatproxy.core.cassette.history import whole
from chatproxy.core.cassette.naming import bound_in
from chatproxy.core.cassette.records import ANY_STATE
from chatproxy.core.credentials.blanking import Blanker
from chatproxy.core.errors import ConfigError
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import admitted, is_challenge
from chatproxy.core.model import (
    NO_CREDENTIALS,
    Exchange,
    ExchangeNumber,
    Headers,
    LiveSid,
    RecordedSid,
    Request,
    Response,
    header_values,
    is_read,
)
from chatproxy.core.review.closest import differences
from chatproxy.core.review.findings import Checked
from chatproxy.core.review.meaning import meaning
from chatproxy.core.timeline.standing import Role
from chatproxy.core.twilio.page_tokens import IN_QUERY
from chatproxy.core.twilio.sids import mask, replace_in_path, replace_sids, sids_in

NOT_LAST = "another answer to it was recorded later, or a write since may have changed it"
A_WRITE = "it is a write; --writes asks for it too"
OTHERS_REFUSED = "it was refused to credentials that are not recorded"


class Drift:
    """Asks for a cassette's exchanges again; ``bind`` says which recorded SID each SID of the upstream stands for."""

    def __init__(self, cassette: Cassette, rules: Rules, bind: Mapping[str, str], *, writes: bool) -> None:
        self._cassette = cassette
        self._rules = rules
        self._writes = writes
        self._live = {known.sid: known.own for known in cassette.known if known.own and known.own != LiveSid(known.sid)}
        self._live |= {recorded: live for live, recorded in bound_in(cassette, bind)}
        self._tokens: dict[bytes, bytes] = {}
        self._whole = whole(cassette)
        self._skipped: dict[ExchangeNumber, str | None] = {}

    def order(self) -> list[ExchangeNumber]:
        """Return the numbers of the exchanges in the order in which they are asked for."""
        return sorted(self._cassette.numbers(), key=self._moment)

    def _moment(self, number: ExchangeNumber) -> tuple[float, ExchangeNumber]:
        """Put a read before the writes that are not done in its state, also if it was answered after them."""
        standing = self._cassette.standing(number)
        after = max((one + 0.5 for one in standing.with_), default=number)
        return min((after, *(one - 0.5 for one in standing.without))), number

    def skipped(self, number: ExchangeNumber) -> str | None:
        """Return why an exchange is not asked for, if so."""
        if number not in self._skipped:
            exchange = self._cassette.exchange(number)
            refused = not admitted(exchange) and not is_challenge(exchange)
            self._skipped[number] = OTHERS_REFUSED if refused else None if self._writes else self._reason(exchange)
        return self._skipped[number]

    def _reason(self, exchange: Exchange) -> str | None:
        number = exchange.number
        form = normalize(exchange.request, self._rules)
        if not is_read(form.method):
            return A_WRITE
        standing = self._cassette.standing(number)
        state = self._whole.of(standing.where)
        if standing.role is Role.CHALLENGE:
            state = ANY_STATE
        elif standing.role is not Role.READ or state not in standing.states:
            return NOT_LAST
        key = keys_of(exchange, form, self._cassette.users)[0]
        later = self._cassette.candidate(key, state, ExchangeNumber(number + 1))
        return NOT_LAST if later or self._cassette.steps(standing.where.place, number) else None

    def check_askable(self) -> None:
        """Raise ConfigError for a canonical cassette of which a SID is sent that only the fixture knows."""
        if self._cassette.declared is None:
            return
        for number in self._cassette.order():
            if self.skipped(number) is not None:
                continue
            for sid in normalize(self._cassette.exchange(number).request, self._rules).sids:
                known = self._cassette.numbered(sid)
                if sid not in self._live and known is not None and (known.is_known or not self._writes):
                    raise ConfigError(
                        "--bind",
                        f"{self._cassette.name} comes from a canonical fixture, whose SIDs no server knows; "
                        f"say with LIVE={sid.decode()} which one stands for {self._cassette.name}/{number}'s",
                    )

    def request(self, number: ExchangeNumber, credentials: Headers) -> Request:
        """Return what to ask: the request as it was recorded, with the upstream's SIDs and these credentials.

        What was recorded without credentials is asked without them.
        """
        exchange = self._cassette.recorded(number)
        request = exchange.request
        if exchange.user == NO_CREDENTIALS:
            credentials = ()
        path, mark, query = request.target.partition(b"?")
        query = IN_QUERY.sub(lambda found: self._tokens.get(found[0], found[0]), replace_sids(query, self._known))
        return replace(
            request,
            target=replace_in_path(path, self._known) + mark + query,
            body=replace_sids(request.body, self._known),
            headers=(*((name, replace_sids(value, self._known)) for name, value in request.headers), *credentials),
        )

    def _known(self, sid: bytes) -> bytes:
        return self._live.get(RecordedSid(sid), sid)

    def checked(self, number: ExchangeNumber, asked: Request, upstream: str, answer: Response) -> Checked:
        """Compare an answer with the recorded one, and take in what it shows; secrets of the request are blanked."""
        exchange = self._cassette.exchange(number)
        blanked = Blanker(asked.headers).response(answer, asked.method)
        if self._writes:
            self._learn(exchange.response, blanked)
        found = differences(self._cassette, self._rules, number, upstream, blanked)
        return Checked(f"{self._cassette.name}/{number}", meaning(self._cassette, number, self._rules).endpoint, found)

    def not_checked(self, number: ExchangeNumber, reason: str) -> Checked:
        """Say of an exchange that it was not asked for."""
        label = f"{self._cassette.name}/{number}"
        return Checked(label, meaning(self._cassette, number, self._rules).endpoint, skipped=reason)

    def _learn(self, recorded: Response, live: Response) -> None:
        for name in (b"location", b"content-location"):
            for before, after in zip(
                header_values(recorded.headers, name), header_values(live.headers, name), strict=False
            ):
                self._align(before, after)
        for before_text, after_text in _texts(_json(recorded.body), _json(live.body)):
            self._align(before_text.encode("utf-8", "surrogatepass"), after_text.encode("utf-8", "surrogatepass"))

    def _align(self, before: bytes, after: bytes) -> None:
        """Let the SIDs and page tokens of a text stand for those of the recorded one, if the rest is alike."""
        tokens = list(zip(IN_QUERY.findall(before), IN_QUERY.findall(after), strict=False))
        self._tokens.update((old, new) for old, new in tokens if old not in self._tokens)
        if _ORIGIN.sub(b"", mask(IN_QUERY.sub(b"", before))) != _ORIGIN.sub(b"", mask(IN_QUERY.sub(b"", after))):
            return
        taken = set(self._live.values())
        for old, new in zip(map(RecordedSid, sids_in(before)), map(LiveSid, sids_in(after)), strict=False):
            if old not in self._live and new not in taken:
                self._live[old] = new
                taken.add(new)


_ORIGIN = re.compile(rb"^https?://[^/]+")


def _json(body: bytes) -> object:
    try:
        return loads(body)
    except (ValueError, RecursionError):
        return None


def _texts(one: object, other: object) -> Iterator[tuple[str, str]]:
    """Yield the texts that stand at the same places of two JSON values."""
    around = [(one, other)]
    while around:
        left, right = around.pop()
        if isinstance(left, str) and isinstance(right, str):
            yield left, right
        elif isinstance(left, dict) and isinstance(right, dict):
            around += [(left[name], right[name]) for name in reversed(left) if name in right]
        elif isinstance(left, list) and isinstance(right, list):
            around += list(zip(left, right, strict=False))[::-1]
