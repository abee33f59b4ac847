"""The twilio client with calls in flight together, each of its threads or tasks with messages of its own.

They are recorded once by a proxy before an upstream that takes its time, and replayed again and again in any order.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

import pytest
from integration.processes import Workplace
from integration.twilio_clients import CHANNEL, NO_EDGE, SERVICE, TOKEN, plain
from profiles import many
from servers import settings
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Mode, Outcome
from chatproxy.serve.hosting import in_background
from chatproxy.serve.listen import Running, proxy, sandbox
from chatproxy.store import Store
from chatproxy.testing import twilio_client

# The twilio package itself uses what aiohttp will take away.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

WORKERS = 4
CHANGED = {"body", "dateUpdated", "wasEdited", "lastUpdatedBy"}

Ask = tuple[str, str, dict[str, str]]
"""The SID of a message, if it is one's, a method, and its parameters."""
Program = Generator[Ask, Any, None]


@dataclass
class Run:
    """What the workers of one run were shown last of each message."""

    random: Random
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)

    def program(self, texts: Sequence[str]) -> Program:
        """Create, fetch, update and fetch a message for each text; every answer must be about this message."""
        for text in texts:
            made = yield "", "create", {"body": text}
            assert made.body == text
            assert made.sid not in self.shown
            created = self.shown[made.sid] = shown(made)
            assert shown((yield made.sid, "fetch", {})) == created
            updated = yield made.sid, "update", {"body": f"{text} changed"}
            assert updated.body == f"{text} changed"
            assert updated.date_updated >= made.date_updated
            assert {name for name, one in shown(updated).items() if one != created[name]} <= CHANGED
            assert shown((yield made.sid, "fetch", {})) == shown(updated)
            self.shown[made.sid] = shown(updated)

    def pause(self) -> float:
        """Return for how long a worker dawdles, so that no two runs have one order."""
        return self.random.choice([0, 0, 0.001, 0.003])

    def check(self, listed: Sequence[Any], texts: Sequence[str]) -> None:
        """Check that a list in the end shows what the workers were shown, and nothing else."""
        assert {one.sid: shown(one) for one in listed} == self.shown
        assert [one.index for one in listed] == list(range(len(texts)))
        assert sorted(one.body for one in listed) == sorted(f"{text} changed" for text in texts)


def shown(message: Any) -> dict[str, Any]:
    """Return the properties of a message that every answer shows: creates and lists have no attributes."""
    return {name: value for name, value in plain(message).items() if name != "attributes"}


def asked(messages: Any, ask: Ask, suffix: str = "") -> Any:
    sid, method, form = ask
    return getattr(messages(sid) if sid else messages, f"{method}{suffix}")(**form)


def in_thread(run: Run, messages: Any, program: Program) -> None:
    with suppress(StopIteration):
        ask = next(program)
        while True:
            time.sleep(run.pause())
            ask = program.send(asked(messages, ask))


async def in_task(run: Run, messages: Any, program: Program, limit: asyncio.Semaphore) -> None:
    with suppress(StopIteration):
        ask = next(program)
        while True:
            async with limit:
                await asyncio.sleep(run.pause())
                answer = await asked(messages, ask, "_async")
            ask = program.send(answer)


def texts_of(worker: int, *, equal: bool) -> list[str]:
    """Return the texts of a worker; where they are ``equal``, every worker has the same."""
    return ["a", "b"] if equal else [f"{worker} a", f"{worker} b"]


EACH = {"different": False, "equal": True}


def threads(url: str, account: str, seed: int, *, equal: bool) -> None:
    """Run the program in threads that share a client."""
    run, texts = Run(Random(seed)), [texts_of(worker, equal=equal) for worker in range(WORKERS)]
    messages = twilio_client(url, account, TOKEN).chat.v1.services(SERVICE).channels(CHANNEL).messages
    together = Barrier(WORKERS)

    def work(own: Sequence[str]) -> None:
        together.wait(20)
        in_thread(run, messages, run.program(own))

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, texts))
    run.check(messages.list(), list(chain(*texts)))


@asynccontextmanager
async def async_messages(url: str, account: str) -> AsyncIterator[Any]:
    """Give the messages as the package's own async client sees them."""
    async with AsyncTwilioHttpClient() as http:
        client = Client(account, TOKEN, http_client=http, environment=NO_EDGE)
        client.chat.base_url = url
        yield client.chat.v1.services(SERVICE).channels(CHANNEL).messages


