from base64 import b64encode, urlsafe_b64encode

import pytest

from chatproxy.core.leaks.detectors import DETECTORS, KNOWN, PERSONAL, known
from chatproxy.core.products.sid_types import PREFIXES

TOKEN = b"0f1e2d3c4b5a69780f1e2d3c4b5a6978"
SECRET = b"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF"
HEADER = b64encode(b'{"typ":"JWT","alg":"HS256"}').rstrip(b"=")
JWT = HEADER + b"." + urlsafe_b64encode(b'{"iss":"SK00"}').rstrip(b"=") + b".c2lnbmF0dXJl-_"
CREDENTIALS = b64encode(b"alice:correct horse")

HITS = {
    "twilio-auth-token": [
        (TOKEN, TOKEN),
        (b"token=" + TOKEN + b"&a=b", TOKEN),
        (b"/" + TOKEN + b"/", TOKEN),
        (b"mytoken:" + TOKEN + b"xyz", TOKEN),
        (b"z" + TOKEN, TOKEN),
        (b"RE" + TOKEN, b"RE" + TOKEN),
        (b" WT" + TOKEN, b"WT" + TOKEN),
        (b"xWT" + TOKEN, TOKEN),
    ],
    "twilio-api-secret": [(SECRET, SECRET), (b"secret=" + SECRET + b"_", SECRET), (b"a/" + SECRET + b"+b", SECRET)],
    "jwt": [
        (JWT, JWT),
        (b'"' + JWT + b'"', JWT),
        (HEADER + b"." + HEADER + b".", HEADER + b"." + HEADER + b"."),
        (JWT.replace(b"eyJ", b"ewo"), JWT.replace(b"eyJ", b"ewo")),
    ],
    "basic-credentials": [
        (b"Basic " + CREDENTIALS, b"Basic " + CREDENTIALS),
        (b"basic  " + CREDENTIALS.rstrip(b"="), b"basic  " + CREDENTIALS.rstrip(b"=")),
        (b"BASIC+" + CREDENTIALS + b"+and+more", b"BASIC+" + CREDENTIALS),
        (b"use basic Basic " + CREDENTIALS, b"Basic " + CREDENTIALS),
        (b"Basic " + urlsafe_b64encode(b"me:\xff\xfe\xfd~~~"), b"Basic " + urlsafe_b64encode(b"me:\xff\xfe\xfd~~~")),
    ],
    "bearer-token": [
        (b"Bearer " + SECRET, b"Bearer " + SECRET),
        (b"bearer: abcdefghijklmnop", b"bearer: abcdefghijklmnop"),
        (b"BEARER+" + JWT + b"==", b"BEARER+" + JWT + b"=="),
        (b"Bearer bearer " + TOKEN, b"bearer " + TOKEN),
    ],
    "private-key": [
        (b"-----BEGIN PRIVATE KEY-----", b"-----BEGIN PRIVATE KEY-----"),
        (b"x-----BEGIN EC PRIVATE KEY-----\\nMII", b"-----BEGIN EC PRIVATE KEY-----"),
        (b"a=-----BEGIN+RSA+PRIVATE+KEY-----", b"-----BEGIN+RSA+PRIVATE+KEY-----"),
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----", b"-----BEGIN PGP PRIVATE KEY BLOCK-----"),
    ],
    "url-credentials": [
        (b"https://alice:s3cret@example.com/", b"://alice:s3cret@example.com"),
        (b"redis://:pw@localhost:6379", b"://:pw@localhost"),
        (b"a://b c://d:e@f", b"://d:e@f"),
    ],
    "email": [
        (b"alice@corp.com", b"alice@corp.com"),
        (b"<a.b+c_d-e'f@mail.corp.co.uk>", b"a.b+c_d-e'f@mail.corp.co.uk"),
        (b"to=alice@corp.com. Next", b"alice@corp.com"),
        (b"alice@example.com.corp.net", b"alice@example.com.corp.net"),
        (b"alice@notexample.com", b"alice@notexample.com"),
        (b"alice@example.community", b"alice@example.community"),
        ("jürg@zürich.ch".encode(), "jürg@zürich.ch".encode()),
        ("an@пример.рф".encode(), "an@пример.рф".encode()),
        (b"x" * 70 + b"@corp.com", b"x" * 64 + b"@corp.com"),
    ],
    "phone": [
        (b"+14155550299", b"+14155550299"),
        (b"whatsapp:+491701234567.", b"+491701234567"),
        (b"+15005550006", b"+15005550006"),
        (b"+2901234", b"+2901234"),
        (b"a,+123456789012345", b"+123456789012345"),
        (b"call++491701234567", b"+491701234567"),
    ],
}

