from chatproxy.core.model import ExchangeNumber, Outcome, Response
from chatproxy.core.replay.marks import hit, marked

ASSUMED = (("CH1", "CH2"), ("IS1", "IS2"))


def test_a_hit_says_which_exchange_it_is_what_was_skipped_and_what_was_assumed() -> None:
    number = ExchangeNumber(3)
    assert hit("tour", number, (), ()) == b"x-chatproxy-outcome: hit\r\nx-chatproxy-exchange: tour/3\r\n"
    told = hit("tour", number, (ExchangeNumber(1), ExchangeNumber(2)), ASSUMED).splitlines()
    assert told[2:] == [b"x-chatproxy-skipped: 1,2", b"x-chatproxy-assumed: CH1=CH2", b"x-chatproxy-assumed: IS1=IS2"]


def test_any_other_answer_says_what_became_of_its_request() -> None:
    one, other = marked(Response(200), Outcome.PASSED), marked(Response(200), Outcome.RECORDED, "tour/1", ASSUMED)
    assert one.headers == ((b"x-chatproxy-outcome", b"passed"),)
    assert other.headers[:2] == ((b"x-chatproxy-outcome", b"recorded"), (b"x-chatproxy-exchange", b"tour/1"))
    assert [value for name, value in other.headers if name == b"x-chatproxy-assumed"] == [b"CH1=CH2", b"IS1=IS2"]
