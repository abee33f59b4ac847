"""Results as tables: for the terminal, and in Markdown between marks of the pages that show them."""

import re
from collections.abc import Iterator
from pathlib import Path

from rounds import Line, Results

Row = tuple[str, ...]

HEAD = ("one core for the server", "chatproxy", "the other", "ratio", "by CPU", "goal", "")


def rows(results: Results) -> Iterator[Row]:
    """Yield the table's rows."""
    return (_row(line) for lines in results.lines.values() for line in lines)


def _row(line: Line) -> Row:
    sign = "≥" if line.at_least else "≤"
    reached = "yes" if line.reached else "**no**"
    value = f"{_number(line.value)} {line.unit}"
    by_cpu = _number(line.by_cpu) if line.by_cpu else ""
    return (line.work, line.ours, line.other, value, by_cpu, f"{sign} {_number(line.goal)}", reached)


def terminal(results: Results) -> str:
    """Return the table for a terminal."""
    everything = [HEAD, *rows(results)]
    widths = [max(map(len, column)) for column in zip(*everything, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in everything
    )


def parts(results: Results) -> dict[str, str]:
    """Return what stands between the marks of each name."""
    return {
        "machine": "\n".join(f"- {text}" for text in (f"`{results.command}`", *results.machine.values())),
        "goals": markdown(HEAD, rows(results)),
        "short": markdown(HEAD[:4], _short(results)),
        "rivals": markdown(*_rivals(results)) + _left_out(results),
    }


def write(page: Path, texts: dict[str, str]) -> bool:
    """Put texts between a page's marks, ``<!-- bench NAME -->`` and ``<!-- bench end -->``; tell if there are any."""

    def replaced(found: "re.Match[str]") -> str:
        return f"{found[1]}\n{texts.get(found[2], found[3].strip())}\n\n{found[4]}"

    before = page.read_text("utf-8")
    after = _MARKED.sub(replaced, before)
    page.write_text(after, "utf-8")
    return _MARKED.search(before) is not None


_MARKED = re.compile(r"(<!-- bench (?!end)(\w+) -->\n)(.*?)(<!-- bench end -->)", re.DOTALL)


def markdown(head: Row, body: Iterator[Row]) -> str:
    """Return a table."""
    lines = [head, *body]
    lines.insert(1, tuple("---" for _ in head))
    return "\n".join("| " + " | ".join(cell or " " for cell in line) + " |" for line in lines)


def _short(results: Results) -> Iterator[Row]:
    """Yield what a front page shows: one row of each kind, without goals."""
    for part, place in _SHOWN.items():
        if lines := results.lines.get(part):
            yield _row(lines[place])[:4]


_SHOWN = {"fetch": 0, "many": 0, "list": 0, "create": 0, "record": 0, "start": -2, "memory": 0}
"""Parts, and which line of each is shown: of starts that of the largest cassette."""


def _rivals(results: Results) -> tuple[Row, Iterator[Row]]:
    measured = [row for row in results.rivals if "recorded" in row]
    works = list(dict.fromkeys((str(row["work"]), int(row["recorded"])) for row in measured))
    names = list(dict.fromkeys(str(row["rival"]) for row in measured))
    found = {(row["rival"], row["work"], row["recorded"]): row for row in measured}

    def body() -> Iterator[Row]:
        for name in names:
            cells = [_rate(found.get((name, *work), {})) for work in works]
            starts = [float(found[name, *work]["start"]) for work in works if (name, *work) in found]
            memory = [float(found[name, *work]["memory"]) for work in works if (name, *work) in found]
            yield (name, *cells, f"{min(starts):.1f}–{max(starts):.1f} s", f"{min(memory):.0f}–{max(memory):.0f} MB")

    head = tuple(f"{work}, {recorded:,}" for work, recorded in works)
    return ("answers a second; recorded", *head, "start", "memory"), body()


def _left_out(results: Results) -> str:
    names = dict.fromkeys(str(row["rival"]) for row in results.rivals if "note" in row)
    return f"\n\nNot to be had, or not running, on that machine: {', '.join(names)}." if names else ""


def _rate(row: dict[str, object]) -> str:
    if row.get("wrong"):
        return "wrong"
    return f"{float(str(row['rate'])):,.0f}" if "rate" in row else "–"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.2f}".rstrip("0").rstrip(".")
