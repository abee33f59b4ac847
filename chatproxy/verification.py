"""What a check of a cassette found: as text by endpoint, as JSON, and as JUnit XML for CI."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from xml.etree import ElementTree

from chatproxy.core.checked import Checked
from chatproxy.core.findings import Finding, Severity

_SHOWN = 20
"""How many findings of one exchange are shown as text."""


def reaches(checked: Sequence[Checked], bound: Severity) -> bool:
    """Tell whether anything was found at or above a bound."""
    return any(finding.severity.reaches(bound) for one in checked for finding in one.findings)


def _counts(checked: Sequence[Checked]) -> dict[str, int]:
    found = [finding for one in checked for finding in one.findings]
    return {
        "exchanges": len(checked),
        "checked": sum(one.skipped is None for one in checked),
        "skipped": sum(one.skipped is not None for one in checked),
        "high": sum(finding.severity is Severity.HIGH for finding in found),
        "low": sum(finding.severity is Severity.LOW for finding in found),
    }


def text(checked: Sequence[Checked]) -> str:
    """Show findings by endpoint, one a line, with a summary in the last line."""
    lines: list[str] = []
    with_findings = sorted((one for one in checked if one.findings), key=lambda one: one.endpoint)
    for endpoint, several in groupby(with_findings, lambda one: one.endpoint):
        lines.append(endpoint)
        for one in several:
            lines += (f"  {_line(finding)}" for finding in one.findings[:_SHOWN])
            if hidden := one.findings[_SHOWN:]:
                lines.append(f"  {hidden[0].severity:4}  {one.exchange}  and in {len(hidden)} more places")
    count = _counts(checked)
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    summary = f"{count['checked']} of {count['exchanges']} exchanges checked{skipped}: "
    return "\n".join([*lines, summary + (f"{count['high']} high, {count['low']} low" if lines else "no findings")])


def _line(finding: Finding) -> str:
    return f"{finding.severity:4}  {finding.exchange}  {finding.place} {finding.message}"


def as_json(checked: Sequence[Checked]) -> str:
    """Return what was found as JSON."""
    content = {"exchanges": [asdict(one) for one in checked], "summary": _counts(checked)}
    return json.dumps(content, indent=2, ensure_ascii=False)


def junit(checked: Sequence[Checked], name: str, bound: Severity) -> str:
    """Return JUnit XML: a test case for each exchange, which fails with a finding at or above the bound."""
    suite = ElementTree.Element("testsuite", name=_valid(name), tests=str(len(checked)))
    failures = 0
    for one in checked:
        case = ElementTree.SubElement(suite, "testcase", classname=_valid(one.endpoint), name=_valid(one.exchange))
        serious = [finding for finding in one.findings if finding.severity.reaches(bound)]
        if one.skipped is not None:
            ElementTree.SubElement(case, "skipped", message=_valid(one.skipped))
        if serious:
            failures += 1
            message = f"{serious[0].place} {serious[0].message}"
            failure = ElementTree.SubElement(case, "failure", message=_valid(message))
            failure.text = _valid("\n".join(map(_line, serious)))
        if others := [finding for finding in one.findings if finding not in serious]:
            ElementTree.SubElement(case, "system-out").text = _valid("\n".join(map(_line, others)))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    suite.set("skipped", str(_counts(checked)["skipped"]))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=False)


def _valid(text: str) -> str:
    """Put a sign in place of the characters that XML 1.0 does not know (section 2.2)."""
    return _UNKNOWN.sub("\N{REPLACEMENT CHARACTER}", text)


_UNKNOWN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
