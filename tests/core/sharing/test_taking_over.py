from collections.abc import Mapping

import pytest

from chatproxy.core.sharing.taking_over import taken_over
from chatproxy.core.timeline.known import Declared, Known

ACCOUNT = "AC" + "1" * 32
MARK = "ca765a4cadaca367"


def number(nth: int, prefix: str = "CH") -> str:
    return f"{prefix}{MARK}{nth:016d}"


def own(letter: str, prefix: str = "CH") -> str:
    return prefix + letter * 32


def said(*known: tuple[int, str | None, str | None]) -> Declared:
    return Declared(ACCOUNT, tuple(Known.of(number(nth), None, own, variable) for nth, own, variable in known))


BEFORE = said((1, own("a"), "ONE"), (2, own("b"), None))


@pytest.mark.parametrize("recorded", [own("a"), number(1), "CH" + "1".zfill(32)])
def test_bind_leads_to_the_own_of_the_file_that_stands_there(recorded: str) -> None:
    again = taken_over(said((1, own("c"), None), (2, own("b"), None)), BEFORE, {own("c"): recorded})
    assert again == BEFORE


def test_the_variable_that_held_both_leads_to_it() -> None:
    assert taken_over(said((1, own("c"), "ONE"), (2, own("b"), None)), BEFORE, {}) == BEFORE


def test_bind_goes_before_the_variable() -> None:
    new = said((1, own("c"), "ONE"))
    assert taken_over(new, BEFORE, {own("c"): own("b")}) == said((1, own("b"), "ONE"))


@pytest.mark.parametrize(
    ("new", "bind"),
    [
        (said((1, own("c"), None)), {}),
        (said((1, own("c"), "OTHER")), {}),
        (said((1, own("c"), "ONE")), {own("c"): own("e")}),
        (said((1, None, "ONE")), {}),
        (said((1, own("c"), "ONE"), (2, own("d"), "ONE")), {}),
        (said((1, own("c"), None), (2, own("a"), None)), {own("c"): own("a")}),
    ],
)
def test_what_leads_nowhere_or_to_what_is_taken_keeps_the_recorders_own(new: Declared, bind: Mapping[str, str]) -> None:
    assert taken_over(new, BEFORE, bind) == new


def test_two_that_changed_places_are_taken_over_together() -> None:
    new = said((1, own("b"), None), (2, own("a"), None))
    again = taken_over(new, BEFORE, {own("b"): own("a"), own("a"): own("b")})
    assert [known.own for known in again.known] == [known.own for known in BEFORE.known]


def test_an_anonymous_file_and_another_type_lead_nowhere() -> None:
    new = said((1, own("c"), "ONE"))
    service = Known.of(number(1, "IS"), None, own("a", "IS"), "ONE")
    assert taken_over(new, said((1, None, "ONE")), {own("c"): number(1)}) == new
    assert taken_over(new, Declared(ACCOUNT, (service,)), {own("c"): own("a", "IS")}) == new
