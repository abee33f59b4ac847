"""What differs between two cassettes, as a person reads it and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

from chatproxy.core.review.comparison import Difference, summary
from chatproxy.show.finding_lines import finding_lines


def review_text(differences: Sequence[Difference]) -> str:
    """Show differences by endpoint, one finding a line, with a summary in the last line."""
    lines: list[str] = []
    for endpoint, found in groupby(differences, lambda difference: difference.findings[0].endpoint):
        lines.append(endpoint)
        lines += (f"  {line}" for line in finding_lines([difference.findings for difference in found]))
    count = summary(differences)
    if not count.endpoints:
        return "no differences"
    counts = f"{count.changed} changed, {count.only_in_a} only in a, {count.only_in_b} only in b"
    noun, verb = ("endpoint", "differs") if count.endpoints == 1 else ("endpoints", "differ")
    return "\n".join([*lines, f"{count.endpoints} {noun} {verb}: {counts}"])


def review_json(differences: Sequence[Difference], a: str, b: str) -> str:
    """Return differences as JSON; ``a`` and ``b`` are what was compared, as the user named it."""
    findings = [asdict(finding) for difference in differences for finding in difference.findings]
    content = {"a": a, "b": b, "findings": findings, "summary": asdict(summary(differences))}
    return json.dumps(content, indent=2, ensure_ascii=False)
