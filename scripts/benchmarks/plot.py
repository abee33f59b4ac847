"""Results as pictures, small enough to stand in a repository."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
from rounds import Results

mpl.use("svg")
from matplotlib import pyplot as plt

STYLE = {
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "chatproxy",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
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
    growth = results.growth
    figure, axes = plt.subplots(2, 2, figsize=(9, 6.2), layout="constrained")
    (answers, starts), (sessions, places) = axes
    _line(answers, growth["exchanges"], "exchanges", "cpu", "an answer")
    _axes(answers, "Fetch, by exchanges in the store", "exchanges", "CPU, µs", log=True)
    _line(starts, growth["exchanges"], "exchanges", "start", "start to first answer, s")
    scaled = [point | {"memory": point["memory"] / 100} for point in growth["exchanges"]]
    _line(starts, scaled, "exchanges", "memory", "private memory, 100 MB")
    _axes(starts, "Start and memory, by exchanges", "exchanges", "", log=True)
    starts.legend(frameon=False)
    _line(sessions, growth["sessions"], "sessions", "cpu", "CPU of an answer, µs")
    _line(sessions, growth["sessions"], "sessions", "memory", "private memory, MB")
    _axes(sessions, "Answers spread over sessions", "sessions", "", log=True)
    sessions.legend(frameon=False)
    _line(places, growth["places"], "places", "cpu", "asked again")
    _line(places, growth["places"], "places", "anew", "each in a new session")
    _axes(places, "List, by rewritten places", "SIDs, times and URLs in the answer", "CPU, µs", log=False)
    places.legend(frameon=False)
    return _saved(figure, file)


def _rivals(results: Results, file: Path) -> Path:
    measured = [row for row in results.rivals if "rate" in row]
    names = list(dict.fromkeys(str(row["rival"]) for row in measured))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    for name in names:
        fetches = [row for row in measured if row["rival"] == name and row["work"] == "fetch"]
        left.plot([row["recorded"] for row in fetches], [row["rate"] for row in fetches], label=name)
    _axes(left, "Fetch, by messages recorded", "messages recorded", "answers a second", log=True)
    left.set_yscale("log")
    left.legend(frameon=False, fontsize=7)
    works = [work for work in dict.fromkeys(str(row["work"]) for row in measured) if work != "fetch"]
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        found = {row["work"]: row["rate"] for row in measured if row["rival"] == name}
        at = [number + place * width for number in range(len(works))]
        right.bar(at, [found.get(work, 0) for work in works], width, label=name)
    right.set_xticks([number + 0.4 - width / 2 for number in range(len(works))], works)
    right.set_yscale("log")
    right.set_title("Lists and creates", fontsize=10)
    return _saved(figure, file)


def _line(axes: plt.Axes, points: list[dict[str, float]], across: str, up: str, label: str) -> None:
    axes.plot([point[across] for point in points], [point[up] for point in points], label=label)


def _axes(axes: plt.Axes, title: str, across: str, up: str, *, log: bool) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    if log:
        axes.set_xscale("log")
    axes.set_ylim(bottom=0)


def _saved(figure: plt.Figure, file: Path) -> Path:
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    text = "\n".join(line.rstrip() for line in file.read_text("utf-8").splitlines()) + "\n"
    file.write_text(text, "utf-8")
    return file
