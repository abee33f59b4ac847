"""Results as pictures, small enough to stand in a repository."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
from rounds import Results

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

PLAIN = FuncFormatter(lambda value, _: f"{value:,.0f}".replace(",000,000", " M").replace(",000", " k"))
"""Writes numbers as people do, with k and M for what is too long for an axis."""

STYLE = {
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "chatproxy",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "figure.constrained_layout.use": True,
    "grid.alpha": 0.3,
    "lines.marker": "o",
    "lines.markersize": 4,
    "savefig.facecolor": "white",
}


def draw(results: Results, folder: Path) -> Iterator[Path]:
    """Write the pictures of what was measured, and yield their files."""
    with mpl.rc_context(STYLE):
        if results.growth:
            yield _growth(results, folder / "speed-growth.svg")
        if any("recorded" in row for row in results.rivals):
            yield _rivals(results, folder / "speed-rivals.svg")


def _growth(results: Results, file: Path) -> Path:
    exchanges, sessions, places = (results.growth[name] for name in ("exchanges", "sessions", "places"))
    figure, ((answers, starts, memory), (spread, held, lists)) = plt.subplots(2, 3, figsize=(10, 5.6))
    cpu = "CPU of an answer, × bare"
    _line(answers, exchanges, "exchanges", "cpu")
    _axes(answers, "Fetch", "exchanges in the store", cpu, log=True)
    _line(starts, exchanges, "exchanges", "start")
    _axes(starts, "Start to first answer", "exchanges in the store", "seconds", log=True)
    _line(memory, exchanges, "exchanges", "memory")
    _axes(memory, "Private memory", "exchanges in the store", "MB", log=True)
    _line(spread, sessions, "sessions", "cpu")
    _axes(spread, "Short lists, spread over sessions", "sessions", cpu, log=True)
    _line(held, sessions, "sessions", "more")
    _axes(held, "Memory of sessions", "sessions", "MB more than at the start", log=False)
    _line(lists, places, "places", "cpu", "asked again")
    _line(lists, places, "places", "anew", "in a new session")
    _axes(lists, "List", "rewritten places in the answer", cpu, log=False)
    lists.legend(frameon=False)
    return _saved(figure, file)


def _rivals(results: Results, file: Path) -> Path:
    measured = [row for row in results.rivals if "rate" in row]
    names = list(dict.fromkeys(str(row["rival"]) for row in measured))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    for name in names:
        fetches = [row for row in measured if row["rival"] == name and row["work"] == "fetch"]
        left.plot([row["recorded"] for row in fetches], [row["rate"] for row in fetches], label=name)
    _axes(left, "Fetch", "messages recorded", "answers a second", log=True)
    left.set_ylim(auto=True)
    left.set_yscale("log")
    left.autoscale(axis="y")
    works = [work for work in dict.fromkeys(str(row["work"]) for row in measured) if work != "fetch"]
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        found = {row["work"]: row["rate"] for row in measured if row["rival"] == name}
        at = [number + place * width for number in range(len(works))]
        right.bar(at, [found.get(work, 0) for work in works], width, label=name)
    right.set_xticks([number + 0.4 - width / 2 for number in range(len(works))], works)
    right.set_yscale("log")
    right.set_title("List of 50 messages, and create among 1,000", fontsize=10)
    for axis in (left.yaxis, right.yaxis):
        axis.set_major_formatter(PLAIN)
    right.grid(visible=False, axis="x")
    figure.legend(*left.get_legend_handles_labels(), frameon=False, loc="outside lower center", ncols=len(names))
    return _saved(figure, file)


def _line(axes: plt.Axes, points: list[dict[str, float]], across: str, up: str, label: str = "") -> None:
    axes.plot([point[across] for point in points], [point[up] for point in points], label=label)


def _axes(axes: plt.Axes, title: str, across: str, up: str, *, log: bool) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=20))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(PLAIN)
    axes.set_ylim(0, 1.08 * axes.dataLim.ymax)


def _saved(figure: plt.Figure, file: Path) -> Path:
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    text = "\n".join(line.rstrip() for line in file.read_text("utf-8").splitlines()) + "\n"
    file.write_text(text, "utf-8")
    return file
