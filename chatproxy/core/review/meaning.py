"""The meaning of a recorded exchange: what is left when SIDs, times, addresses and volatile header fields are masked.

1. Two recordings of the same run have the same meanings, whichever SIDs and moments they got, raw or made canonical.
2. What the rules take out of a match is taken out here too, and so is what the answers echo of it.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from chatproxy.core.answers.template import Learned, Reply, Slot, Values, as_recorded, compiled_reply
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.http.conditions import is_of_one_run
from chatproxy.core.matching.normal_form import NormalForm, normalize, translate
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, Exchange, ExchangeNumber, Response
from chatproxy.core.products.every import TWILIO_ORIGIN
from chatproxy.core.scrubbing.scrub import scrubbed_exchange
from chatproxy.core.text.excerpts import printable
from chatproxy.core.text.json_text import canonical
from chatproxy.core.time.stamps import Stamp
from chatproxy.core.timeline.standing import Standing
from chatproxy.core.twilio.volatile import is_volatile


@dataclass(frozen=True)
class Meaning:
    """An exchange with SIDs as ``IM*``, instants as ``****-**-**T**:**:**Z``, and no volatile header field.

    It ``has_credentials`` or not; None where that is not known.
    """

    request: NormalForm
    response: Response
    has_credentials: bool | None

    @property
    def endpoint(self) -> str:
        """Method and path, the same for all members of a collection: ``GET /v1/Services/IS*/Channels/CH*``."""
        return printable(f"{self.request.method} {self.request.sent_path.decode('utf-8', 'backslashreplace')}")

    @cached_property
    def answer(self) -> bytes:
        """Bytes that are equal for answers that do not differ."""
        response = self.response
        body = canonical(response.body)
        fields = sorted(((name.lower(), value) for name, value in response.headers), key=lambda field: field[0])
        parts = [b"%d" % response.status, response.reason, *(text for field in fields for text in field)]
        parts += [response.body, b"t"] if body is None else [body, b"j"]
        lengths = b" ".join(b"%d" % len(part) for part in parts)
        return blake2b(b"\n".join([lengths, *parts]), digest_size=16).digest()


def meaning(cassette: Cassette, number: ExchangeNumber, rules: Rules) -> Meaning:
    """Return the meaning of an exchange; ``rules`` must be those under which the cassette was compiled."""
    exchange = cassette.exchange(number)
    form = normalize(exchange.request, rules)
    has_credentials = None if exchange.user is None else exchange.user != NO_CREDENTIALS
    headers = tuple(map(_masked_header, form.headers))
    return Meaning(translate(form._replace(headers=headers), _type), _masked(cassette.reply(number)), has_credentials)


def of_answer(exchange: Exchange, standing: Standing, rules: Rules) -> Response:
    """Return what an answer means that is not of a cassette, but was given to the request of this exchange."""
    scrubbed = scrubbed_exchange(exchange, rules.scrub)
    learned = Learned(pseudonyms=rules.scrub.has_pseudonyms)
    learned.addresses.learn(scrubbed.request)
    learned.numbering.learn(scrubbed, normalize(scrubbed.request, rules))
    return _masked(compiled_reply(scrubbed, standing, learned))


def _masked_header(header: bytes) -> bytes:
    """Mask what a condition sends back of an answer."""
    name = header.partition(b":")[0]
    return name + b": *" if is_of_one_run(name) else header


def _masked(reply: Reply) -> Response:
    response = reply.render(MASKS)
    headers = tuple((name, value) for name, value in response.headers if not is_volatile(name))
    return Response(response.status, response.reason, headers, response.body)


def _type(sid: bytes) -> bytes:
    return sid[:2] + b"*"


def _any(_: bytes) -> bytes:
    return b"*"


def _instant(packed: bytes) -> bytes:
    """Return the spelling of an instant, whatever moment it is and however many digits its fraction has."""
    return _FRACTION.sub(b".*", _DIGIT.sub(b"*", _WORD.sub(b"***", Stamp.unpack(packed).text())))


_WORD = re.compile(rb"\b[A-Z][a-z]{2}\b")
_DIGIT = re.compile(rb"\d")
_FRACTION = re.compile(rb"\.\*+")

MASKS: Values = as_recorded(TWILIO_ORIGIN) | {
    Slot.INSTANT: _instant,
    Slot.NOW: _instant,
    Slot.SID: _type,
    Slot.ECHO: _any,
}
"""What stands in place of what differs from run to run."""
