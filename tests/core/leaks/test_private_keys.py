from base64 import b64encode, urlsafe_b64encode

import pytest
from core.leaks.planted import EC_PKCS8, EC_SEC1, RSA_PKCS1, RSA_PKCS8
from core.leaks.samples import Made

from chatproxy.core.leaks.private_keys import bare_keys, pem_keys


@pytest.mark.parametrize("begin", [EC_PKCS8, EC_SEC1, RSA_PKCS1, RSA_PKCS8])
def test_a_key_is_found_in_base64_and_in_hexadecimal(begin: bytes) -> None:
    key = begin + Made(8).some_bytes(100)
    for text in (b64encode(key), urlsafe_b64encode(key), key.hex().encode(), key.hex().upper().encode()):
        assert [start for start, _ in bare_keys(b"key=" + text)] == [4]


@pytest.mark.parametrize(
    "begin", ["30820122300d06092a864886f70d0101010500", "3082038d30820275a0030201020214", "3081870201030203"]
)
def test_a_public_key_and_a_certificate_are_none(begin: str) -> None:
    content = bytes.fromhex(begin) + Made(9).some_bytes(100)
    assert list(bare_keys(b64encode(content))) == list(bare_keys(content.hex().encode())) == []


def test_the_first_line_of_a_key_is_found() -> None:
    text = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
    assert list(pem_keys(text)) == [(0, len(text))]
