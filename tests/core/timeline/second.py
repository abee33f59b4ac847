"""The model of the laws as a second opinion: its recordings as exchanges."""

import json
import random
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from core.timeline.recordings import compiled
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.model import Exchange, ExchangeNumber, Request, Response, is_refused
from chatproxy.core.timeline.places import Need, Places, needed
from chatproxy.core.timeline.sights import What
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.standings import Timeline
from chatproxy.core.timeline.states import Done, States, place_digest
from chatproxy.core.timeline.traces import Trace

_BESIDE = Path(__file__).parents[4] / "shared" / "model"
MODEL = _BESIDE if _BESIDE.is_dir() else None
SERVICE = "IS" + "0" * 32
Entry = dict[str, Any]

FIELDS = {"name": "friendly_name", "role": "role_sid", "attr": "attributes"}
PARAMETERS = {"name": "FriendlyName", "body": "Body", "attr": "Attributes", "identity": "Identity", "role": "RoleSid"}
QUERIES = {"": "", "desc": "?Order=desc", "p2": "?PageSize=2"}


def model(name: str) -> ModuleType:
    """Import a module of the model."""
    if MODEL is None:
        raise ImportError("the model of the laws is not beside the repository")
    if str(MODEL) not in sys.path:
        sys.path.insert(0, str(MODEL))
    held = sys.modules.pop("compile", None)  # none of ours
    try:
        return import_module(name)
    finally:
        if held is not None:
            sys.modules["compile"] = held


def _object(one: Entry) -> Entry:
    return {FIELDS.get(name, name): value for name, value in one.items()}


def _answer(entry: Entry) -> bytes:
    answer = entry["answer"]
    if answer is None:
        return b""
    if "items" not in answer:
        return json.dumps(_object(answer)).encode()
    key = entry["path"][-1].lower()
    page = {"previous_page_url": None, "next_page_url": "x" if answer["more"] else None, "key": key}
    return json.dumps({"meta": page, key: [_object(one) for one in answer["items"]]}).encode()


def _form(entry: Entry) -> bytes:
    pairs = []
    for name, value in entry["body"]:
        is_unique = name == "name" and len(entry["path"]) % 2 == 1 and value.startswith("uniq")
        pairs.append(("UniqueName" if is_unique else PARAMETERS[name], value))
    return urlencode(pairs).encode()


def path_of(path: Sequence[str]) -> str:
    return "/v1/" + "/".join(SERVICE if segment == "IS" else segment for segment in path)


def exchanges(entries: Sequence[Entry]) -> list[Exchange]:
    """Return what the model recorded as exchanges."""
    found: list[Exchange] = []
    entries = sorted(entries, key=lambda entry: entry["answered"])
    writes = [(entry["answered"], number) for number, entry in enumerate(entries, 1) if entry["method"] != "GET"]
    for number, entry in enumerate(entries, 1):
        request = Request(
            entry["method"], (path_of(entry["path"]) + QUERIES[entry["query"]]).encode(), (FORM,), _form(entry)
        )
        response = Response(entry["status"], b"", (JSON,), _answer(entry))
        after = max((write for answered, write in writes if answered < entry["asked"]), default=0)
        found.append(
            Exchange(
                ExchangeNumber(number),
                request,
                response,
                UPSTREAM,
                entry["asked"],
                entry["answered"],
                ExchangeNumber(after),
                abandoned=entry["abandoned"],
            )
        )
    return found


def recorded(kind: str, seed: int) -> list[Entry]:
    """Record a random program on the model's server; every other one has faults."""
    record, server, others, threads = (model(name) for name in ("record", "server", "test_b", "test_c"))
    rng = random.Random(seed)
    if kind == "seq":
        client = others.React(seed, rng.randrange(4, 20))
        start = 1000 + rng.random() * 1000
        upstream = server.Server(seed, start=start, others=others.others(rng, rng.randrange(7), start, 25))
        faults = _faults(rng, client.ops, 0.15) if seed % 2 else {}
        found = record.run(upstream, [client.go({"seed0": next(iter(upstream.ch))}, [], faults)], rng)
    else:
        programs = threads.threads(rng, kind, rng.choice([2, 3, 4]))
        start = 1000 + rng.random()
        upstream = server.Server(seed, start=start, others=others.others(rng, rng.choice([0, 2]), start, 3))
        handles = {"seed0": next(iter(upstream.ch))}
        faults = _faults(rng, [one for program in programs for one in program], 0.1) if seed % 2 else {}
        clients = [record.client(program, handles, [], faults) for program in programs]
        found = record.run(upstream, clients, rng, lat=(0.01, 0.4))
    return list(found)


