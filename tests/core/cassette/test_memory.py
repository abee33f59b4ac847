from dataclasses import replace

from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, MESSAGES, ORIGIN, UPSTREAM

from chatproxy.core.answers.template import as_recorded
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, Exchange, ExchangeNumber, Request, Response
from chatproxy.core.timeline.numbering import Numbered, Origin, SidNumber, sid_number

RULES = Rules()


def exchange(number: int, method: str = "GET", path: bytes = MESSAGES, body: bytes = b"{}") -> Exchange:
    request = Request(method, path, (FORM,), origin=ORIGIN)
    return numbered(number, request, Response(200, b"OK", (JSON,), body), UPSTREAM, number, number)


def test_an_empty_cassette_has_nothing() -> None:
    cassette: Cassette = MemoryCassette("a", [], RULES)
    assert (cassette.name, cassette.last_number) == ("a", 0)
    assert cassette.find(normalize(exchange(1).request, RULES).key, 0) is None


@given(st.lists(st.sampled_from([b"/a", b"/b", MESSAGES]), max_size=8))
def test_the_nth_exchange_of_a_key_a_shape_and_a_route_is_found_in_recorded_order(paths: list[bytes]) -> None:
    exchanges = [exchange(2 * place + 1, path=path) for place, path in enumerate(paths)]
    cassette = MemoryCassette("a", exchanges, RULES)
    for path in paths:
        form = normalize(exchange(1, path=path).request, RULES)
        numbers = [one.number for one in exchanges if one.request.target == path]
        for index in (form.key, form.shape, form.route):
            assert [cassette.find(index, nth) for nth in range(len(numbers) + 1)] == [*numbers, None]


def test_exchanges_and_replies_are_found_by_number() -> None:
    first, second = exchange(3), exchange(7, body=b'{"url": "https://chat.twilio.com/x"}')
    cassette = MemoryCassette("a", iter([first, second]), RULES)
    assert cassette.last_number == 7
    assert cassette.exchange(ExchangeNumber(7)) is second
    assert cassette.reply(ExchangeNumber(7)).render(as_recorded("http://h:1")).body == b'{"url": "http://h:1/x"}'
    assert cassette.reply(ExchangeNumber(3)).render(as_recorded("http://h:1")) == first.response


def test_law_1_sids_are_found_by_number_and_by_themselves() -> None:
    one, two = (b"CH" + digit * 32 for digit in (b"9", b"1"))
    theirs = b"MB" + b"5" * 32
    several = [exchange(1, path=b"/" + one, body=b'{"member_sid": "%b"}' % theirs), exchange(2, path=b"/" + two)]
    cassette = MemoryCassette("a", several, RULES)
    assert cassette.numbered(two) == Numbered(sid_number(b"CH", 2), Origin.KNOWN)
    assert cassette.numbered(theirs) == Numbered(sid_number(b"MB", 1), Origin.GIVEN)
    assert (cassette.numbered(b"CH"), cassette.sid(SidNumber(1)), cassette.account) == (None, None, None)
    assert cassette.sid(sid_number(b"CH", 1)) == one


def test_who_asked_is_told_as_the_exchanges_tell_it() -> None:
    asked = [replace(exchange(number), user=user) for number, user in enumerate((NO_CREDENTIALS, None, "SK1", None), 1)]
    assert MemoryCassette("a", asked, RULES).users.all == (None, "SK1", NO_CREDENTIALS)
