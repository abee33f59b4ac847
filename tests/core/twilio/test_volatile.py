import pytest

from chatproxy.core.twilio.volatile import is_volatile


@pytest.mark.parametrize("name", [b"Date", b"ETag", b"Twilio-Request-Id", b"via", b"X-Cache", b"X-Amz-Cf-Pop"])
def test_what_differs_from_answer_to_answer_is_volatile(name: bytes) -> None:
    assert is_volatile(name)
    assert not is_volatile(b"X-" + name)
