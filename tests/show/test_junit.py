from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from chatproxy.show.junit import Case, junit

CASES = [
    Case("POST Messages", "c/1"),
    Case("POST Messages", "c/2", failure=("lost", "a longer\ntext"), output="more"),
    Case("GET Messages", "c/3", skipped="a write"),
]


def test_a_suite_counts_its_cases() -> None:
    suite = ElementTree.fromstring(junit("c", CASES))
    assert suite.attrib == {"name": "c", "tests": "3", "failures": "1", "errors": "0", "skipped": "1"}
    assert [case.get("name") for case in suite] == ["c/1", "c/2", "c/3"]
    failure, output = suite[1]
    assert (failure.tag, failure.get("message"), failure.text) == ("failure", "lost", "a longer\ntext")
    assert (output.tag, output.text) == ("system-out", "more")
    assert suite[2][0].attrib == {"message": "a write"}


def test_an_empty_suite_is_a_suite() -> None:
    assert ElementTree.fromstring(junit("c", [])).get("tests") == "0"


texts = st.text(st.characters(exclude_categories=()))


@given(texts, texts, texts)
def test_law_any_text_makes_well_formed_xml(name: str, message: str, text: str) -> None:
    (case,) = ElementTree.fromstring(junit(name, [Case(name, name, failure=(message, text))]))
    assert case[0].get("message") is not None
