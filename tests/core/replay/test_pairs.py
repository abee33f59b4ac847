from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.replay.pairs import Pairs

LIVE, RECORDED = LiveSid(b"CH" + b"1" * 32), RecordedSid(b"CH" + b"2" * 32)


def test_both_ways_lead_back_until_one_is_dropped() -> None:
    pairs = Pairs()
    pairs.put(LIVE, RECORDED)
    pairs.put(LiveSid(b"itself"), RecordedSid(b"itself"))
    assert (pairs.of(LIVE), pairs.of(LiveSid(b"itself")), pairs.of(LiveSid(RECORDED))) == (RECORDED, b"itself", None)
    assert pairs.live == {RECORDED: LIVE, b"itself": b"itself"}
    assert pairs.recorded == {LIVE: RECORDED}
    pairs.drop(LIVE)
    pairs.drop(LiveSid(b"itself"))
    assert (pairs.live, pairs.recorded, pairs.changes) == ({}, {}, 4)
