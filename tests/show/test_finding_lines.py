from chatproxy.core.review.findings import Finding, Severity
from chatproxy.show.finding_lines import finding_line, finding_lines


def findings(exchange: str, count: int = 1) -> list[Finding]:
    return [Finding(Severity.LOW, "GET Messages", exchange, f"/{number}", "was 1, is 2") for number in range(count)]


def test_exchanges_stand_in_one_column() -> None:
    assert list(finding_lines([findings("a/1"), findings("a/12")])) == [
        "low   a/1   /0 was 1, is 2",
        "low   a/12  /0 was 1, is 2",
    ]
    assert finding_line(findings("a/1")[0]) == "low   a/1  /0 was 1, is 2"
    assert list(finding_lines([])) == []


def test_twenty_findings_of_an_exchange_are_shown() -> None:
    lines = list(finding_lines([findings("a/1", 30), findings("a/123", 20)]))
    assert len(lines) == 41
    assert lines[20] == "low   a/1    and in 10 more places"
