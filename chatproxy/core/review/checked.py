"""What a check of a cassette says of each of its exchanges."""

from dataclasses import dataclass, field

from chatproxy.core.review.findings import Finding


@dataclass(frozen=True, slots=True)
class Checked:
    """One exchange (``NAME/N``) of an endpoint: what was found in it, or why it was not checked."""

    exchange: str
    endpoint: str
    findings: list[Finding] = field(default_factory=list)
    skipped: str | None = None
