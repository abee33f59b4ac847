"""How the cost of an answer grows: with the exchanges in the store, the sessions, and the places that are rewritten."""

import re
from collections.abc import Iterator
from statistics import median

import servers
import stores
import workload
from checks import Client, learn_lists
from load import Load, Work, work
from replaying import Replay, primed, replayed
from rounds import Say, Size
from starting import first_answer
from stores import stored

Points = list[dict[str, float]]

_PLACE = re.compile(rb"[A-Z]{2}[0-9a-f]{32}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z|https://chat\.twilio\.com")
"""What is rewritten: SIDs, times, the upstream's address."""


def growing(size: Size, say: Say) -> Iterator[tuple[str, Points]]:
    """Yield what is drawn."""
    yield "exchanges", list(_exchanges(size, say))
    yield "sessions", list(_sessions(size, say))
    yield "places", list(_places(size, say))


def _exchanges(size: Size, say: Say) -> Iterator[dict[str, float]]:
    for count in _powers(size.huge):
        cassette = stores.fetches_in_all(count)
        store, path = stored(cassette, say), stores.unlisted(count).target
        start = median(
            first_answer(lambda port, store=store, name=cassette.name: servers.replay(store, name, port), path)
            for _ in range(size.rounds)
        )
        with replayed(cassette, say) as replay:
            listed = stores.listed_of(count)
            jobs = primed(replay, listed)[2] if listed else work([("GET", path, b"")])
            load = _load(replay, jobs, size)
            memory = replay.server.private_memory
        jobs.file.unlink()
        say(f"growth: {count:,} exchanges, {load.rate:,.0f}/s, {start:.2f} s, {memory:.0f} MB")
        yield {"exchanges": count, "rate": load.rate, "cpu": load.cpu, "start": start, "memory": memory}


def _sessions(size: Size, say: Say) -> Iterator[dict[str, float]]:
    everything = list(workload.lists(100, 1))
    for count in _powers(size.sessions):
        with replayed(stores.lists(100, 1), say) as replay:
            jobs = work(((one.method, one.target, b"") for one in everything), "spread", count)
            before = replay.server.private_memory
            load = _load(replay, jobs, size)
            memory = replay.server.private_memory
        jobs.file.unlink()
        say(f"growth: {count:,} sessions, {load.rate:,.0f}/s, {memory:.0f} MB")
        yield {"sessions": count, "rate": load.rate, "cpu": load.cpu, "memory": memory, "more": memory - before}


def _places(size: Size, say: Say) -> Iterator[dict[str, float]]:
    for messages in (1, 5, 10, 20, 50, 100):
        one = workload.channel_list(0, messages)
        with replayed(stores.lists(1, messages), say) as replay:
            client = Client(replay.server.port)
            learn_lists(client, iter([one]))
            client.close()
            jobs = work([(one.method, one.target, b"")])
            load = _load(replay, jobs, size)
            spread = work([(one.method, one.target, b"")], "passes")
            anew = replay.put(spread, size.seconds)
        jobs.file.unlink()
        spread.file.unlink()
        places = len(_PLACE.findall(one.answer))
        say(f"growth: {places} places, {load.cpu:.0f} µs, {anew.cpu:.0f} µs in a new session")
        yield {"places": places, "rate": load.rate, "cpu": load.cpu, "anew": anew.cpu}


def _load(replay: Replay, jobs: Work, size: Size) -> Load:
    """Warm up, and return the load of median CPU."""
    replay.put(jobs, size.seconds)
    loads = sorted((replay.put(jobs, size.seconds) for _ in range(max(1, size.rounds // 2))), key=lambda one: one.cpu)
    return loads[len(loads) // 2]


def _powers(largest: int) -> list[int]:
    found = [1]
    while found[-1] < largest:
        found.append(min(largest, found[-1] * 10))
    return found
