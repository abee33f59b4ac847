import pytest

from chatproxy.core.scrubbing.patterns import patterned, patterned_number
from chatproxy.core.scrubbing.pseudonyms import Pseudonyms
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule

SID = "IM" + "1234567890123456" * 2
PHONE = "+99912345678901"
TEXT = "pseudonym-0123456789abcdef"


def scrub(*rules: tuple[str, str | None]) -> Scrub:
    return Scrub(
        tuple(
            ScrubRule(LooksAt.PATTERN, pattern, Action.PSEUDONYM if text is None else Action.REPLACE, text or "")
            for pattern, text in rules
        ),
        "a salt of the team",
    )


def put(rule: ScrubRule, found: str) -> str:
    return f"<{found}>" if rule.action is Action.PSEUDONYM else rule.text


@pytest.mark.parametrize(
    ("rules", "text", "expected"),
    [
        ([("[0-9]{4}", "0")], "1234 5 6789", "0 5 0"),
        ([("[0-9]{4}", "0")], "none", "none"),
        ([("a", "b"), ("b", "c")], "ab", "cc"),
        ([(r"(a)", r"\1")], "a", r"\1"),
        ([("[0-9]{4}", None)], "1234", "<1234>"),
        ([("x*", "0")], "axxb", "a0b"),
        ([("x*", None)], "", ""),
        ([("[0-9]{4}", "0")], f"{SID} 1234", f"{SID} 0"),
        ([("[0-9]{4}", "0")], f"12345{SID}", f"05{SID}"),
        ([(".+", "0")], SID, SID),
        ([(".+", "0")], f"see {SID}", "0"),
        ([(".+", None)], f"see {SID}", f"<see {SID}>"),
        ([("e .*[0-9]{4}$", "0")], f"see {SID}5", f"see {SID}5"[:2] + "0"),
        ([("[0-9]{4}", "0")], f"{TEXT} {PHONE} 1234", f"{TEXT} {PHONE} 0"),
        ([(".+", "0")], TEXT, TEXT),
        ([(".+", "0")], f"see {TEXT}", "0"),
        ([(".+", None)], f"see {TEXT}", f"see {TEXT}"),
        ([(" .", "0")], f"a b{TEXT} c", f"a0{TEXT}0"),
        ([("b.", "0")], f"a b{TEXT} bc", f"a b{TEXT} 0"),
    ],
)
def test_what_patterns_find(rules: list[tuple[str, str | None]], text: str, expected: str) -> None:
    assert patterned(text, scrub(*rules), put) == expected


def test_a_text_that_is_no_utf_8_goes_as_a_whole() -> None:
    assert patterned("a\udcffb", scrub(("a", "0")), put) == "0"
    assert patterned("a\udcffb", scrub(("a", None)), put) == "<a\udcffb>"
    assert patterned("a\udcffb", scrub(("c", "0")), put) == "a\udcffb"


@pytest.mark.parametrize(
    ("rules", "number", "expected"),
    [
        ([("[0-9]{4}", "0")], "12345", "05"),
        ([("[0-9]{4}", "x")], "12345", "x5"),
        ([("[0-9]{4}", "0")], "123", "123"),
        ([("[0-9]{4}", None)], "12345", "<12345>"),
        ([("a*", None)], "12345", "12345"),
        ([("5", "6"), ("6", None)], "12345", "<12346>"),
    ],
)
def test_a_number_is_searched_as_it_is_spelled(rules: list[tuple[str, str | None]], number: str, expected: str) -> None:
    assert patterned_number(number, scrub(*rules), lambda found: f"<{found}>") == expected


def test_a_sid_that_is_a_pseudonym_is_a_sid() -> None:
    pseudonym = Pseudonyms("a salt of the team").of_text(SID)
    assert patterned(f"{pseudonym}", scrub(("[0-9a-f]{8}", "0")), put) == pseudonym
