"""How the cost of an answer grows: with the exchanges in the store, the sessions, and the places that are rewritten.

CPU is counted in answers of the bare application, which is loaded in turns with each replay: so it does not matter much
when a point was measured.
"""

import re
from collections.abc import Callable, Iterator
from statistics import median

import servers
import stores
import workload
from checks import Client, learn_lists
from load import Load, Work, put, work
from replaying import Replay, bare, primed, replayed
from rounds import Say, Size, paired, ratio
from servers import Server
from starting import Start, first_answer
from stores import stored

Points = list[dict[str, float]]

_PLACE = re.compile(rb"[A-Z]{2}[0-9a-f]{32}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z|https://chat\.twilio\.com")
"""What is rewritten: SIDs, times, the upstream's address."""


def growing(size: Size, say: Say) -> Iterator[tuple[str, Points]]:
    """Yield what is drawn."""
    with bare(workload.fetch(0, 1).answer) as constant:
        yield "exchanges", list(_exchanges(constant, size, say))
        yield "sessions", list(_sessions(constant, size, say))
        yield "places", list(_places(constant, size, say))


def _exchanges(constant: Server, size: Size, say: Say) -> Iterator[dict[str, float]]:
    counts = list(_powers(size.huge))
    starts = paired(size.rounds, {str(count): _start(count, say) for count in counts})
    for count in counts:
        with replayed(stores.fetches_of(count), say) as replay:
            listed = stores.listed_of(count)
            jobs = primed(replay, listed)[2] if listed else work([("GET", stores.unlisted(count).target, b"")])
            cpu, rate = _cost(replay, constant, lambda jobs=jobs: jobs, size)
            memory = replay.server.private_memory
        jobs.file.unlink()
        start = median(one.seconds for one in starts[str(count)])
        say(f"growth: {count:,} exchanges, CPU {cpu:.2f} × bare, {start:.2f} s to start, {memory:.0f} MB")
        yield {"exchanges": count, "cpu": cpu, "rate": rate, "start": start, "memory": memory}


def _start(count: int, say: Say) -> Callable[[], Start]:
    cassette = stores.fetches_of(count)
    store, path = stored(cassette, say), stores.unlisted(count).target
    return lambda: first_answer(lambda port: servers.replay(store, cassette.name, port), path)


def _sessions(constant: Server, size: Size, say: Say) -> Iterator[dict[str, float]]:
    everything = list(workload.lists(100, 1))
    for count in _powers(size.sessions):
        with replayed(stores.lists(100, 1), say) as replay:
            jobs = work(((one.method, one.target, b"") for one in everything), "spread", count)
            before = replay.server.private_memory
            while replay.counted < 3 * count:  # so that hardly any is new when it is measured
                replay.put(jobs, size.seconds)
            cpu, rate = _cost(replay, constant, lambda jobs=jobs: jobs, size)
            more = replay.server.private_memory - before
        jobs.file.unlink()
        say(f"growth: {count:,} sessions, CPU {cpu:.2f} × bare, {more:.1f} MB more")
        yield {"sessions": count, "cpu": cpu, "rate": rate, "more": more}


def _places(constant: Server, size: Size, say: Say) -> Iterator[dict[str, float]]:
    for messages in (1, 5, 10, 20, 50, 100):
        one = workload.channel_list(0, messages)
        with replayed(stores.lists(1, messages), say) as replay:
            client = Client(replay.server.port)
            learn_lists(client, iter([one]))
            client.close()
            again = work([(one.method, one.target, b"")])
            cpu, rate = _cost(replay, constant, lambda again=again: again, size)
            anew, _ = _cost(replay, constant, _new_sessions(again), size)
        again.file.unlink()
        places = len(_PLACE.findall(one.answer))
        say(f"growth: {places} places, CPU {cpu:.2f} × bare, {anew:.2f} × bare in a new session")
        yield {"places": places, "cpu": cpu, "rate": rate, "anew": anew}


def _new_sessions(asked: Work) -> Callable[[], Work]:
    """Return what gives work in which every request has a session of its own."""
    given = 0

    def work_of_next() -> Work:
        nonlocal given
        given += 10_000_000  # more than one load asks for
        return Work(asked.file, asked.count, "passes", given)

    return work_of_next


def _cost(replay: Replay, constant: Server, asked: Callable[[], Work], size: Size) -> tuple[float, float]:
    """Return the CPU of an answer, in answers of the bare application, and how many a second there were."""
    fixed = work([("GET", "/", b"")])
    replay.put(asked(), size.seconds)
    contestants: dict[str, Callable[[], Load]] = {
        "ours": lambda: replay.put(asked(), size.seconds),
        "bare": lambda: put(constant, fixed, size.seconds),
    }
    loads = paired(max(2, size.rounds // 2), contestants)
    fixed.file.unlink()
    ours, theirs = ([load.cpu for load in several] for several in loads.values())
    return ratio(ours, theirs), median(load.rate for load in loads["ours"])


def _powers(largest: int) -> Iterator[int]:
    count = 1
    while count < largest:
        yield count
        count *= 10
    yield largest
