"""What a user might pick instead, on the same recorded work and in the same run.

Each is installed from its package registry into ``.bench/``, runs with logging, journals and compression off, and is
warm before it is measured. What cannot be had is left out, and the notes say why.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import checks
import servers
import stores
import workload
from checks import Client
from load import Work, Wrong, put, work
from replaying import bare, primed, replayed
from rounds import Say, Size, paired
from servers import SERVER_CORE, pinned
from stores import KEPT, Cassette, stored
from workload import Asked

HERE = Path(__file__).parent


class Missing(Exception):
    """A rival cannot be had here."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Somebody who is measured: ``measure`` gives answers a second and the CPU that one took, in µs."""

    measure: Callable[[], tuple[float, float]]
    start: float
    memory: Callable[[], float]


Open = Callable[[ExitStack, list[Asked], Path, Size], Contestant]


def contest(size: Size, say: Say) -> Iterator[dict[str, object]]:
    """Yield what each does with each work: rate, CPU, start, memory."""
    for name, asked, ours in works(size):
        say(f"rivals: {name}, {len(asked):,} recorded")
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            _write(asked, folder / "recorded")
            entered = {"chatproxy": stack.enter_context(_chatproxy(asked, ours, size, say))}
            entered["bare aiohttp"] = stack.enter_context(_constant(asked, size))
            for rival, opened in RIVALS.items():
                try:
                    entered[rival] = opened(stack, asked, folder, size)
                except (Missing, Wrong, RuntimeError, OSError) as error:
                    say(f"rivals: {rival} is left out: {error}")
                    yield {"rival": rival, "work": name, "note": str(error)[:300]}
            taken = paired(max(1, size.rounds // 2), {rival: _guarded(one) for rival, one in entered.items()})
            for rival, measured in taken.items():
                row: dict[str, object] = {"rival": rival, "work": name, "recorded": len(asked)}
                good = [one for one in measured if isinstance(one, tuple)]
                row["wrong"] = next((one for one in measured if isinstance(one, str)), "")
                if good:
                    row |= {"rate": median(rate for rate, _ in good), "cpu": median(cpu for _, cpu in good)}
                yield row | {"start": entered[rival].start, "memory": entered[rival].memory()}


def works(size: Size) -> Iterator[tuple[str, list[Asked], Cassette]]:
    """Yield what is asked for, and the cassette that has it."""
    for total in (1, 1_000, 10_000) if size.thorough else (1, 1_000):
        yield "fetch", [workload.fetch(index, total) for index in range(total)], stores.fetches(total)
    yield "list of 50", [workload.channel_list(0)], stores.lists(1)
    yield "create", list(workload.creates(1_000)), stores.creates(1_000)


def _guarded(one: Contestant) -> Callable[[], tuple[float, float] | str]:
    def measured() -> tuple[float, float] | str:
        try:
            return one.measure()
        except Wrong as error:
            return str(error)[:300]

    return measured


@contextmanager
def _chatproxy(asked: list[Asked], cassette: Cassette, size: Size, say: Say) -> Iterator[Contestant]:
    stored(cassette, say)
    begun = time.perf_counter()
    with replayed(cassette, say) as replay:
        start = time.perf_counter() - begun
        if asked[0].method == "POST":
            jobs, passes = _requests(asked, "passes"), 0

            def measure() -> tuple[float, float]:
                nonlocal passes
                load = replay.put(Work(jobs.file, jobs.count, jobs.mode, passes), size.seconds)
                passes += load.passes
                return load.rate, load.cpu

        else:
            jobs = primed(replay, len(asked))[2] if "/IM" in asked[0].target else _requests(asked)

            def measure() -> tuple[float, float]:
                load = replay.put(jobs, size.seconds)
                return load.rate, load.cpu

        measure()
        yield Contestant(measure, start, lambda: replay.server.private_memory)
    jobs.file.unlink()


@contextmanager
def _constant(asked: list[Asked], size: Size) -> Iterator[Contestant]:
    jobs = _requests(asked)
    begun = time.perf_counter()
    with bare(asked[0].answer, asked[0].status) as server:
        start = time.perf_counter() - begun
        put(server, jobs, 1)

        def measure() -> tuple[float, float]:
            load = put(server, jobs, size.seconds)
            return load.rate, load.cpu

        yield Contestant(measure, start, lambda: server.private_memory)
    jobs.file.unlink()


def _requests(asked: Iterable[Asked], mode: str = "random") -> Work:
    return work(((one.method, one.target, one.body) for one in asked), mode)


def _write(asked: list[Asked], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for one in asked:
            texts = {"answer": one.answer.decode(), "body": one.body.decode()}
            file.write(json.dumps({"method": one.method, "target": one.target, "status": one.status, **texts}) + "\n")


def _served(stack: ExitStack, command: list[object], port: int, asked: list[Asked], size: Size) -> Contestant:
    """Run a rival, compare some answers, and warm it up: a JVM or Node on one core needs its time."""
    begun = time.perf_counter()
    server = stack.enter_context(servers.running(command, port, path=asked[0].target))
    start = time.perf_counter() - begun
    client = Client(port)
    for one in checks.sample(asked, 20):
        checks.compare(one, *client.ask(one.method, one.target, one.body), one.answer)
    client.close()
    jobs = _requests(asked)
    stack.callback(jobs.file.unlink)
    put(server, jobs, 10 if size.thorough else 4)

    def measure() -> tuple[float, float]:
        load = put(server, jobs, size.seconds)
        return load.rate, load.cpu

    return Contestant(measure, start, lambda: server.private_memory)


def mitmdump() -> Path:
    """Return mitmproxy's program, which is installed if it is not there yet."""
    return _venv("mitmproxy", "mitmproxy") / "mitmdump"


def _mitmproxy(stack: ExitStack, asked: list[Asked], folder: Path, size: Size) -> Contestant:
    program = mitmdump()
    _run([program.with_name("python"), HERE / "rival_mitmproxy.py", folder / "recorded", folder / "flows"])
    port = servers.free_port()
    settings = ("connection_strategy=lazy", "server_replay_reuse=true", "server_replay_extra=404", "flow_detail=0")
    settings += ("server_replay_refresh=false", f"confdir={folder}/mitmproxy")
    command: list[object] = [program, "-q", "--mode", "reverse:http://127.0.0.1:9", "--listen-host", "127.0.0.1"]
    command += ["-p", port, "--server-replay", folder / "flows"]
    return _served(stack, [*command, *(part for one in settings for part in ("--set", one))], port, asked, size)


def _wiremock(stack: ExitStack, asked: list[Asked], folder: Path, size: Size) -> Contestant:
    if shutil.which("java") is None:
        raise Missing("there is no Java")
    jar = next((_npm("wiremock") / "build").glob("wiremock-standalone*.jar"))
    mappings = []
    for one in asked:
        request: dict[str, object] = {"method": one.method, "url": one.target}
        if one.body:
            request["bodyPatterns"] = [{"equalTo": one.body.decode()}]
        answer = {"status": one.status, "headers": {"Content-Type": "application/json"}, "body": one.answer.decode()}
        mappings.append({"request": request, "response": answer})
    (folder / "mappings").mkdir()
    (folder / "mappings" / "all.json").write_text(json.dumps({"mappings": mappings}))
    port = servers.free_port()
    command = ["java", "-jar", jar, "--port", port, "--bind-address", "127.0.0.1", "--root-dir", folder]
    command += ["--no-request-journal", "--disable-gzip", "--disable-banner"]
    return _served(stack, command, port, asked, size)


def _mountebank(stack: ExitStack, asked: list[Asked], folder: Path, size: Size) -> Contestant:
    program = _npm("@mbtest/mountebank") / "bin" / "mb"
    port, admin = servers.free_port(), servers.free_port()
    stubs = []
    for one in asked:
        path, _, query = one.target.partition("?")
        equals: dict[str, object] = {"method": one.method, "path": path}
        if query:
            equals["query"] = dict(pair.split("=") for pair in query.split("&"))
        if one.body:
            equals["body"] = one.body.decode()
        answer = {
            "statusCode": one.status,
            "headers": {"Content-Type": "application/json"},
            "body": one.answer.decode(),
        }
        stubs.append({"predicates": [{"equals": equals}], "responses": [{"is": answer}]})
    imposter = {"port": port, "protocol": "http", "host": "127.0.0.1", "stubs": stubs}
    (folder / "imposters.json").write_text(json.dumps({"imposters": [imposter]}))
    command = ["node", program, "start", "--port", admin, "--host", "127.0.0.1", "--nologfile", "--loglevel", "error"]
    command += ["--configfile", folder / "imposters.json", "--pidfile", folder / "mb.pid"]
    return _served(stack, command, port, asked, size)


def _vcrpy(stack: ExitStack, asked: list[Asked], folder: Path, size: Size) -> Contestant:
    python = _venv("vcrpy", "vcrpy", "aiohttp") / "python"
    with pinned(SERVER_CORE):
        process = subprocess.Popen(
            [python, HERE / "rival_vcrpy.py", folder / "recorded", str(size.seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=servers.environment(),
            text=True,
        )
    stack.callback(process.wait)
    stack.callback(process.kill)
    own = servers.Server(process, 0, Path())

    def read() -> dict[str, float]:
        line = process.stdout.readline()
        if not line:
            raise Wrong("vcrpy gave a wrong answer")
        return json.loads(line)

    def measure() -> tuple[float, float]:
        process.stdin.write("\n")
        process.stdin.flush()
        measured = read()
        return measured["rate"], measured["cpu"]

    start = read()["start"]
    measure()
    return Contestant(measure, start, lambda: own.private_memory)


RIVALS: dict[str, Open] = {
    "mitmproxy, server replay": _mitmproxy,
    "WireMock": _wiremock,
    "mountebank": _mountebank,
    "vcrpy, in process": _vcrpy,
}


def versions() -> dict[str, str]:
    """Return the versions of what is installed."""
    found = {}
    for package in ("wiremock", "@mbtest/mountebank"):
        about = KEPT / "npm" / "node_modules" / package / "package.json"
        if about.exists():
            found[package] = json.loads(about.read_text())["version"]
    for package in ("mitmproxy", "vcrpy"):
        for about in (KEPT / package).glob(f"lib/python*/site-packages/{package}-*.dist-info"):
            found[package] = about.name.removesuffix(".dist-info").rpartition("-")[2]
    return found


def _venv(name: str, *packages: str) -> Path:
    """Return the programs of a virtual environment of its own, since the pins of each are its own."""
    programs = KEPT / name / "bin"
    if not (programs / f".{name}").exists():
        _run([sys.executable, "-m", "venv", "--clear", KEPT / name])
        _run([programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
        (programs / f".{name}").touch()
    return programs


def _npm(package: str) -> Path:
    folder = KEPT / "npm" / "node_modules" / package
    if not folder.exists():
        if shutil.which("npm") is None:
            raise Missing("there is no npm")
        _run(["npm", "install", "--prefix", KEPT / "npm", "--silent", "--no-audit", "--no-fund", package])
    return folder


def _run(command: list[object]) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"`{' '.join(map(str, command))}` fails: {(done.stderr or done.stdout).strip()[-300:]}")
