from strategies import JSON

from chatproxy.core.model import Response
from chatproxy.core.twilio.fields import fields

ONE, OTHER = (b"IM" + digit * 32 for digit in (b"1", b"2"))


def test_each_string_stands_with_the_sid_of_its_own_object() -> None:
    body = b'{"m": [{"a": "x", "sid": "%b"}, {"sid": "%b", "n": {"b": "y"}}], "c": "z"}' % (ONE, OTHER)
    found = [
        (place.name, body[place.start : place.end], sid) for place, sid in fields(Response(200, b"", (JSON,), body))
    ]
    assert found == [
        (b"a", b"x", ONE),
        (b"sid", ONE, ONE),
        (b"sid", OTHER, OTHER),
        (b"b", b"y", b""),
        (b"c", b"z", b""),
    ]


def test_what_is_no_json_or_no_sid_has_none() -> None:
    assert list(fields(Response(200, b"", (), b'{"sid": "a"}'))) == []
    assert [sid for _, sid in fields(Response(200, b"", (JSON,), b'{"sid": "general", "a": "b"}'))] == [b"", b""]
