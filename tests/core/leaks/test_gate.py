import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest
from core.leaks.samples import Made, header
from exchanges import numbered
from fixture.fixtures import document, written
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, MESSAGES, UPSTREAM, one_of

from chatproxy.core.leaks.detectors import DETECTORS, KNOWN, PERSONAL
from chatproxy.core.leaks.gate import Gate, Leak, leaks
from chatproxy.core.model import Exchange, ExchangeNumber, Request, Response
from chatproxy.core.products.every import WRITTEN

TOKEN = "0f1e2d3c4b5a69780f1e2d3c4b5a6978"
JWT = ".".join(b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "HS256"}, {"iss": "SK"}))
LIVE = "a live credential!"
GATE = Gate(frozenset({LIVE.encode()}))
STRICT = replace(GATE, strict=True)


def found(text: str | bytes, gate: Gate = GATE) -> list[Leak]:
    content = text if isinstance(text, bytes) else text.encode()
    return list(leaks(content.splitlines(keepends=True), gate))


def rules(text: str | bytes, gate: Gate = GATE) -> list[str]:
    return [leak.rule for leak in found(text, gate)]


# Secrets in every encoding, in every field

seeds = st.integers(0, 2**64).map(Made)
hexadecimal = seeds.map(lambda made: made.hex(32)).filter(lambda digits: digits[12] != "4")  # a UUID has it there
names = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=10)


def unpadded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


SECRETS: dict[str, st.SearchStrategy[str]] = {
    KNOWN: st.text("abcXYZ019-_.~!*/=:@\"'üé世 +", min_size=16, max_size=30).filter(lambda text: len(set(text)) > 4),
    "twilio-auth-token": hexadecimal,
    "twilio-api-secret": seeds.map(lambda made: made.letters(32)),
    "jwt": names.map(lambda name: ".".join((unpadded('{"alg":"HS256"}'), unpadded(f'{{"sub":"{name}"}}'), "abc"))),
    "basic-credentials": names.map(lambda name: "Basic " + b64encode(f"{name}:pass word".encode()).decode()),
    "bearer-token": hexadecimal.map(lambda token: "Bearer " + token[:24]),
    "private-key": st.sampled_from(["RSA ", "EC ", ""]).map(lambda kind: f"-----BEGIN {kind}PRIVATE KEY-----"),
    "url-credentials": st.builds("https://{}:{}@host".format, names, hexadecimal.map(lambda text: text[:12])),
    "service-key": seeds.map(lambda made: f"sk_live_{made.letters(24)}"),
    "named-secret": seeds.map(lambda made: f"password: {made.letters(16)}"),
    "email": st.builds("{}@{}.com".format, names, st.text("abcdefgh", min_size=3, max_size=9)),
    "phone": st.integers(10**10, 10**11).map(lambda number: f"+49{number}"),
}


def mixed(draw: st.DrawFn, text: str) -> str:
    """Write each character in a way of its own; it is no encoding for a text that has escapes already."""
    return "".join(draw(one_of(*_ways(character))) for character in text)


def _ways(character: str) -> list[str]:
    units = character.encode("utf-16-be")
    escaped = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    percent = "".join(f"%{byte:02x}" for byte in character.encode())
    return [character, escaped, escaped.upper().replace("U", "u"), percent, percent.upper(), quote(percent)]


ENCODINGS: list[Callable[[str], str]] = [
    lambda text: quote(text, safe=""),
    lambda text: quote_plus(text) if " " not in text else quote(text),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
]
PACKINGS: list[Callable[[str], str]] = [
    lambda text: b64encode(text.encode()).decode(),
    lambda text: urlsafe_b64encode(text.encode()).decode(),
    lambda text: b64encode(text.encode()).decode().rstrip("="),
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex().upper(),
]
APART = st.sampled_from(["", " ", ", ", '"', ": ", "[", "(é"])


