from base64 import b64encode, urlsafe_b64encode

import pytest

from chatproxy.core.credentials.blanking import MINIMUM_LENGTH
from chatproxy.core.credentials.carried import basic, secrets_of

T = b"the-auth-token-of-the-account-910"
USER = b"AC" + b"0" * 32
LOGIN = b64encode(USER + b":" + T)


@pytest.mark.parametrize(
    "value",
    [
        b"Bearer " + T,
        b"Bearer\t" + T,
        b"Bearer:" + T,
        b'Bearer "' + T + b'"',
        T,
        b"Bearer token=" + T,
        b'Token token="' + T + b'"',
        b'Digest username="x", realm="a, b", uri="/v1/Services", response="' + T + b'"',
        b"Bearer " + T + b", Basic eDp5",
        b"Basic " + LOGIN,
        b"Basic\t" + LOGIN,
        b"basic  " + LOGIN.rstrip(b"="),
        b"Basic eDp5, Bearer " + T,
    ],
)
def test_law_1_a_secret_is_found_however_its_field_is_written(value: bytes) -> None:
    assert T in secrets_of(((b"Authorization", value),))
    assert T in secrets_of(((b"proxy-authorization", value),))


def test_law_2_what_says_who_asks_and_for_what_is_no_secret() -> None:
    value = b'Digest username="%b", realm="Twilio API", uri="/v1/Services/IS1", nonce="%b"' % (USER, T)
    found = secrets_of(((b"Authorization", value),))
    assert not found & {USER, b"Twilio API", b"/v1/Services/IS1"}
    assert T in found
    assert USER not in secrets_of(((b"Authorization", b"Basic " + b64encode(USER + b":" + USER)),))


def test_law_3_basic_credentials_may_have_either_alphabet_and_no_padding() -> None:
    login = b"user?>:pass?>word"
    for token in (b64encode(login), urlsafe_b64encode(login), b64encode(login).rstrip(b"=")):
        assert basic(b"Basic " + token) == (b"user?>", b"pass?>word")
    assert basic(b"Basic =") == basic(b"Basic a") == basic(b"Bearer YTpi") == basic(b"") == (b"", b"")


def test_other_fields_carry_none() -> None:
    assert secrets_of(((b"X-Token", T), (b"Authorization", b""))) <= {b""}


def test_law_1_of_a_field_with_many_credentials_the_whole_is_a_secret() -> None:
    for value in (b"," * 500_000, b'"' * 500_001, (T + b", ") * 20_000):
        found = secrets_of(((b"Authorization", b"Bearer " + value),))
        assert {one for one in found if len(one) >= MINIMUM_LENGTH} == {value.strip()}
