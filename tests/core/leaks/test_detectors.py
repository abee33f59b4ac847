from base64 import b64encode, urlsafe_b64encode

import pytest

from chatproxy.core.leaks.detectors import DETECTORS, KNOWN, PERSONAL, known
from chatproxy.core.products.sid_types import PREFIXES

TOKEN = b"0f1e2d3c4b5a69780f1e2d3c4b5a6978"
SECRET = b"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF"
HEADER = b64encode(b'{"typ":"JWT","alg":"HS256"}').rstrip(b"=")
JWT = HEADER + b"." + urlsafe_b64encode(b'{"iss":"SK00"}').rstrip(b"=") + b".c2lnbmF0dXJl-_"
CREDENTIALS = b64encode(b"alice:correct horse")

UUID = b"0f1e2d3c4b5a4978af1e2d3c4b5a6978"
MADE = b"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eFxY_-gG3hH4iI5"
PACKED = b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf"

HITS = {
    "twilio-auth-token": [
        (TOKEN, TOKEN),
        (b"token=" + TOKEN + b"&a=b", TOKEN),
        (b"/" + TOKEN + b"/", TOKEN),
        (b"mytoken:" + TOKEN + b"xyz", TOKEN),
        (b"z" + TOKEN, TOKEN),
        (b"token: " + TOKEN.upper(), TOKEN.upper()),
        (b"WT" + TOKEN + b"z", TOKEN),
        (b"aWTX" + TOKEN, TOKEN),
        (b"session_id=" + TOKEN, TOKEN),
        (b"its author said " + TOKEN, TOKEN),
        (b"the one from " + TOKEN, TOKEN),
        (b"the+one+from+" + TOKEN, TOKEN),
        (b"the token is " + UUID, UUID),
        (SECRET + b"/" + TOKEN, TOKEN),
        (b"/Services/IS" + TOKEN + b"/Channels/general/Messages/" + TOKEN, TOKEN),
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
        (b"Basic ..." + b64encode(TOKEN), b"Basic ..." + b64encode(TOKEN)),
        (b"Basic XXXXXXXX" + b64encode(TOKEN), b"Basic XXXXXXXX" + b64encode(TOKEN)),
        (
            b"Basic " + b64encode(b"AC" + TOKEN + b":" + TOKEN)[:70],
            b"Basic " + b64encode(b"AC" + TOKEN + b":" + TOKEN)[:70],
        ),
        (b"Basic " + b64encode(b"alice:\0\1\2\3\4\5"), b"Basic " + b64encode(b"alice:\0\1\2\3\4\5")),
        (b"Basic " + b64encode(TOKEN), b"Basic " + b64encode(TOKEN)),
        (b"Basic " + urlsafe_b64encode(b"me:\xff\xfe\xfd~~~"), b"Basic " + urlsafe_b64encode(b"me:\xff\xfe\xfd~~~")),
    ],
    "bearer-token": [
        (b"Bearer " + SECRET, b"Bearer " + SECRET),
        (b"bearer: mF_9.B5f-4.1JqMx", b"bearer: mF_9.B5f-4.1JqMx"),
        (b"Bearer k3j5h2g4kj6h7d9s8", b"Bearer k3j5h2g4kj6h7d9s8"),
        (b"BEARER+" + JWT + b"==", b"BEARER+" + JWT + b"=="),
        (b"Bearer bearer " + TOKEN, b"bearer " + TOKEN),
    ],
    "private-key": [
        (b"MIGTAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBHkwdwIB", b"MIGTAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBHkw"),
        (b"key=MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ", b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj"),
        (b"MIIEpAIBAAKCAQEA" + SECRET, b"MIIEpAIBAAKCAQEA" + SECRET[:24]),
        (b"MHcCAQEEI" + SECRET, b"MHcCAQEEI" + SECRET[:31]),
        (b"MC4CAQAwBQYDK2VwBCIEI" + SECRET, b"MC4CAQAwBQYDK2VwBCIEI" + SECRET[:19]),
        (b"MIIJ8wIBAzCCCbkGCSqG" + SECRET, b"MIIJ8wIBAzCCCbkGCSqG" + SECRET[:20]),
        (b"MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQ", b"MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0B"),
        (b"b3BlbnNzaC1rZXktdjEA" + SECRET, b"b3BlbnNzaC1rZXktdjEA" + SECRET[:20]),
        (b"308187020100301306072a8648ce3d0201" + TOKEN, b"308187020100301306072a8648ce3d0201" + TOKEN[:26]),
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
    "service-key": [
        (b"key=AIza" + MADE, b"AIza" + MADE[:35]),
        (b"sk_live_" + SECRET, b"sk_live_" + SECRET),
        (b"'AKIA2OGYBAH6STMMNXNN'", b"AKIA2OGYBAH6STMMNXNN"),
        (b"SG." + MADE[:22] + b"." + MADE[:43], b"SG." + MADE[:22] + b"." + MADE[:43]),
    ],
    "named-secret": [
        (b"password: Pa55w0rd-Tr0ub4dor", b"Pa55w0rd-Tr0ub4dor"),
        (b'"clientSecret": "k3j5h2g4kj6h"', b"k3j5h2g4kj6h"),
        (b"AWS_SECRET_ACCESS_KEY=wJ4lrXUtnF3MI/K7MD9G+bPx", b"wJ4lrXUtnF3MI/K7MD9G+bPx"),
        (b"api key is aB3-dE6_gH9.jK2", b"aB3-dE6_gH9.jK2"),
        (b"Pwd=>aB3dE6gH9jK2", b"aB3dE6gH9jK2"),
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
        (b"+49 170 1234567", b"+49 170 1234567"),
        (b"+1 (415) 555-2671.", b"+1 (415) 555-2671"),
        (b"+44-20-7946-0958", b"+44-20-7946-0958"),
        (b"+33 6 12 34 56 78", b"+33 6 12 34 56 78"),
        (b"(415) 555-2671", b"(415) 555-2671"),
        (b"tel 415.555.2671,", b"415.555.2671"),
        (b"0151 23456789", b"0151 23456789"),
        (b"030/1234567", b"030/1234567"),
        (b"06 12 34 56 78", b"06 12 34 56 78"),
        (b"01701234567", b"01701234567"),
        (b'"phone": "4155552671"', b"4155552671"),
    ],
}

NEAR_MISSES = {
    "twilio-auth-token": [
        TOKEN[1:],
        TOKEN + b"0",
        b"a" + TOKEN,
        *(prefix.encode() + TOKEN for prefix in PREFIXES),
        b"PTMG" + TOKEN,
        b"0" * 16 + b" " + b"0" * 16,
        b"deadbeef" * 4,
        b"RE" + TOKEN,
        b" WT" + TOKEN + b".json",
        b"PTKS" + TOKEN,
        b"WT" + TOKEN.upper(),
        UUID,
        UUID.upper(),
        b"trace_id: " + TOKEN,
        b"commit " + TOKEN,
        b'"identity": "' + TOKEN,
        b"/avatar/" + TOKEN,
        b"author: " + TOKEN,
        b"00-" + TOKEN + b"-" + TOKEN[:16] + b"-01",
        b"main." + TOKEN + b".min.js",
        TOKEN + b".cloudfront.net",
        b"%2F" + TOKEN,
        TOKEN + b"%22",
    ],
    "twilio-api-secret": [
        SECRET[1:],
        SECRET + b"x",
        SECRET.lower(),
        SECRET.upper(),
        b"aB" * 16,
        b"getUserChannelsByUniqueNameV2Foo",
        b"requestId=" + SECRET,
        PACKED + b"/" + SECRET + b"+" + PACKED,
        b"%2B" + SECRET,
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
        b"Basic " + b64encode(b"AC" + TOKEN),
        b"Basic " + b64encode(b"AC" + TOKEN)[:24] + b"__blanked__",
        b"Basic Grundlagenforschung",
        b"Basic understanding_of_everything",
        b'Basic realm="a"',
        CREDENTIALS,
    ],
    "bearer-token": [
        b"Bearer __blanked__",
        b"bearer of good news",
        b"bearer token-based-authorization",
        b"Bearer realm",
        b"Bearer Verantwortungsbewusstsein",
        b"Bearer responsibilities-of-the-shareholder-2",
        b"bearer: abcdefghijklmnop",
        SECRET,
    ],
    "private-key": [
        b"-----BEGIN PUBLIC KEY-----",
        b"-----BEGIN CERTIFICATE-----",
        b"PRIVATE KEY",
        b"-----END PRIVATE KEY-----",
        b"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + SECRET,
        b"MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQ",
        b"308187" + TOKEN * 2,
    ],
    "url-credentials": [
        b"https://alice:__blanked__@example.com",
        b"https://example.com:443/@x",
        b"https://alice@example.com",
        b"http://a/b:c@d",
        b"mailto:a:b@c",
        b"https://$USER:$PASSWORD@host",
        b"https://{user}:{password}@host",
        b"https://me:****@host",
        b"https://me:xxx@host",
        b"https://me:...@host",
    ],
    "service-key": [
        b"AKIAIOSFODNN7EXAMPLE",
        b"sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
        b"task_live_" + SECRET,
        b"xAIza" + MADE,
        b"SG.short.short",
        b"cus_" + SECRET,
    ],
    "named-secret": [
        b"password: ask your administrator",
        b"password=********",
        b"password: YOUR_PASSWORD_1_HERE_2",
        b"api_key=${API_KEY_1_A_2_B}",
        b"token_type=b1a2c3d4e5f6g7h8",
        b"secret_id: b1a2c3d4e5f6g7h8",
        b"PageToken=b1a2c3d4e5f6g7h8",
        b"device_token: b1a2c3d4e5f6g7h8",
        b"token=IM" + TOKEN,
        b"secret=__blanked__1a2b3c4d",
        b"the secret is a-well-kept-one",
        b"keyboard: b1a2c3d4e5f6g7h8",
        b"secret=qwertzuiopas",
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
        b"git@github.com:twilio",
        b"logo@2x.png",
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
        b"2024-11-03",
        b"03/11/2024 14:05",
        b"0044 0532 0130 00",
        b"DE89 3704 0044 0532 0130 00",
        b"978-3-16-148410-0",
        b"415-555-0155",
        b"1767225600",
        b"v0.10 2024",
        b"1.0151 23456",
    ],
}


def found(rule: str, text: bytes) -> list[bytes]:
    places = {
        (start, end)
        for one in DETECTORS
        if one.rule == rule and one.sign in text.lower()
        for start, end in one.spans(text)
        if not (one.is_none and one.is_none(text, start, end))
    }
    return [text[start:end] for start, end in sorted(places)]


@pytest.mark.parametrize(("rule", "text", "expected"), [(rule, *hit) for rule, hits in HITS.items() for hit in hits])
def test_a_rule_finds(rule: str, text: bytes, expected: bytes) -> None:
    assert found(rule, text) == [expected]


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in NEAR_MISSES.items() for text in texts])
def test_a_rule_does_not_find(rule: str, text: bytes) -> None:
    assert found(rule, text) == []


def test_every_rule_has_hits_and_near_misses() -> None:
    rules = list(dict.fromkeys(detector.rule for detector in DETECTORS))
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
    b"password=",
    b"password=a1",
    b"Basic aB3",
    b"phone: 1",
    b"0 12 ",
    b"(0) ",
    b"415.",
    b"+1 ",
    b"+1 (0) 23",
    b"MII",
    b"30",
    b"sk_live_",
    b"xoxb-1",
    b"SG.",
    b"aaaa:",
    b"hooks.slack.com/services/",
]


@pytest.mark.parametrize("run", [*RUNS, b"@" + b"a." * 100_000])
def test_long_runs_do_not_take_quadratic_time(run: bytes) -> None:
    text = run * (1_000_000 // len(run) + 1)
    for detector in DETECTORS:
        for start, end in detector.spans(text):
            assert end - start < 2_000_000