@st.composite
def planted(draw: st.DrawFn, secret: str) -> str:
    """Wrap a secret in layers of encodings, with other text around it in some of them."""
    text = secret
    packed, plain = 0, True
    for _ in range(draw(st.integers(0, 4))):
        text = draw(APART) + text + draw(APART)
        if packed < 3 and draw(st.booleans()):
            packed, plain = packed + 1, True
            text = draw(st.sampled_from(PACKINGS))(text.ljust(12, "."))
        elif plain and draw(st.booleans()):
            plain = False
            text = mixed(draw, text)
        else:
            plain = False
            text = draw(st.sampled_from(ENCODINGS))(text)
    return text


def exchange(**places: str) -> Exchange:
    """Make an exchange with these texts in it."""

    def at(place: str) -> str:
        return places.get(place, "nothing")

    note = at("header").encode()
    answer = {"to": at("to"), "body": at("body"), "attributes": json.dumps({"deep": at("attributes")}), "n": [at("n")]}
    request = Request(
        "POST",
        MESSAGES + b"?q=" + quote(at("query"), safe="").encode() + b"&z",
        (FORM, (b"X-Note", note)),
        f"To={quote_plus(at('form'))}&Body={quote_plus(at('own'))}&Webhook=1".encode(),
    )
    body = json.dumps(answer).encode() if "text" not in places else at("text").encode() + b"\n"
    return numbered(1, request, Response(200, b"OK", (JSON, (b"X-B", note)), body), UPSTREAM, 0, 0, 0, None)


OTHERS = ["query", "header", "form", "to", "n", "text"]
OWN = ["own", "body", "attributes"]


@pytest.mark.parametrize("rule", SECRETS)
@given(st.data())
def test_law_no_planted_secret_survives_in_any_encoding_or_field(rule: str, data: st.DataObject) -> None:
    secret = data.draw(SECRETS[rule])
    place = data.draw(st.sampled_from(OTHERS + OWN))
    text = written([exchange(**{place: data.draw(planted(secret))})])
    if data.draw(st.booleans()):
        text = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=data.draw(st.booleans()))
    gate = Gate(frozenset({secret.encode()}) if rule == KNOWN else frozenset(), strict=True)

    shown = found(text, gate)

    assert rule in {leak.rule for leak in shown}
    assert all(leak.exchange == 1 for leak in shown)
    assert secret not in "".join(map(str, shown))
    if rule in PERSONAL:
        lax = {leak.rule for leak in found(text, replace(gate, strict=False))}
        assert (rule in lax) == (place in OTHERS)


@given(st.lists(SECRETS["twilio-auth-token"], max_size=3), st.data())
def test_law_no_finding_holds_what_was_found(tokens: list[str], data: st.DataObject) -> None:
    words = [*tokens, LIVE, b64encode(LIVE.encode()).decode(), "alice@corp.com", "to", "exchanges", "\u00e9", "%40"]
    content: dict[str, object] = {}
    for _ in range(data.draw(st.integers(0, 4))):
        name, value = (data.draw(st.sampled_from(words)) for _ in range(2))
        content = {name: [value, content], value: name}
    text = json.dumps(content, indent=data.draw(st.sampled_from([None, 2])))
    shown = " ".join(map(str, found(text)))
    assert not [secret for secret in (*tokens, LIVE, words[-5], "alice@corp.com") if secret in shown]


def test_one_secret_has_one_id_in_every_encoding() -> None:
    lines = [LIVE, quote(LIVE), b64encode(LIVE.encode()).decode(), b64encode(f"x{LIVE}".encode()).decode()]
    lines += [LIVE.encode().hex(), f'"{json.dumps(LIVE)}"']
    assert len({leak.id for leak in found("\n".join(lines))}) == 1
    assert rules("\n".join(lines)) == [KNOWN] * len(lines)
    emails = ["to alice@corp.com", "alice%40corp.com", r"a\nalice@corp.com", b64encode(b"to: alice@corp.com").decode()]
    assert len({leak.id for leak in found("\n".join(emails))}) == 1


# Where it stands


