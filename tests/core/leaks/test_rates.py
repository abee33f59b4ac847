"""How often the gate is wrong, on two corpora of which one half was not used to make the rules."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from core.leaks import ordinary, planted

from chatproxy.core.leaks.gate import Gate, leaks

STRICT = Gate(strict=True)
HALVES = [
    ("tuned", ordinary.TUNED, planted.TUNED, planted.TUNED_ENCODINGS),
    ("apart", ordinary.APART, planted.APART, planted.APART_ENCODINGS),
]
IDS = [half for half, *_ in HALVES]
DOCUMENT = Path(__file__).parents[3] / "docs" / "leaks.md"


def has_leaks(text: str, gate: Gate) -> bool:
    lines = text.encode().splitlines(keepends=True)
    return any(True for _ in leaks(lines, gate, lambda: lines))


def alarms(texts: list[str], gate: Gate) -> int:
    """Return how many ordinary inputs have findings."""
    return sum(has_leaks(text, gate) for text in texts)


def found(secrets: Mapping[str, str], encodings: Mapping[str, Callable[[str], str]]) -> int:
    """Return how many secrets are found in how many encodings; what users may write is looked for with strict."""
    return sum(
        has_leaks(encode(secret), STRICT if name.startswith(planted.OF_USERS) else Gate())
        for name, secret in secrets.items()
        for encode in encodings.values()
    )


@pytest.mark.parametrize(("half", "texts", "secrets", "encodings"), HALVES, ids=IDS)
def test_at_most_two_percent_of_ordinary_inputs_have_findings(
    half: str, texts: list[str], secrets: Mapping[str, str], encodings: object
) -> None:
    assert len(texts) >= 100
    for gate in (Gate(), STRICT):
        assert alarms(texts, gate) <= 0.02 * len(texts), half


@pytest.mark.parametrize(("half", "texts", "secrets", "encodings"), HALVES, ids=IDS)
def test_at_least_ninety_nine_percent_of_secrets_are_found_in_their_encodings(
    half: str, texts: object, secrets: Mapping[str, str], encodings: Mapping[str, Callable[[str], str]]
) -> None:
    count = len(secrets) * len(encodings)
    assert count >= 200
    assert found(secrets, encodings) >= 0.99 * count, half


def test_the_halves_have_nothing_in_common() -> None:
    assert not set(ordinary.TUNED) & set(ordinary.APART)
    assert not set(planted.TUNED.values()) & set(planted.APART.values())
    assert not set(planted.TUNED_ENCODINGS) & set(planted.APART_ENCODINGS)


def test_the_document_has_the_rates_of_both_halves() -> None:
    told = DOCUMENT.read_text("utf-8")
    for half, texts, secrets, encodings in HALVES:
        rates = (
            f"{alarms(texts, Gate())} of {len(texts)}",
            f"{found(secrets, encodings)} of {len(secrets) * len(encodings)}",
        )
        assert re.search(rf"\| [^|]*{half}[^|]* \| {rates[0]}\b[^|]*\| {rates[1]}\b", told), (half, rates)
