import pytest

from chatproxy.core.twilio.volatile import is_volatile, of_any_client


@pytest.mark.parametrize("name", [b"Date", b"ETag", b"Twilio-Request-Id", b"via", b"X-Cache", b"X-Amz-Cf-Pop"])
def test_what_differs_from_answer_to_answer_is_volatile(name: bytes) -> None:
    assert is_volatile(name)
    assert not is_volatile(b"X-" + name)


def test_what_a_client_is_has_one_value_unless_it_counts() -> None:
    headers = ((b"User-Agent", b"a"), (b"X-Twilio-Client", b"b"), (b"X-A", b"c"))
    assert [value for _, value in of_any_client(headers, ())] == [b"canonical", b"canonical", b"c"]
    assert of_any_client(headers, {b"user-agent"})[0] == (b"User-Agent", b"a")
