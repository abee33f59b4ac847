from chatproxy.core.cassette.cassette import first_fresh
from chatproxy.core.model import LiveSid
from chatproxy.core.timeline.numbering import SidNumber


def test_a_fresh_sid_is_none_that_was_recorded() -> None:
    recorded = {b"7:0", b"7:1"}
    assert first_fresh(SidNumber(7), spelled, recorded.__contains__) == b"7:2"
    assert first_fresh(SidNumber(8), spelled, recorded.__contains__) == b"8:0"


def spelled(number: SidNumber, attempt: int) -> LiveSid:
    return LiveSid(b"%d:%d" % (number, attempt))
