"""Findings as lines of text: one each, and of many at one exchange the first ones."""

from collections.abc import Iterator, Sequence

from chatproxy.core.review.findings import Finding

_SHOWN = 20
"""How many findings of one exchange are shown; a list in another order differs everywhere."""


def finding_lines(found: Sequence[Sequence[Finding]]) -> Iterator[str]:
    """Yield lines for the findings of several exchanges, those of each one together, in columns."""
    width = max((len(findings[0].exchange) for findings in found), default=0)
    for findings in found:
        yield from (finding_line(finding, width) for finding in findings[:_SHOWN])
        if hidden := findings[_SHOWN:]:
            yield f"{hidden[0].severity:4}  {hidden[0].exchange:{width}}  and in {len(hidden)} more places"


def finding_line(finding: Finding, width: int = 0) -> str:
    """Return a finding as one line, its exchange in so many columns."""
    return f"{finding.severity:4}  {finding.exchange:{width}}  {finding.place} {finding.message}"
