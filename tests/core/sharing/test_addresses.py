import pytest

from chatproxy.core.sharing.addresses import escaped, led_to

ORIGIN, OTHER = "http://127.0.0.1:8765", "http://chatproxy.invalid"


@pytest.mark.parametrize(
    ("pairs", "turned"),
    [
        (b"a=http://127.0.0.1:8765/x&b=%41", b"a=http%3A%2F%2Fchatproxy.invalid%2Fx&b=%41"),
        (b'a={"b": "http:\\/\\/127.0.0.1:8765"}', b"a=%7B%22b%22%3A%20%22http%3A%5C%2F%5C%2Fchatproxy.invalid%22%7D"),
        (b"a=http%3a%2f%2f127.0.0.1:8765", b"a=http%3A%2F%2Fchatproxy.invalid"),
        (b"a&b=c+d", b"a&b=c+d"),
    ],
)
def test_an_address_is_led_to_another_plain_or_escaped_and_other_pairs_stay(pairs: bytes, turned: bytes) -> None:
    assert led_to(pairs, ORIGIN, OTHER) == turned
    assert led_to(pairs, ORIGIN, ORIGIN) == pairs


def test_what_stands_for_itself_is_not_escaped() -> None:
    assert escaped(b"aZ0.-_~ \n") == b"aZ0.-_~%20%0A"
