from core.scenarios import exported
from core.sid_programs import CHANNEL, CREATE, MESSAGE, RULES, SERVICE, cassette
from fixture.fixtures import read

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.cassette.naming import bound_in, recorded_of
from chatproxy.core.timeline.numbering import sid_number

RECORDED = cassette(CREATE)


def test_a_sid_is_meant_by_the_recorders_own_the_cassettes_and_a_canonical_one_of_either_form() -> None:
    document = read(exported(RECORDED), "a.json")
    shared = MemoryCassette(document.name, document.exchanges, RULES, document.declared)
    for one in (RECORDED, shared):
        channel = one.sid(sid_number(b"CH", 1))
        assert channel is not None
        for written in (CHANNEL, channel.decode(), f"CH{1:032d}", f"CHca765a4cadaca367{1:016d}"):
            assert recorded_of(one, written) == channel
        for other in ("CH" + "f" * 32, f"CH{2:032d}", "IM" + "f" * 32):
            assert recorded_of(one, other) is None
    assert recorded_of(RECORDED, MESSAGE) == MESSAGE.encode()
    assert recorded_of(shared, MESSAGE) is None


def test_pairs_of_other_cassettes_are_left_out() -> None:
    live, other = "CH" + "e" * 32, "IS" + "e" * 32
    assert list(bound_in(RECORDED, {live: CHANNEL, other: "IS" + "9" * 32, "none": ""})) == [
        (live.encode(), CHANNEL.encode())
    ]
    assert SERVICE.encode() in {known.sid for known in RECORDED.known}
