"""Clients that run programs: they repeat what failed, follow pages, react to others, and keep a log of all they got."""

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from laws.programs import Handles, Op, Program, Reaction, call_of
from laws.resources import ORIGIN
from laws.traffic import Call, Client, Fault, Got, Step

MISS = 424
REPEATED = {429, 500, 503}
MOST_PAGES, MOST_POLLS = 4, 4


@dataclass(frozen=True, slots=True)
class Entry:
    """What one operation asked for and got; ``nth`` counts what it asked for."""

    op: str
    nth: int
    call: Call
    got: Got

    @property
    def told(self) -> Any:
        """The answer as JSON, None where there is none."""
        return json.loads(self.got.body) if self.got.body else None

    @property
    def is_miss(self) -> bool:
        """Whether replay had no answer."""
        return self.got.status == MISS


Log = list[Entry]
Polls = Callable[[str], int]
"""How often an operation that reads is done."""
Choices = dict[int, int]
"""Which message of others a reaction touched, by the place of the reaction and the message's index."""


class Runner:
    """Runs operations one after another, as one thread; threads may share handles.

    ``choices`` are made while the program is recorded. One that polls more or less is held to them, since what it sees
    when is another thing then.
    """

    def __init__(
        self,
        handles: Handles,
        log: Log,
        address: str = ORIGIN,
        choices: Choices | None = None,
        polls: Polls | None = None,
    ) -> None:
        self.handles = handles
        self.log = log
        self._address = address
        self._choices = {} if choices is None else choices
        self._polls = polls
        self._seen: dict[int, str] = {}

    def program(self, program: Program) -> Client:
        """Run a program."""
        for nth, op in enumerate(program.ops):
            yield from self.op(op, program.faults.get(op.id))
            if nth in program.reactions:
                yield from self._react(nth, program.reactions[nth])

    def ops(self, ops: Sequence[Op]) -> Client:
        """Run operations."""
        for op in ops:
            yield from self.op(op)

    def op(self, op: Op, fault: Fault | None = None) -> Client:
        """Run one operation, if all that it names is there."""
        call = call_of(op, self.handles)
        if call is None:
            return
        got = yield from self._read(op.id, Step(op.sleep, call, fault), least=int(op.what == "Services"))
        if got is None:
            return
        if op.do == "create" and got.status == 201:
            self.handles[op.id] = json.loads(got.body)["sid"]
        if op.what == "Services" and got.status == 200:
            self.handles["default"] = json.loads(got.body)["default_channel_role_sid"]
        for _ in range(MOST_PAGES if op.follow else 0):
            url = json.loads(got.body)["meta"]["next_page_url"] if got.status == 200 else None
            if url is None:
                return
            got = yield from self.ask(op.id, Step(0, Call("GET", url.removeprefix(self._address))))

    def ask(self, own: str, step: Step) -> Generator[Step, Got, Got]:
        """Ask for something, and once again if the service fails."""
        got = yield step
        self._note(own, step.call, got)
        if got.status in REPEATED:
            got = yield Step(0, step.call)
            self._note(own, step.call, got)
        return got

    def _read(self, own: str, step: Step, least: int = 0) -> Generator[Step, Got, Got | None]:
        got = None
        often = max(self._polls(own), least) if self._polls and step.call.method == "GET" else 1
        for _ in range(often):
            again = yield from self.ask(own, step)
            got = again if got is None or again.status != MISS else got
        return got

    def _note(self, own: str, call: Call, got: Got) -> None:
        self.log.append(Entry(own, len(self.log), call, got))

    def _react(self, nth: int, reaction: Reaction) -> Client:
        """Poll what others write, wait for something new if need be, and touch one of it."""
        path = f"/v1/Services/{self.handles['service']}/Channels/{self.handles['seed0']}/Messages"
        known, theirs = set(self._seen), list[int]()
        for poll in range(MOST_POLLS if self._polls is None else MOST_POLLS * 4):
            got = yield from self._read(f"poll{nth}.{poll}", Step(reaction.sleep, Call("GET", path)))
            if got is not None and got.status == 200:
                shown = [one for one in json.loads(got.body)["messages"] if one["from"] == "phone"]
                theirs = [one["index"] for one in shown if one["body"].startswith("hi ")]
                self._seen |= {one["index"]: one["sid"] for one in shown}
                if self._is_enough(nth, reaction, known, theirs):
                    break
        if self._polls is None and theirs:
            self._choices[nth] = theirs[reaction.which % len(theirs)]
        if self._choices.get(nth) not in self._seen:
            return
        one = f"{path}/{self._seen[self._choices[nth]]}"
        pairs = (("Attributes", f"[{reaction.which}]"),)
        for call in (Call("GET", one), Call("POST", one, pairs), Call("DELETE", one))[: reaction.which % 4]:
            yield from self._read(f"react{nth}", Step(0, call))

    def _is_enough(self, nth: int, reaction: Reaction, known: set[int], theirs: list[int]) -> bool:
        if self._polls is not None:
            return nth not in self._choices or self._choices[nth] in self._seen
        return not reaction.wait or not known.issuperset(theirs)


class Bot:
    """Takes the messages that others wrote since the last that it took, by their dates.

    ``kind`` is ``read``, or ``own`` if it writes now and then, or ``answer`` if it answers what it takes. A ``strict``
    one takes what is later than the last, any other also what is as late and was not taken before.
    """

    def __init__(self, kind: str, handles: Handles, log: Log, *, pause: float, polls: int = 6, strict: bool) -> None:
        self._runner = Runner(handles, log)
        self._path = f"/v1/Services/{handles['service']}/Channels/{handles['seed0']}/Messages"
        self._kind = kind
        self._pause = pause
        self._polls = polls
        self._strict = strict
        self._last = ""
        self.takes: list[list[str]] = []

    def client(self) -> Client:
        """Run it."""
        listed = yield from self._list(0)
        self._last = max((one["date_created"] for one in listed), default="")
        if self._kind != "read":
            yield from self._write("start")
        for nth in range(self._polls):
            listed = yield from self._list(self._pause)
            new = [one for one in listed if self._is_new(one["date_created"])]
            self.takes.append([one["body"] for one in new])
            self._last = max([self._last, *(one["date_created"] for one in new)])
            if self._kind == "answer":
                for one in new:
                    if one["body"].startswith("hi "):
                        yield from self._write(f"re: {one['body']}")
            if self._kind == "own":
                yield from self._write(f"own {nth}", 0.2)

    def _is_new(self, date: str) -> bool:
        return date > self._last if self._strict else date >= self._last

    def _list(self, sleep: float) -> Generator[Step, Got, list[Any]]:
        got = yield from self._runner.ask("list", Step(sleep, Call("GET", self._path)))
        found: list[Any] = json.loads(got.body)["messages"] if got.status == 200 else []
        return found

    def _write(self, text: str, sleep: float = 0) -> Client:
        got = yield from self._runner.ask("write", Step(sleep, Call("POST", self._path, (("Body", text),))))
        if got.status == 201:
            self._last = max(self._last, json.loads(got.body)["date_created"])
