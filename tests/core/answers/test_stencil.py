from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.answers.stencil import pack_stencil, stencil, unpack_stencil
from chatproxy.core.answers.template import Reply, Slot, Template, Values
from chatproxy.core.time.instants import Instant
from chatproxy.core.time.stamps import Stamp
from chatproxy.core.time.timestamps import Spelling

_stamps = st.builds(
    Stamp,
    st.integers(0, 2**50),
    st.builds(Instant, st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1), st.booleans()),
    st.builds(Spelling, st.integers(0, 2**16 - 1), st.integers(0, 6)),
)
_slots = st.one_of(
    st.tuples(st.just(Slot.SID), st.binary(min_size=34, max_size=34)),
    st.tuples(st.sampled_from([Slot.INSTANT, Slot.NOW]), _stamps.map(Stamp.pack)),
    st.tuples(st.sampled_from([Slot.ORIGIN, Slot.ECHO, Slot.PSEUDONYM, Slot.SID]), st.binary(max_size=20)),
)
_pieces = st.one_of(st.binary(max_size=5), st.sampled_from([b"%", b"%b", b"%%", b"100%b"]))


@st.composite
def _templates(draw: st.DrawFn) -> Template:
    slots = draw(st.lists(_slots, max_size=8))
    slots += draw(st.permutations(slots))
    return Template(tuple(draw(_pieces) for _ in range(len(slots) + 1)), tuple(slots))


_replies = st.builds(
    Reply,
    st.integers(100, 599),
    st.binary(max_size=5),
    _templates(),
    _templates(),
)


@given(_replies)
def test_a_stencil_is_its_reply_in_another_form_also_when_it_was_stored(reply: Reply) -> None:
    found = stencil(reply)
    assert found.reply == reply
    assert unpack_stencil(pack_stencil(found)) == found


def _filled(kind: Slot, argument: bytes) -> bytes:
    return b"<%d:%b>" % (kind, argument)


@given(_replies)
def test_a_stencil_is_filled_as_the_templates_are_and_each_value_is_made_once(reply: Reply) -> None:
    found = stencil(reply)
    assert len(set(found.slots)) == len(found.slots)
    values = [_filled(*slot) for slot in found.slots]
    fillers: Values = {kind: partial(_filled, kind) for kind in Slot}
    assert found.fill(values) == (reply.head.render(fillers), reply.body.render(fillers))


def test_an_answer_may_have_more_values_than_a_byte_can_count() -> None:
    slots = tuple((Slot.SID, b"IM%032d" % number) for number in range(300))
    reply = Reply(200, b"", Template((b"",)), Template((b"",) * 301, slots))
    found = unpack_stencil(pack_stencil(stencil(reply)))
    assert found.reply == reply
    assert found.fill([sid for _, sid in slots]) == (b"", b"".join(sid for _, sid in slots))
