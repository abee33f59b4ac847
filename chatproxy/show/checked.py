"""What a check of a cassette found: as text by endpoint, as JSON, and as JUnit XML for CI."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

from chatproxy.core.review.findings import Checked, Severity
from chatproxy.show.finding_lines import finding_line, finding_lines
from chatproxy.show.junit import Case
from chatproxy.show.junit import junit as junit_xml


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
        lines += (f"  {line}" for line in finding_lines([one.findings for one in several]))
    count = _counts(checked)
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    summary = f"{count['checked']} of {count['exchanges']} exchanges checked{skipped}: "
    return "\n".join([*lines, summary + (f"{count['high']} high, {count['low']} low" if lines else "no findings")])


def as_json(checked: Sequence[Checked]) -> str:
    """Return what was found as JSON."""
    content = {"exchanges": [asdict(one) for one in checked], "summary": _counts(checked)}
    return json.dumps(content, indent=2, ensure_ascii=False)


def junit(checked: Sequence[Checked], name: str, bound: Severity) -> str:
    """Return JUnit XML: a test case for each exchange, which fails with a finding at or above the bound."""
    return junit_xml(name, [_case(one, bound) for one in checked])


def _case(one: Checked, bound: Severity) -> Case:
    serious = [finding for finding in one.findings if finding.severity.reaches(bound)]
    others = [finding for finding in one.findings if finding not in serious]
    return Case(
        one.endpoint,
        one.exchange,
        failure=(f"{serious[0].place} {serious[0].message}", "\n".join(map(finding_line, serious)))
        if serious
        else None,
        skipped=one.skipped,
        output="\n".join(map(finding_line, others)) if others else None,
    )
