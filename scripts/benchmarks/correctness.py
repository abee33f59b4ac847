"""Whether all that is measured answers as it should, without a load and without times; needs no load generator."""

import servers
import stores
import workload
from bulk import check_bulk
from checks import Client, check_creates, compare, learn_lists
from load import Wrong
from recording import check_recording, upstream
from replaying import Replay, bare, primed, replayed
from rounds import Say
from starting import first_answer
from stores import stored


def check(say: Say) -> None:
    """Look at an answer of each kind, byte by byte."""
    _check_fetches(say)
    _check_lists(say)
    _check_creates(say)
    _check_references(say)
    check_recording(say)
    check_bulk()
    say("bulk: a file comes out as it went in")


def _check_fetches(say: Say) -> None:
    cassette = stores.fetches(150)
    with replayed(cassette, say) as replay:
        oracle, asked, jobs = primed(replay, 150)
        jobs.file.unlink()
        client = Client(replay.server.port)
        for one in (*asked, workload.fetch(150, 150)):
            oracle.check(client, one)
        client.close()
        _count(replay, len(asked) + 3)
    store = stored(cassette, say)
    first_answer(lambda port: servers.replay(store, cassette.name, port), workload.fetch(150, 150).target)
    say(f"fetch: {len(asked)} messages, all bytes right, no miss")


def _check_lists(say: Say) -> None:
    with replayed(stores.lists(3), say) as replay:
        client = Client(replay.server.port)
        for _ in range(2):
            learn_lists(client, workload.lists(3))
        client.close()
        _count(replay, 6)
    say("list: 3 lists of 50, all bytes right")


def _check_creates(say: Say) -> None:
    sids: set[str] = set()
    with replayed(stores.creates(20), say) as replay:
        for session in ("one", "two"):
            client = Client(replay.server.port, session)
            sids |= check_creates(client, 20).keys()
            client.close()
        _count(replay, 40)
    if len(sids) != 40:
        raise Wrong("two sessions share SIDs")
    say("create: 20 messages in each of 2 sessions, all new and made now")


def _check_references(say: Say) -> None:
    for one in (workload.fetch(0, 1), workload.create(0)):
        with bare(one.answer, one.status) as server:
            client = Client(server.port)
            compare(one, *client.ask(one.method, one.target, one.body), one.answer)
            client.close()
    with upstream() as port:
        own = servers.free_port()
        with servers.running(servers.forwarder(own, port), own) as server:
            client = Client(server.port)
            status, body = client.ask("POST", workload.messages_path(), b"Body=Hello")
            client.close()
    if status != 201 or len(body) != len(workload.create(0).answer):
        raise Wrong(f"the forwarder answers {status} {body!r}")
    say("references: bare and forwarder answer")


def _count(replay: Replay, answers: int) -> None:
    replay.counted += answers