NEAR_MISSES = {
    "twilio-auth-token": [
        TOKEN[1:],
        TOKEN + b"0",
        b"a" + TOKEN,
        TOKEN.upper(),
        *(prefix.encode() + TOKEN for prefix in PREFIXES),
        b"PTMG" + TOKEN,
        b"0" * 16 + b" " + b"0" * 16,
    ],
    "twilio-api-secret": [
        SECRET[1:],
        SECRET + b"x",
        SECRET.lower(),
        SECRET.upper(),
        b"aB" * 16,
        b"IM" + TOKEN,
        b"abcdefghijklmnop-0123456789ABCDE",
    ],
    "jwt": [HEADER, HEADER + b"." + HEADER, HEADER + b".abc.def", b"x" + JWT, b"eyJ.eyJ.", b"a.b.c"],
    "basic-credentials": [
        b"Basic auth",
        b"basic authentication",
        b"basic information is here",
        b"Basic __blanked__",
        b"Basic " + b64encode(b"alice:__blanked__"),
        b"Basic " + b64encode(b"alice, bob, carol"),
        b"Basic " + b64encode(b":password"),
        b"Basic " + b64encode(b"alice:\0\1\2\3\4\5"),
        b'Basic realm="a"',
        CREDENTIALS,
    ],
    "bearer-token": [
        b"Bearer __blanked__",
        b"bearer of good news",
        b"bearer token-based-authorization",
        b"Bearer realm",
        SECRET,
    ],
    "private-key": [
        b"-----BEGIN PUBLIC KEY-----",
        b"-----BEGIN CERTIFICATE-----",
        b"PRIVATE KEY",
        b"-----END PRIVATE KEY-----",
    ],
    "url-credentials": [
        b"https://alice:__blanked__@example.com",
        b"https://example.com:443/@x",
        b"https://alice@example.com",
        b"http://a/b:c@d",
        b"mailto:a:b@c",
    ],
    "email": [
        b"alice@example.com",
        b"alice@example.com, and more",
        b"alice@mail.example.ORG",
        b"alice@EXAMPLE.net",
        b"alice@corp.example",
        b"alice@a.b.test",
        b"alice@x.invalid",
        b"alice@here.localhost",
        b"alice@localhost",
        b"@corp.com",
        b"alice @corp.com",
        b"alice@corp",
        b"twilio@9.13.0",
        b"alice@.com",
        b"alice@1.c",
    ],
    "phone": [
        b"+12125550100",
        b"+19075550199",
        b"14155550123",
        b"+01234567",
        b"+123456",
        b"+1234567890123456",
        b"1+14155550123",
        b"00:00+0000",
    ],
}


def found(rule: str, text: bytes) -> list[bytes]:
    (detector,) = (one for one in DETECTORS if one.rule == rule)
    return [text[start:end] for start, end in detector.spans(text)]


@pytest.mark.parametrize(("rule", "text", "expected"), [(rule, *hit) for rule, hits in HITS.items() for hit in hits])
def test_a_rule_finds(rule: str, text: bytes, expected: bytes) -> None:
    assert found(rule, text) == [expected]


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in NEAR_MISSES.items() for text in texts])
def test_a_rule_does_not_find(rule: str, text: bytes) -> None:
    assert found(rule, text) == []


def test_every_rule_has_hits_and_near_misses() -> None:
    rules = [detector.rule for detector in DETECTORS]
    assert rules == list(HITS) == list(NEAR_MISSES)
    assert set(rules) > PERSONAL
    assert KNOWN not in rules


def test_a_known_credential_is_found_in_each_encoding() -> None:
    secret = b"a live credential"
    text = b" ".join([secret, b64encode(secret), secret.hex().encode(), b"a%20live+credential"])
    detectors = list(known(secret))
    assert {detector.rule for detector in detectors} == {KNOWN}
    assert {detector.secret for detector in detectors} == {secret}
    assert sum(len(list(detector.spans(text))) for detector in detectors) == 4


RUNS = [
    b"0123456789abcdef",
    b"A",
    b"aB3",
    b"eyJ",
    b"eyJaaaaaaa.",
    b"basic+",
    b"bearer ",
    b"://a:",
    b"-----BEGIN ",
    b"@a.",
    b"a@",
    b"+1",
    b"+",
    b"\x80",
]


@pytest.mark.parametrize("run", [*RUNS, b"@" + b"a." * 100_000])
def test_long_runs_do_not_take_quadratic_time(run: bytes) -> None:
    text = run * (1_000_000 // len(run) + 1)
    for detector in DETECTORS:
        for start, end in detector.spans(text):
            assert end - start < 2_000_000