def _faults(rng: random.Random, operations: Sequence[Entry], share: float) -> dict[str, str]:
    return {one["id"]: rng.choice(["5a", "5b", "lost", "late"]) for one in operations if rng.random() < share}


def opinions(kind: str, seed: int) -> Iterator[str]:
    """Yield in what the model is of another opinion than the package on a random recording.

    It takes any 4xx to what was sent again for a write, and none for a delete, so recordings with one tell nothing; and
    it may exclude a state where an answer is in doubt, since what was answered there is another. Of updates in flight
    together it takes the order for that of their answers, and what touches two of them for unknown.
    """
    other = model("compile").compile(entries := recorded(kind, seed))
    traces, timeline = compiled(exchanges(entries))
    pairs = list(zip(other.ex, traces, timeline.standings, strict=True))
    if any(entry["write"] and is_refused(entry["status"]) for entry in other.ex):
        return
    done = {entry["n"]: standing.done for entry, _, standing in pairs}
    racing = set(_racing(other))
    for entry, one, standing in pairs:
        if (entry["gone"], bool(entry["write"])) != (standing.role is Role.ABANDONED, bool(standing.done)):
            yield f"{kind} {seed}: {entry['n']} is {standing.role.name}"
        elif racing & {entry["n"], *entry["must"], *entry["may"]}:
            continue
        elif not entry["gone"] and not _agree(entry, one, standing, done):
            yield f"{kind} {seed}: {entry['n']} has not the states {entry['alts']}"
    places = Places()
    listed = {places.member(one, new.sid) for one in traces for new in one.news if new.what is What.LISTED}
    yield from _other_steps(other, timeline, listed, f"{kind} {seed}")


def _racing(other: Any) -> Iterator[int]:
    """Yield the updates that were in flight with another of their object."""
    updates = [write for write in other.W if write["method"] == "POST" and len(write["path"]) % 2 == 0]
    for one, two in combinations(updates, 2):
        is_together = one["asked"] < two["answered"] and two["asked"] < one["answered"]
        if one["place"] == two["place"] and is_together:
            yield from (one["n"], two["n"])


def _agree(entry: Entry, one: Trace, standing: Standing, done: dict[int, Done | None]) -> bool:
    places = Places()
    need = places.need(one, standing.done)
    alternatives = [entry["must"]] if need is Need.ROOM and len(entry["alts"]) == 1 else entry["alts"]
    unique = places.unique(one)
    frees = {number for number, write in done.items() if number < entry["n"] and _frees(write, standing, unique)}
    expected = {_state(sorted({*each, *frees}), done, standing, need, unique) for each in alternatives}
    is_excluded = not standing.states and bool(entry["may"])
    return expected == set(standing.states) or is_excluded or (need is Need.LIFE and not expected)


def _frees(write: Done | None, standing: Standing, unique: int) -> bool:
    """Tell whether a write made room for a value, of which the model knows nothing where it did not see it given."""
    return write is not None and bool(unique) and not {unique, standing.where.any_value}.isdisjoint(write.frees)


def _state(numbers: Sequence[int], done: dict[int, Done | None], standing: Standing, need: Need, unique: int) -> int:
    states = States()
    for number in numbers:
        if (write := done[number]) is not None:
            states.do(write)
    return needed(states, standing.where, need, unique)


_OF_CHANNELS = ("itself", "the channels of the service")
"""The floors of a channel's steps."""


def _other_steps(other: Any, timeline: Timeline, listed: set[int], where: str) -> Iterator[str]:
    """Yield the steps at messages and members on which the opinions differ.

    The model takes what an own create in flight explains for another's change, and nothing for one where a 5xx was
    ever answered; at a channel it looks at no change while there is any write below; what comes into a part of a list
    is for it a step where that was shown first, however long ago.
    """
    theirs = {(number, place_digest(path_of(path).encode())): path for number, path in other.steps if len(path) == 6}
    ours = {
        (step.number - 1, step.floors[0])
        for steps in timeline.steps.values()
        for step in steps
        if len(step.floors) > len(_OF_CHANNELS)
    }
    failed = {place_digest(path_of(write["place"]).encode()) for write in other.W if write["status"] >= 500}
    for number, place in theirs.keys() - ours:
        path = theirs[number, place]
        makes = (write for write in other.W if write["place"] == path and write["method"] == "POST")
        if place not in listed and not any(write["answered"] >= other.byn[number]["asked"] for write in makes):
            yield f"{where}: no step at {number} of {path}"
    yield from (
        f"{where}: a step at {number}" for number, place in ours - theirs.keys() if place not in failed | listed
    )
