import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Json, json_containers, json_spellings, sids

from chatproxy.core.scrubbing.pseudonyms import NUMBER_PSEUDONYM, PSEUDONYM, Pseudonyms
from chatproxy.core.scrubbing.rules import Scrub

SALT = "a salt of the team"
MADE = Pseudonyms(SALT)
EMPTY = ("", "{}", "[]")
values = (
    st.text()
    | sids()
    | st.sampled_from(
        ["alice", "", "alice@example.com", "+15551234567", "user:+15551234567", "{}", '{"a": 1}', "\ud800"]
    )
)


@given(values)
def test_law_3_a_pseudonym_has_no_pseudonym_in_turn(value: str) -> None:
    pseudonym = MADE.of_text(value)
    assert MADE.is_one(pseudonym) or value in EMPTY
    assert MADE.of_text(pseudonym) == pseudonym


@given(values, values)
def test_law_1_pseudonyms_are_equal_as_values_are(one: str, other: str) -> None:
    same_json = one.strip()[:1] == other.strip()[:1] == "{"
    assert same_json or (MADE.of_text(one) == MADE.of_text(other)) == (one == other)


@given(values)
def test_law_1_another_salt_makes_other_pseudonyms(value: str) -> None:
    assert MADE.is_one(value) or value in EMPTY or MADE.of_text(value) != Pseudonyms(SALT + "!").of_text(value)


@pytest.mark.parametrize(
    ("value", "pseudonym"),
    [
        ("alice", r"pseudonym-[0-9a-f]{16}"),
        (" ", r"pseudonym-[0-9a-f]{16}"),
        ("42", r"pseudonym-[0-9a-f]{16}"),
        ("whatsapp:+15551234567", r"pseudonym-[0-9a-f]{16}"),
        ("alice@example.com", r"[0-9a-f]{16}@pseudonym\.invalid"),
        ("+15551234567", r"\+999[0-9]{11}"),
        ("US" + "0a" * 16, r"US[0-9a-f]{32}"),
        ('{"a": 1}', r"pseudonym-[0-9a-f]{16}"),
    ],
)
def test_law_2_a_pseudonym_is_of_the_values_type(value: str, pseudonym: str) -> None:
    assert re.fullmatch(pseudonym, MADE.of_text(value))
    assert MADE.of_text(value) != value


@given(sids())
def test_law_2_the_pseudonym_of_a_sid_is_known_by_the_salt_only(sid: str) -> None:
    pseudonym = MADE.of_text(sid)
    assert pseudonym[:2] == sid[:2]
    assert not MADE.is_one(sid)
    assert not Pseudonyms(SALT + "!").is_one(pseudonym)
    assert not PSEUDONYM.search(pseudonym.encode())


@given(st.data(), json_containers)
def test_law_1_json_has_one_pseudonym_in_every_spelling(data: st.DataObject, value: Json) -> None:
    one, other = (data.draw(json_spellings(value)).decode() for _ in range(2))
    assert MADE.of_text(one) == MADE.of_text(other) or not value


@pytest.mark.parametrize("number", [b"0", b"-1.5", b"42", b"1e400", b"999"])
def test_law_2_the_pseudonym_of_a_number_is_an_integer(number: bytes) -> None:
    pseudonym = MADE.of_number(number)
    assert NUMBER_PSEUDONYM.fullmatch(pseudonym)
    assert int(float(pseudonym)) == json.loads(pseudonym)
    assert MADE.of_number(pseudonym) == pseudonym


@pytest.mark.parametrize("value", [*EMPTY, " { } ", "[\n]"])
def test_what_is_empty_stays(value: str) -> None:
    assert MADE.of_text(value) == value


def test_law_1_a_number_has_one_pseudonym_in_every_spelling() -> None:
    assert MADE.of_number(b"42") == MADE.of_number(b"42.0") == MADE.of_number(b"4.2e1") != MADE.of_number(b"43")


@pytest.mark.parametrize("written", ["0123456789abcdef%40pseudonym.invalid", "%2B99912345678901", "%2b99912345678901"])
def test_law_3_a_pseudonym_is_known_also_url_encoded(written: str) -> None:
    assert MADE.of_text(written) == written


def test_the_salt_is_not_shown_with_the_rules() -> None:
    assert SALT not in repr(Scrub(salt=SALT))
