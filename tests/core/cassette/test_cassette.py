from exchanges import numbered
from strategies import UPSTREAM

from chatproxy.core.cassette.cassette import first_fresh, located
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import ANY, NONE, spaced
from chatproxy.core.model import LiveSid, Request, Response
from chatproxy.core.timeline.numbering import SidNumber


def test_a_fresh_sid_is_none_that_was_recorded() -> None:
    recorded = {b"7:0", b"7:1"}
    assert first_fresh(SidNumber(7), spelled, recorded.__contains__) == b"7:2"
    assert first_fresh(SidNumber(8), spelled, recorded.__contains__) == b"8:0"


def spelled(number: SidNumber, attempt: int) -> LiveSid:
    return LiveSid(b"%d:%d" % (number, attempt))


def test_a_key_is_located_in_the_first_space_that_has_it_else_in_the_last() -> None:
    account, key = "AC" + "1" * 32, "SK" + "1" * 32
    request, other = Request("GET", b"/v1/a"), Request("GET", b"/v1/b")
    recorded = [
        numbered(1, request, Response(200), UPSTREAM, 0, 0, user=account),
        numbered(2, other, Response(200), UPSTREAM, 0, 0, user=key),
    ]
    cassette = MemoryCassette("a", recorded, Rules())
    first, second = (normalize(one, Rules()).key for one in (request, other))
    assert located(cassette, first, (key, account, ANY)) == spaced(first, account)
    assert located(cassette, second, (key, account, ANY)) == spaced(second, key)
    assert located(cassette, second, (account, ANY)) == second
    assert located(cassette, first, (key, NONE)) == spaced(first, NONE)
    assert located(cassette, first, (NONE,)) == spaced(first, NONE)