async def tasks(url: str, account: str, seed: int, *, equal: bool) -> None:
    """Run the program in tasks that share a client."""
    run, texts = Run(Random(seed)), [texts_of(worker, equal=equal) for worker in range(WORKERS)]
    limit = asyncio.Semaphore(WORKERS)
    async with async_messages(url, account) as messages:
        await asyncio.gather(*(in_task(run, messages, run.program(own), limit) for own in texts))
        run.check(await messages.list_async(), list(chain(*texts)))


async def three_calls_at_once(url: str, account: str, seed: int, *, equal: bool) -> None:
    """Run twelve tasks with a message each, of which three have a call in flight."""
    run, texts = Run(Random(seed)), ["a"] * 12 if equal else [f"text {nth}" for nth in range(12)]
    limit = asyncio.Semaphore(3)
    async with async_messages(url, account) as messages:
        await asyncio.gather(*(in_task(run, messages, run.program([own]), limit) for own in texts))
        run.check(await messages.list_async(), texts)


async def three_messages_at_once(url: str, account: str, seed: int, *, equal: bool) -> None:
    """Run twelve tasks with a message each, of which three are at work."""
    run, texts = Run(Random(seed)), ["a"] * 12 if equal else [f"text {nth}" for nth in range(12)]
    workers, limit = asyncio.Semaphore(3), asyncio.Semaphore(3)

    async def work(messages: Any, own: str) -> None:
        async with workers:
            await in_task(run, messages, run.program([own]), limit)

    async with async_messages(url, account) as messages:
        await asyncio.gather(*(work(messages, own) for own in texts))
        run.check(await messages.list_async(), texts)


@contextmanager
def recorder(folder: Path) -> Iterator[str]:
    """Record what the sandbox answers, which takes so long that calls are in flight together."""
    with (
        in_background(sandbox(settings(folder, sandbox_latency=(0.002, 0.03)))) as upstream,
        in_background(proxy(Mode.RECORD, "c", settings(folder, upstream=upstream.url), print)) as running,
    ):
        yield running.url


@contextmanager
def replaying(folder: Path, *, from_file: bool) -> Iterator[Running]:
    """Replay it from the store, or from a file that is exported from there."""
    file = folder / "c.json"
    if from_file:
        Workplace(folder).run("export", "c", file, "--store", folder / "store")
    with in_background(proxy(Mode.REPLAY, str(file) if from_file else "c", settings(folder), print)) as running:
        yield running


def session(nth: int) -> str:
    """Return an account of its own for a replay: each is a session."""
    return f"AC{nth:032x}"


def are_in_flight_together(folder: Path) -> bool:
    """Tell whether in what was recorded a request came before the answer to the one before it."""
    store = Store(folder / "store")
    cassette = store.open("c", Rules())
    recorded = [cassette.exchange(number) for number in cassette.numbers()]
    store.close()
    return any(later.asked < one.answered for one, later in pairwise(sorted(recorded, key=lambda one: one.asked)))


def recorded_and_replayed(folder: Path, count: int, run: Callable[[str, str, int], None]) -> None:
    """Record a run, and replay it so often, from the store and from a file in turn; nothing may be a miss."""
    for recording in range(many(1)):
        place = folder / str(recording)
        place.mkdir()
        with recorder(place) as url:
            run(url, session(99), recording)
        assert are_in_flight_together(place)
        for from_file in (False, True):
            with replaying(place, from_file=from_file) as running:
                for nth in range(from_file, count, 2):
                    run(running.url, session(nth), nth)
                assert running.engine is not None
                assert set(running.engine.counts) == {Outcome.HIT}


@pytest.mark.parametrize("equal", EACH.values(), ids=EACH)
def test_threads_with_messages_of_their_own_replay_in_any_order(tmp_path: Path, *, equal: bool) -> None:
    recorded_and_replayed(tmp_path, 16, lambda url, account, seed: threads(url, account, seed, equal=equal))


Tasks = Callable[..., Coroutine[Any, Any, None]]


@pytest.mark.parametrize("equal", EACH.values(), ids=EACH)
@pytest.mark.parametrize(
    ("run", "count"),
    [
        pytest.param(tasks, 16, id="four tasks"),
        pytest.param(three_calls_at_once, 10, id="twelve messages, three calls at once"),
        pytest.param(three_messages_at_once, 10, id="twelve messages, three at once"),
    ],
)
def test_tasks_with_messages_of_their_own_replay_in_any_order(
    tmp_path: Path, run: Tasks, count: int, *, equal: bool
) -> None:
    def once(url: str, account: str, seed: int) -> None:
        asyncio.run(run(url, account, seed, equal=equal))

    recorded_and_replayed(tmp_path, count, once)
