"""What differs between two cassettes, as a person reads it and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from chatproxy.core.comparison import Difference, summary
from chatproxy.core.findings import Finding

_SHOWN = 20
"""How many findings of one exchange are shown as text; a list in another order differs everywhere."""


def review_text(differences: Sequence[Difference]) -> str:
    """Show differences by endpoint, one finding a line, with a summary in the last line."""
    lines: list[str] = []
    for endpoint, found in groupby(differences, lambda difference: difference.findings[0].endpoint):
        lines.append(endpoint)
        lines += (f"  {line}" for line in _lines(list(found)))
    count = summary(differences)
    if not count.endpoints:
        return "no differences"
    counts = f"{count.changed} changed, {count.only_in_a} only in a, {count.only_in_b} only in b"
    noun, verb = ("endpoint", "differs") if count.endpoints == 1 else ("endpoints", "differ")
    return "\n".join([*lines, f"{count.endpoints} {noun} {verb}: {counts}"])


def _lines(differences: list[Difference]) -> Iterator[str]:
    width = max(len(difference.findings[0].exchange) for difference in differences)
    for difference in differences:
        yield from (_line(finding, width) for finding in difference.findings[:_SHOWN])
        if hidden := difference.findings[_SHOWN:]:
            label = hidden[0].exchange
            yield f"{hidden[0].severity:4}  {label:{width}}  and in {len(hidden)} more places"


def _line(finding: Finding, width: int) -> str:
    return f"{finding.severity:4}  {finding.exchange:{width}}  {finding.place} {finding.message}"


def review_json(differences: Sequence[Difference], a: str, b: str) -> str:
    """Return differences as JSON; ``a`` and ``b`` are what was compared, as the user named it."""
    findings = [asdict(finding) for difference in differences for finding in difference.findings]
    content = {"a": a, "b": b, "findings": findings, "summary": asdict(summary(differences))}
    return json.dumps(content, indent=2, ensure_ascii=False)
