"""Measure chatproxy against what it is to be compared with, and say what is reached."""

import json
import os
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields, replace
from pathlib import Path

import correctness
import load
import machine
import table
from bulk import bulk
from growth import growing
from load import Wrong
from recording import recording
from replaying import creating, fetching, fetching_cold, listing, listing_cold
from rivals import Missing, contest, mitmdump, versions
from rounds import FULL, SHORT, Line, Results, Say, Size
from servers import CORES, LOAD_CORE
from starting import holding, starting
from stores import KEPT

Part = Callable[[Size, Say], Iterable[Line]]


def _recording(size: Size, say: Say) -> Iterable[Line]:
    program = None
    if size.thorough or (KEPT / "mitmproxy").exists():
        try:
            program = mitmdump()
        except Missing as error:
            say(f"record: mitmproxy is left out: {error}")
    return recording(size, program)


PARTS: dict[str, Part] = {
    "fetch": lambda size, say: fetching(1_000, size, say),
    "many": lambda size, say: fetching(size.many, size, say),
    "cold": lambda size, say: fetching_cold(size.many, size, say),
    "list": listing,
    "list-cold": listing_cold,
    "create": creating,
    "record": _recording,
    "start": starting,
    "memory": holding,
    "bulk": bulk,
}
"""Measures the lines of the table."""

FURTHER = ("rivals", "growth")
"""Measured in the full form only, unless asked for."""


def main() -> int:
    """Measure, and return the exit status."""
    given = _given()
    if given.check:
        return _checked()
    if not given.redraw and not load.is_installed():
        print(f"scripts/bench: {load.INSTALL}", file=sys.stderr)
        return 1
    size = _size(given)
    file = KEPT / f"results-{'full' if given.full else 'short'}.json"
    results = _read(file)
    failed = []
    if not given.redraw:
        os.sched_setaffinity(0, {LOAD_CORE})
        if len(CORES) < 2:
            _say("there is one core only: server and load share it, so all rates are too low")
        results.machine |= machine.described()
        results.command = _command(sys.argv[1:])
        for part in given.only or [*PARTS, *(FURTHER if given.full else ())]:
            failed += _measured(part, size, results)
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(asdict(results), indent=1))
    print(table.terminal(results))
    if given.write:
        _write(results, given)
    for part, error in failed:
        print(f"scripts/bench: {part}: {error}", file=sys.stderr)
    return 1 if failed else 0


def _given() -> Namespace:
    parser = ArgumentParser("scripts/bench", description=__doc__, epilog="docs/speed.md says what is measured and how.")
    parser.add_argument("--check", action="store_true", help="only look whether all answers are right, in some seconds")
    parser.add_argument("--full", action="store_true", help="the large cassettes, more rounds, rivals and growth")
    choices = (*PARTS, *FURTHER)
    parser.add_argument("--only", nargs="+", choices=choices, metavar="PART", help=f"only these: {', '.join(choices)}")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write tables and plots into the pages there")
    parser.add_argument("--redraw", action="store_true", help="measure nothing, show and write what was measured last")
    for one in fields(Size):
        parser.add_argument(f"--{one.name}", type=type(getattr(SHORT, one.name)), metavar="N", help=HELP[one.name])
    return parser.parse_args()


HELP = {
    "rounds": "rounds of each line",
    "seconds": "seconds of each load",
    "many": "messages of the larger cassette",
    "huge": "exchanges of the largest cassette",
    "channels": "lists of 50 messages",
    "bulk": "exchanges that are imported, compiled and exported",
    "flat": "requests after which memory is looked at",
    "sessions": "most sessions that growth is measured with",
}


def _size(given: Namespace) -> Size:
    size = FULL if given.full else SHORT
    wanted = {one.name: getattr(given, one.name) for one in fields(Size) if getattr(given, one.name) is not None}
    return replace(size, **wanted)


def _checked() -> int:
    try:
        correctness.check(print)
    except Wrong as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    return 0


def _measured(part: str, size: Size, results: Results) -> list[tuple[str, str]]:
    """Measure a part into the results, and return what was wrong."""
    _say(f"{part} …")
    try:
        if part == "rivals":
            results.rivals = list(contest(size, _say))
            results.machine["rivals"] = ", ".join(f"{name} {version}" for name, version in versions().items())
        elif part == "growth":
            results.growth = dict(growing(size, _say))
        else:
            results.lines[part] = list(PARTS[part](size, _say))
            results.lines = {name: results.lines[name] for name in PARTS if name in results.lines}
    except (Wrong, RuntimeError) as error:
        results.lines.pop(part, None)
        return [(part, str(error))]
    return []


def _write(results: Results, given: Namespace) -> None:
    import plot  # noqa: PLC0415 - needs matplotlib, which only who writes has to have

    for picture in plot.draw(results, given.write):
        _say(f"wrote {picture}")
    texts = table.parts(results)
    for page in (given.write / "speed.md", given.write.parent / "README.md"):
        if page.exists() and table.write(page, texts):
            _say(f"wrote {page}")


def _command(arguments: list[str]) -> str:
    """Return what measures all of this again: the command without what was done with its results."""
    left, whole = iter(arguments), ["scripts/bench"]
    for argument in left:
        if argument == "--write":
            next(left, None)
        elif not argument.startswith("--write="):
            whole.append(argument)
    return " ".join(whole)


def _read(file: Path) -> Results:
    if not file.exists():
        return Results()
    stored = json.loads(file.read_text())
    lines = {part: [Line(**line) for line in several] for part, several in stored.pop("lines").items()}
    return Results(lines=lines, **stored)


def _say(text: str) -> None:
    width = shutil.get_terminal_size().columns
    print(f"  {text}"[: max(width, 120)], file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