def test_a_finding_tells_its_place_its_field_and_its_exchange() -> None:
    text = written([exchange(), replace(exchange(to="é alice@corp.com", header=TOKEN), number=ExchangeNumber(7))])
    lines = text.split("\n")
    first, second, third = found(text)
    assert [leak.rule for leak in (first, second, third)] == ["twilio-auth-token", "twilio-auth-token", "email"]
    assert [leak.field for leak in (first, second, third)] == ["X-Note", "X-B", "to"]
    assert {leak.exchange for leak in (first, second, third)} == {7}
    assert lines[first.line - 1][first.column - 1 :].startswith(TOKEN)
    assert lines[third.line - 1][third.column - 1 :].startswith("alice@corp.com")
    assert str(third) == (f"{third.line}:{third.column}: email: an e-mail address in 'to' of exchange 7 ({third.id})")
    assert re.fullmatch("[0-9a-f]{8}", third.id)


def test_what_is_written_in_escapes_is_found_where_they_stand() -> None:
    for text in (r"x \u0061lice@corp.com", "x %61lice%2540corp.com", r"x\n\u0061lice@corp.com"):
        (leak,) = found(text)
        assert text[leak.column - 1 :].startswith((r"\u0061", "%61"))


def test_what_base64_holds_is_found_where_it_begins() -> None:
    (leak,) = found("é " + b64encode(b"write to alice@corp.com").decode())
    assert (leak.line, leak.column, leak.rule) == (1, 3, "email")


def test_findings_come_in_the_order_of_their_places() -> None:
    text = f"+491701234567 {TOKEN} alice@corp.com\n\n  alice@corp.com"
    assert [(leak.line, leak.column) for leak in found(text)] == [(1, 1), (1, 15), (1, 48), (3, 3)]


def test_a_field_whose_name_is_a_secret_is_not_named() -> None:
    name = b64encode(LIVE.encode()).decode().rstrip("=")
    text = json.dumps({"to": TOKEN, TOKEN: TOKEN, "bcc": {name: TOKEN}, "a b": TOKEN})
    assert [leak.field for leak in found(text) if leak.rule != KNOWN] == ["to", "", "", "", ""]


def test_names_of_fields_are_remembered_up_to_a_bound() -> None:
    lines = [f'"name{number}": "{TOKEN}"' for number in range(1100)]
    assert [leak.field for leak in found("\n".join(lines))] == [f"name{number}" for number in range(1100)]


def test_a_text_of_any_bytes_is_searched() -> None:
    (leak,) = found(b"\xff\xfe\x00 " + TOKEN.encode())
    assert (leak.column, leak.field, leak.exchange) == (5, "", 0)
    assert str(leak).endswith(f"what looks like a Twilio auth token ({leak.id})")
    assert found(b"") == []


# Several readings of one place


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\nalice@corp.com", ["email"]),
        (f"https://alice:{TOKEN}@corp.com", ["url-credentials"]),
        (f"Basic {b64encode(f'alice:{TOKEN}'.encode()).decode()}", ["basic-credentials"]),
        (f"Bearer {JWT}.abc", ["bearer-token"]),
        (f"{TOKEN}@corp.com", ["email", "twilio-auth-token"]),
        (b64encode(f"{TOKEN} and alice@corp.com".encode()).decode(), ["twilio-auth-token", "email"]),
        (f"{b64encode(b'to alice@corp.com').decode()}/{TOKEN}", ["email", "twilio-auth-token"]),
        (f"https://alice:{quote(LIVE)}@corp.com", ["url-credentials", KNOWN]),
        (f"Basic {b64encode(f'alice:{LIVE}'.encode()).decode()}", ["basic-credentials", KNOWN]),
        (f"a@corp.com {b64encode(b'to: a@corp.com').decode()}", ["email"]),
        ("a@b.com@c.org", ["email", "email"]),
    ],
)
def test_what_stands_in_one_place_is_shown_once(text: str, expected: list[str]) -> None:
    assert sorted(rules(text)) == sorted(expected)


def test_a_known_credential_that_looks_like_a_token_is_shown_as_known() -> None:
    gate = Gate(frozenset({TOKEN.encode()}))
    for text in (TOKEN, b64encode(f"a:{TOKEN}".encode()).decode(), quote(quote(f'"{TOKEN}"'))):
        assert rules(text, gate) == [KNOWN]


