import pytest

from chatproxy.core.leaks.named import NAMES, named_secrets

VALUE = b"k3j5h2g4kj6h7d9s8"


@pytest.mark.parametrize(
    ("sign", "name"),
    [
        (b"passw", b"Password"),
        (b"passw", b"DB_PASSWD"),
        (b"pwd", b"pwd"),
        (b"secret", b"clientSecret"),
        (b"secret", b"aws_secret_access_key"),
        (b"token", b"refresh_token"),
        (b"credential", b"credentials"),
        (b"key", b"api-key"),
        (b"key", b"serverKey"),
        (b"key", b"AccountKey"),
    ],
)
@pytest.mark.parametrize("between", [b"=", b": ", b'": "', b'\\": \\"', b" => ", b"+=+", b" is ", b"']='"])
def test_what_stands_at_a_name_is_found_alone(sign: bytes, name: bytes, between: bytes) -> None:
    text = name + between + VALUE + b'", and more'
    assert sign in text.lower()
    assert [text[start:end] for start, end in named_secrets(NAMES[sign])(text)] == [VALUE]


def test_what_is_no_value_of_its_own_is_not_found() -> None:
    for text in (b"secret " + VALUE, b"secret\n\n\n\n= " + VALUE, b"secret=%22" + VALUE, b"secret=" + VALUE[:11]):
        assert list(named_secrets(NAMES[b"secret"])(text)) == []


def test_a_dollar_sign_within_a_value_stands_for_nothing() -> None:
    find = named_secrets(NAMES[b"secret"])
    assert list(find(b'{"secret":"Xk9#mQ2$vL7!pR4zT8"}'))
    for text in (b'{"secret":"$Xk9mQ2vL7pR4zT8w"}', b"secret=Xk9mQ2${VL7}pR4zT8wY"):
        assert list(find(text)) == []
