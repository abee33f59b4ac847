"""JUnit XML, which CI systems read: one test suite with its cases.

There is no standard; this is what the readers have in common (https://github.com/testmoapp/junitxml).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree


@dataclass(frozen=True, slots=True)
class Case:
    """One test case; a ``failure`` is a message and a longer text, ``skipped`` says why it was left out."""

    classname: str
    name: str
    failure: tuple[str, str] | None = None
    skipped: str | None = None
    output: str | None = None


def junit(suite: str, cases: Sequence[Case]) -> str:
    """Return a suite with these cases as XML."""
    root = ElementTree.Element("testsuite", name=_valid(suite), tests=str(len(cases)))
    for one in cases:
        case = ElementTree.SubElement(root, "testcase", classname=_valid(one.classname), name=_valid(one.name))
        if one.skipped is not None:
            ElementTree.SubElement(case, "skipped", message=_valid(one.skipped))
        if one.failure is not None:
            message, text = one.failure
            ElementTree.SubElement(case, "failure", message=_valid(message)).text = _valid(text)
        if one.output is not None:
            ElementTree.SubElement(case, "system-out").text = _valid(one.output)
    root.set("failures", str(sum(one.failure is not None for one in cases)))
    root.set("errors", "0")
    root.set("skipped", str(sum(one.skipped is not None for one in cases)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def _valid(text: str) -> str:
    """Put a sign in place of the characters that XML 1.0 does not know (section 2.2)."""
    return _UNKNOWN.sub("\N{REPLACEMENT CHARACTER}", text)


_UNKNOWN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
