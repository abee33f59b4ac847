from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable

import pytest

from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.replay.derived import derived_from

LIVE, RECORDED = LiveSid(b"IM8a7bf2b9558b14fc8d6633fea1cbc48f"), RecordedSid(b"IM0123456789abcdef0123456789abcde0")
PAIRS = [(LiveSid(b"CH" + b"1" * 32), RecordedSid(b"CH" + b"2" * 32)), (LIVE, RECORDED)]


@pytest.mark.parametrize(
    "derived",
    [
        pytest.param(lambda sid: sid[2:], id="digits"),
        pytest.param(lambda sid: sid[2:].upper(), id="upper-digits"),
        pytest.param(lambda sid: sid.upper(), id="upper"),
        pytest.param(lambda sid: sid.swapcase(), id="other-case"),
        pytest.param(lambda sid: sid[::-1], id="backwards"),
        pytest.param(
            lambda sid: b"%b-%b-%b-%b-%b" % (sid[2:10], sid[10:14], sid[14:18], sid[18:22], sid[22:]), id="uuid"
        ),
        pytest.param(lambda sid: b"msg-" + sid[2:14], id="begin"),
        pytest.param(lambda sid: b"msg-" + sid[-12:], id="end"),
        pytest.param(lambda sid: b"msg-" + sid[2:8] + b"!", id="short-begin"),
        pytest.param(lambda sid: b"(" + sid[-8:].upper() + b")", id="short-end"),
        pytest.param(b64encode, id="base64"),
        pytest.param(lambda sid: b64encode(b"x:" + sid + b":y"), id="in-base64"),
        pytest.param(lambda sid: urlsafe_b64encode(bytes.fromhex(sid[2:].decode())).rstrip(b"="), id="url-safe-base64"),
        pytest.param(lambda sid: sid.hex().encode(), id="hex"),
    ],
)
def test_what_was_derived_from_a_sid_is_recognised(derived: Callable[[bytes], bytes]) -> None:
    assert derived_from(derived(RECORDED), derived(LIVE), PAIRS) == LIVE


def test_what_is_long_is_recognised_whatever_was_recorded_and_a_short_form_beside_its_like_alone() -> None:
    assert derived_from(b"x", LIVE[-12:], PAIRS) == LIVE
    assert derived_from(b"x", LIVE[-8:], PAIRS) is None


@pytest.mark.parametrize("text", [b"", b"Hello", b"a" * 17, LIVE[:6], b"%" * 40])
def test_other_text_is_derived_from_nothing(text: bytes) -> None:
    assert derived_from(b"Bye", text, PAIRS) is None