def test_of_two_credentials_of_which_one_begins_with_the_other_both_are_found() -> None:
    gate = Gate(frozenset({LIVE.encode(), LIVE.encode() + b" and more"}))
    assert len({leak.id for leak in found(LIVE + " and more", gate)}) == 2


def test_an_encoding_too_many_is_not_undone() -> None:
    text = "write to alice@corp.com"
    for _ in range(3):
        text = b64encode(text.encode()).decode()
    assert "email" in rules(text)
    assert "email" not in rules(b64encode(text.encode()).decode())
    assert rules("alice%" + "25" * 7 + "40corp.com") == ["email"]
    assert rules("alice%" + "25" * 8 + "40corp.com") == []


# What is let pass


def test_sids_and_what_was_blanked_are_no_findings() -> None:
    assert found(f"AC{TOKEN} SK{TOKEN} PTMG{TOKEN} __blanked__ Basic __blanked__ https://a:__blanked__@b.c") == []
    assert found(json.dumps(document(user="AC" + TOKEN), indent=2)) == []


def test_users_may_write_addresses_and_numbers_but_no_tokens() -> None:
    text = written([exchange(**dict.fromkeys(OWN, f"alice@corp.com +491701234567 {TOKEN}"))])
    assert rules(text) == ["twilio-auth-token"] * 3
    assert sorted(rules(text, STRICT)) == ["email"] * 3 + ["phone"] * 3 + ["twilio-auth-token"] * 3


@pytest.mark.parametrize(("parameter", "field"), WRITTEN.items())
def test_users_write_the_same_fields_here_as_everywhere(parameter: bytes, field: bytes) -> None:
    request = Request("POST", MESSAGES, (FORM,), parameter + b"=alice%40corp.com")
    response = Response(201, b"Created", (JSON,), json.dumps({field.decode(): "alice@corp.com"}).encode())
    text = written([numbered(1, request, response, UPSTREAM, 0, 0)])
    assert rules(text) == []
    assert rules(text, STRICT) == ["email", "email"]


def test_a_users_address_does_not_hide_the_token_in_it() -> None:
    assert rules(written([exchange(own=f"{TOKEN}@corp.com")])) == ["twilio-auth-token"]


def test_a_users_address_does_not_hide_the_same_one_elsewhere() -> None:
    encoded = b64encode(b"to: alice@corp.com").decode()
    for body in ("to: alice@corp.com", encoded, f"to: {encoded}"):
        text = written([exchange(own=body, body=body, to=encoded)])
        for one in (text, json.dumps(json.loads(text))):
            assert [leak.field for leak in found(one)] == ["to"]


def test_the_answer_to_a_form_is_no_form() -> None:
    assert rules(written([exchange(text="Body=alice@corp.com")])) == ["email"]


def allowing(*patterns: str) -> Gate:
    return replace(GATE, allow=tuple(re.compile(pattern.encode()) for pattern in patterns))


def test_what_is_allowed_by_its_id_is_no_finding_in_any_encoding() -> None:
    text = f"{TOKEN} {quote(TOKEN)} alice@corp.com"
    first, _, email = found(text)
    assert rules(text, allowing(first.id)) == ["email"]
    assert rules(text, allowing(first.id, email.id)) == []
    assert rules(text, allowing("00000000")) == ["twilio-auth-token", "twilio-auth-token", "email"]


def test_an_expression_allows_what_it_matches_as_a_whole() -> None:
    text = f"{TOKEN} alice@corp.com alice@corp.com.evil.net"
    assert rules(text, allowing("[0-9a-f]{32}", r".*@corp\.com")) == ["email"]
    assert rules(text, allowing("[0-9a-f]{31}", "alice")) == ["twilio-auth-token", "email", "email"]
    assert rules(LIVE, allowing("a live credential!")) == []


def test_a_token_in_a_header_that_tells_nothing_is_none_but_a_known_one_is() -> None:
    for name, value in (("ETag", f'"{TOKEN}"'), ("Via", f"1.1 {TOKEN} (a)"), ("X-Amz-Cf-Id", f"{TOKEN}==")):
        assert rules(header(name, value)) == []
        assert rules(header(name, value), Gate(frozenset({TOKEN.encode()}))) == [KNOWN]
    assert rules(header("X-Note", f"1.1 {TOKEN} (a)")) == ["twilio-auth-token"]
    assert rules(header("ETag", f"Bearer {TOKEN}")) == ["bearer-token"]


def test_the_tail_of_a_sid_is_none_where_the_sid_stands_before_or_after_it() -> None:
    lines = [f"{TOKEN}\n".encode(), f"RE{TOKEN}\n".encode(), b64encode(f"it is {TOKEN.upper()}".encode())]
    assert [leak.line for leak in leaks(lines, GATE)] == [1, 3]
    assert list(leaks(lines, GATE, lambda: lines)) == []
    assert [leak.line for leak in leaks(lines, GATE, lambda: lines[:1])] == [1, 3]


def quoted_twice(text: str) -> str:
    return quote(quote(text))


def in_entities(text: str) -> str:
    return "".join(f"&#{ord(sign)};" for sign in text)


@pytest.mark.parametrize("before", ["trace_id: ", "RE", "md5="])
@pytest.mark.parametrize("encode", [json.dumps, quote, quoted_twice, in_entities])
def test_what_makes_a_token_something_else_does_so_in_each_encoding(before: str, encode: Callable[[str], str]) -> None:
    assert rules(encode(f'{{"{before}{TOKEN}"}}')) == []
    assert rules(b64encode(f'{{"{before}{TOKEN}"}}'.encode()).decode()) == []
    assert rules(encode(f'{{"note: {TOKEN}"}}')) == ["twilio-auth-token"]


def test_numbers_as_they_are_written_within_a_country_are_found_with_strict_alone() -> None:
    text = "call 0151 23456789\nor (415) 555-2671\n"
    assert rules(text) == []
    assert rules(text, STRICT) == ["phone", "phone"]


def test_a_picture_in_base64_has_no_findings_and_what_is_written_in_it_has() -> None:
    picture = Made(0).base64(b"\x89PNG", 100_000)
    assert rules(json.dumps({"image": picture})) == []
    noted = b64encode(b"\x89PNG" + Made(0).some_bytes(3000) + b"\0tEXtpassword: k3j5h2g4kj6h7d9s8\0").decode()
    assert rules(json.dumps({"image": noted})) == ["named-secret"]


# Long lines


@pytest.mark.parametrize(
    "run",
    [
        "0123456789abcdef",
        "A",
        "\\",
        "%25",
        "%2525",
        '"',
        "{",
        r"\u0041",
        "QUFB",
        "/abcdefghijklmnopq",
        "\x00",
        "&#65;",
        "&amp;",
        "H4sI",
    ],
)
def test_a_long_line_does_not_take_quadratic_time(run: str) -> None:
    assert found(run * (500_000 // len(run)) + "\n") == []


def test_five_million_hexadecimal_digits_are_no_token_and_hide_none() -> None:
    digits = "0123456789abcdef" * 312_500
    assert rules(digits) == []
    assert rules(f"{digits} {TOKEN} {digits}") == ["twilio-auth-token"]


def test_a_line_of_many_findings_is_searched_once() -> None:
    form = "&".join(f"To=a%40corp{number}.com" for number in range(20_000))
    text = written([replace(exchange(), request=replace(exchange().request, body=form.encode()))])
    shown = found(text)
    assert len(shown) == 20_000
    assert {leak.field for leak in shown} == {"To"}


def test_lines_are_read_one_by_one() -> None:
    taken = []

    def lines() -> object:
        for number in range(3):
            taken.append(number)
            yield f"{TOKEN}\n".encode()

    stream = leaks(lines(), GATE)  # type: ignore[arg-type]
    assert taken == []
    assert next(stream).line == 1
    assert taken == [0]


def test_every_rule_has_a_law() -> None:
    assert list(SECRETS) == [KNOWN, *dict.fromkeys(detector.rule for detector in DETECTORS)]


def test_lines_are_looked_at_once_and_forgotten_again() -> None:
    lines = [f'"to": "{TOKEN}"', *(f"line {number}" for number in range(6000)), f'"to": "{TOKEN}"']
    assert [leak.line for leak in found("\n".join(lines * 2))] == [1, 6002, 6003, 12004]
