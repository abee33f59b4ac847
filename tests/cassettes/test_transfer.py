import json
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from exchanges import numbered
from store.stores import (
    NOBODY,
    PAGE,
    RULES,
    child,
    disk_full_beyond,
    everything,
    exchange,
    exchanges,
    read_only,
    record,
)
from strategies import FORM, multipart

from chatproxy.cassettes.transfer import (
    canonical_fixture,
    exact_fixture,
    export_cassette,
    import_fixture,
    open_cache,
    open_document,
    open_file,
)
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError, LeakError
from chatproxy.core.leaks.gate import Gate
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, Request, Response
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule
from chatproxy.core.time.timestamps import SECOND
from chatproxy.store import Existing, Recording, Store
from chatproxy.store.compiled import StoredCassette

ACCOUNT, SERVICE, CHANNEL = "AC" + "a" * 32, "IS" + "b" * 32, "CH" + "c" * 32
JSON_TYPE = ((b"Content-Type", b"application/json"),)

FILLS_THE_CACHE = """
from chatproxy.store import Store
cache = Store(Path(sys.argv[1]) / "files")
recording = Recording(cache, sys.argv[2], Existing.REPLACE, 1)
print("filling", flush=True)
input()
recording.discard()
cache.close()
"""
OPENS_A_FILE = """
from chatproxy.cassettes.transfer import open_cache, open_file
cache = open_cache(Path(sys.argv[2]))
cassette = open_file(Path(sys.argv[1]), cache, RULES, 1)
print(type(cassette).__name__, cassette.name, flush=True)
cache.close()
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A fixture of three exchanges whose file has another name than it."""
    return fixture_of(tmp_path, 3)


def opened_file(path: Path, folder: Path, rules: Rules, begun: int) -> tuple[Cassette, Store | None]:
    cache = open_cache(folder)
    return open_file(path, cache, rules, begun), cache


def fixture_of(folder: Path, count: int, name: str = "inside") -> Path:
    opened = Store(folder / "making")
    record(opened, name, exchanges(count))
    path = folder / f"{name}-{count}.json"
    export_cassette(exact_fixture(opened, name), path)
    opened.close()
    return path


def states(store: Store) -> dict[str, tuple[int, str]]:
    return {listed.name: (listed.exchanges, listed.state) for listed in store.listing()}


def cached(folder: Path) -> dict[str, tuple[int, str]]:
    cache = Store(folder / "files")
    found = states(cache)
    cache.close()
    return found


# Opening a FILE


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_cache_of_files_never_breaks_a_file(file: Path, tmp_path: Path, seed: int) -> None:
    folder, chance = tmp_path / "store", random.Random(seed)
    cassette, cache = opened_file(file, folder, RULES, 1)
    assert cache is not None
    expected = everything(cassette)
    cache.close()
    data = folder / "files" / "data.mdb"
    content = bytearray(data.read_bytes())
    for _ in range(40):
        at = chance.randrange(20 * PAGE)
        content[at : at + 9] = bytes(9)
    data.write_bytes(content)

    cassette, cache = opened_file(file, folder, RULES, 1)
    assert everything(cassette) == expected
    assert cache is not None
    assert cache.inspect().flaws == []
    cache.close()


def test_a_cached_exchange_that_is_damaged_makes_the_cache_anew(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    cassette, cache = opened_file(file, folder, RULES, 1)
    assert cache is not None
    expected = everything(cassette)
    key, value = cache.environment.scan(b"e", limit=1)[0]
    cache.environment.write(lambda transaction: transaction.put(key, value[:-1] + b"?"))
    cache.close()
    os.utime(folder / "files" / "data.mdb", ns=(1, 1))

    cassette, cache = opened_file(file, folder, RULES, 1)
    assert everything(cassette) == expected
    assert cache is not None
    cache.close()


def test_a_file_goes_by_the_name_inside_it_first_and_later(file: Path, tmp_path: Path) -> None:
    for _ in range(2):
        cassette, cache = opened_file(file, tmp_path / "store", RULES, 1)
        assert isinstance(cassette, StoredCassette)
        assert cache is not None
        assert cassette.name == "inside"
        assert [cassette.exchange(ExchangeNumber(number)) for number in (1, 2, 3)] == exchanges(3)
        cache.close()


def test_a_file_that_is_known_is_not_read_again(file: Path, tmp_path: Path) -> None:
    _, cache = opened_file(file, tmp_path / "store", RULES, 1)
    assert cache is not None
    (key,) = states(cache)
    recording = Recording(cache, key, Existing.REPLACE, 1, title="inside")  # what only the cache can know
    recording.put(exchanges(7))
    recording.finish(RULES)
    cache.close()

    cassette, cache = opened_file(file, tmp_path / "store", RULES, 1)
    assert cassette.last_number == 7
    assert cache is not None
    cache.close()


def test_a_file_is_known_by_its_content(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    copy.write_bytes(file.read_bytes())
    for path in (file, copy):
        _, cache = opened_file(path, tmp_path / "store", RULES, 1)
        assert cache is not None
        cache.close()
    assert len(cached(tmp_path / "store")) == 1

    file.write_text(file.read_text().replace("Body=3", "Body=4"))
    cassette, cache = opened_file(file, tmp_path / "store", RULES, 1)
    assert cassette.exchange(ExchangeNumber(3)).request.body == b"Body=4"
    assert cache is not None
    cache.close()
    assert len(cached(tmp_path / "store")) == 2


def test_a_file_touches_no_cassette_of_the_store(file: Path, store: Store) -> None:
    record(store, "inside", exchanges(1))

    _, cache = opened_file(file, store.folder, RULES, 1)

    assert cache is not None
    cache.close()
    assert states(store) == {"inside": (1, "complete")}


def test_a_file_is_cached_before_there_is_a_store(file: Path, tmp_path: Path) -> None:
    _, cache = opened_file(file, tmp_path / "store", RULES, 1)
    assert cache is not None
    cache.close()

    Store(tmp_path / "store").close()

    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


def test_a_file_is_compiled_under_other_rules_too(file: Path, tmp_path: Path) -> None:
    for rules in (RULES, Rules(("X-A",)), RULES):
        cassette, cache = opened_file(file, tmp_path / "store", rules, 1)
        assert isinstance(cassette, StoredCassette)
        assert cache is not None
        cache.close()
    assert list(cached(tmp_path / "store").values()) == [(3, "complete")]


def test_the_twenty_newest_files_are_kept(tmp_path: Path) -> None:
    text = fixture_of(tmp_path, 1).read_text()
    path = tmp_path / "a.json"
    for number in range(23):
        path.write_text(text.replace("inside", f"name{number}"))
        _, cache = opened_file(path, tmp_path / "store", RULES, number + 1)
        assert cache is not None
        begun = sorted(listed.begun for listed in cache.listing())
        cache.close()

    assert begun == list(range(4, 24))


def in_memory(file: Path, folder: Path) -> bool:
    cassette, cache = opened_file(file, folder, RULES, 1)
    if cache is not None:
        cache.close()
    assert cassette.name == "inside"
    return isinstance(cassette, MemoryCassette) and list(cassette) == exchanges(3)


def test_a_file_is_opened_in_memory_where_no_cache_can_be_made(file: Path, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")

    assert in_memory(file, tmp_path / "store")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")
def test_a_file_is_opened_in_memory_where_the_cache_cannot_be_written(file: Path, tmp_path: Path) -> None:
    Store(tmp_path / "store" / "files").close()
    os.chown(file, NOBODY, NOBODY)

    with read_only(tmp_path / "store"):
        assert in_memory(file, tmp_path / "store")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")
def test_a_file_of_a_cache_that_cannot_be_written_is_opened_from_it_under_its_name(file: Path, tmp_path: Path) -> None:
    _, cache = opened_file(file, tmp_path / "store", RULES, 1)
    assert cache is not None
    cache.close()
    os.chown(file, NOBODY, NOBODY)

    with read_only(tmp_path / "store"):
        for rules, kind in ((RULES, StoredCassette), (Rules(("X-A",)), MemoryCassette)):
            cassette, cache = opened_file(file, tmp_path / "store", rules, 1)
            assert (type(cassette), cassette.name) == (kind, "inside")
            assert cache is not None
            cache.close()


def test_a_file_is_opened_in_memory_while_this_process_has_the_cache_open(file: Path, tmp_path: Path) -> None:
    _, cache = opened_file(file, tmp_path / "store", RULES, 1)

    assert in_memory(file, tmp_path / "store")

    assert cache is not None
    cache.close()


@pytest.mark.process
def test_a_file_is_opened_in_memory_while_another_process_fills_the_cache(file: Path, tmp_path: Path) -> None:
    _, cache = opened_file(file, tmp_path / "store", RULES, 1)
    assert cache is not None
    (key,) = states(cache)
    cache.drop(key)
    cache.close()

    with child(FILLS_THE_CACHE, tmp_path / "store", key) as other:
        assert other.line() == "filling"
        assert in_memory(file, tmp_path / "store")
        other.end()


def test_a_file_is_opened_in_memory_on_a_full_disk(file: Path, tmp_path: Path) -> None:
    with disk_full_beyond(1000):
        assert in_memory(file, tmp_path / "store")


def test_a_cache_of_garbage_is_made_anew(file: Path, tmp_path: Path) -> None:
    Store(tmp_path / "store" / "files").close()
    (tmp_path / "store" / "files" / "data.mdb").write_bytes(b"garbage")

    assert not in_memory(file, tmp_path / "store")


@pytest.mark.process
def test_two_processes_open_a_file_at_once(file: Path, tmp_path: Path) -> None:
    arguments = (file, tmp_path / "store")
    _, cache = opened_file(*arguments, RULES, 1)

    with child(OPENS_A_FILE, *arguments) as other:
        assert other.line() == "StoredCassette inside"

    assert cache is not None
    cache.close()


def test_a_broken_file_is_refused_and_leaves_nothing_open(file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"chatproxy": 9}')

    with pytest.raises(CassetteError, match=rf"^{broken}: is of format 9"):
        opened_file(broken, tmp_path / "store", RULES, 1)

    assert cached(tmp_path / "store") == {}


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.json"

    with pytest.raises(CassetteError, match=rf"^{path}: cannot be read: No such file or directory$"):
        opened_file(path, tmp_path / "store", RULES, 1)


# Export


def test_an_export_is_read_back(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(3))

    assert export_cassette(exact_fixture(store, "a"), tmp_path / "new" / "folder" / "b.json") == 3

    with open_document(tmp_path / "new" / "folder" / "b.json") as document:
        assert (document.name, document.count, list(document.exchanges)) == ("a", 3, exchanges(3))
    assert (tmp_path / "new" / "folder" / "b.json").stat().st_mode & 0o777 == 0o644


def test_export_import_export_is_the_identity(store: Store, tmp_path: Path) -> None:
    record(store, "a", [exchange(2), exchange(5, b"\xff"), exchange(6, b'{"a":1}')])
    export_cassette(exact_fixture(store, "a"), tmp_path / "one.json")
    other = Store(tmp_path / "other")

    import_fixture(other, tmp_path / "one.json", 1)
    export_cassette(exact_fixture(other, "a"), tmp_path / "other.json")

    assert (tmp_path / "other.json").read_bytes() == (tmp_path / "one.json").read_bytes()
    assert list(other.exchanges("a")) == list(store.exchanges("a"))
    other.close()


def test_an_interrupted_recording_can_be_exported(store: Store, tmp_path: Path) -> None:
    recording = Recording(store, "a", Existing.REPLACE, 1)
    recording.put(exchanges(2))
    recording.abandon()

    assert export_cassette(exact_fixture(store, "a.partial"), tmp_path / "a.json") == 2


def test_an_import_deletes_no_interrupted_recording_of_the_name(store: Store, file: Path) -> None:
    recording = Recording(store, "inside", Existing.REPLACE, 1)
    recording.put(exchanges(2))
    recording.abandon()
    before = states(store)
    for replaces in (False, True):
        with pytest.raises(CassetteError, match=r"^inside\.partial: is left of a recording that was interrupted; "):
            import_fixture(store, file, 1, replace=replaces)
    assert states(store) == before == {"inside.partial": (2, "interrupted")}


def test_what_is_not_there_cannot_be_exported(store: Store, tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="there is no such cassette"):
        export_cassette(exact_fixture(store, "a"), tmp_path / "new" / "a.json")

    assert not (tmp_path / "new").exists()


def only(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that an export would replace."""
    path = tmp_path / "out" / "a.json"
    path.parent.mkdir()
    path.write_text("old")
    return path


def test_an_export_that_fails_on_a_full_disk_leaves_the_old_file(store: Store, old: Path) -> None:
    record(store, "a", exchanges(300))

    with disk_full_beyond(1000), pytest.raises(CassetteError) as raised:
        export_cassette(exact_fixture(store, "a"), old)

    assert str(raised.value) == f"{old}: cannot be written: File too large; the old file, if any, is untouched"
    assert only(old.parent) == {"a.json": "old"}


def test_an_export_of_a_damaged_cassette_leaves_the_old_file(store: Store, old: Path) -> None:
    record(store, "a", exchanges(3))
    store.environment.write(lambda transaction: transaction.put(b"e\0\0\0\1\0\0\0\3", b"garbage"))

    with pytest.raises(CassetteError, match="exchange a/3: is damaged"):
        export_cassette(exact_fixture(store, "a"), old)

    assert only(old.parent) == {"a.json": "old"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response(0), "/exchanges/1/response/status: must be an integer from 200 to 599"),
        (Response(200, b"a\0b"), "/exchanges/1/response/reason: is not a reason phrase on one line"),
        (
            Response(200, b"", ((b"X-A", b"\x1b"),)),
            "/exchanges/1/response/headers/0: is not a header field on one line",
        ),
    ],
)
@pytest.mark.parametrize("is_exact", [True, False])
def test_an_export_that_could_not_be_read_is_refused_and_leaves_the_old_file(
    store: Store, old: Path, answer: Response, reason: str, is_exact: bool
) -> None:
    record(store, "a", [exchange(1), replace(exchange(2), response=answer)])

    with pytest.raises(CassetteError) as raised:
        export_cassette(exact_fixture(store, "a") if is_exact else canonical_fixture(store, "a", RULES), old)

    assert str(raised.value) == f"{old}: {reason}; no fixture can hold this, and none is written: record it anew"
    assert only(old.parent) == {"a.json": "old"}


def test_bytes_that_are_no_text_go_through_a_fixture(store: Store, tmp_path: Path) -> None:
    answer = Response(200, b"caf\xe9", ((b"X-A", b"caf\xe9"), (b"X-B", "caf\xe9".encode())), b"caf\xe9")
    record(store, "a", [replace(exchange(1), response=answer)])
    for way in (exact_fixture(store, "a"), canonical_fixture(store, "a", RULES)):
        path = tmp_path / "a.json"
        assert export_cassette(way, path) == 1
        name, _ = import_fixture(store, path, 1, name="b", replace=True)
        assert [one.response for one in store.exchanges(name)] == [answer]


@contextmanager
def interrupting(label: str, steps: int) -> Iterator[Callable[[], object]]:
    def interrupt() -> None:
        raise KeyboardInterrupt

    yield interrupt if label in {"import", "export"} else bool


def test_an_export_that_is_interrupted_leaves_the_old_file(store: Store, old: Path) -> None:
    record(store, "a", exchanges(3))

    with pytest.raises(KeyboardInterrupt):
        export_cassette(exact_fixture(store, "a"), old, progress=interrupting)

    assert only(old.parent) == {"a.json": "old"}


def test_an_export_onto_a_folder_is_an_error_that_leaves_nothing(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(1))
    (tmp_path / "out" / "a.json").mkdir(parents=True)

    with pytest.raises(CassetteError, match="cannot be written: Is a directory"):
        export_cassette(exact_fixture(store, "a"), tmp_path / "out" / "a.json")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.json"]


def test_an_export_into_a_file_is_an_error(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(1))
    (tmp_path / "out").write_text("")

    with pytest.raises(CassetteError, match=r"out/a.json: cannot be written: "):
        export_cassette(exact_fixture(store, "a"), tmp_path / "out" / "a.json")


TOKEN = b"0f1e2d3c4b5a69780f1e2d3c4b5a6978"


def test_an_export_with_a_leak_is_refused_and_leaves_the_old_file(store: Store, old: Path) -> None:
    record(store, "a", [exchange(1), exchange(2, b'{"to": "%b"}' % TOKEN)])

    with pytest.raises(LeakError) as raised:
        export_cassette(exact_fixture(store, "a"), old)

    (leak,) = raised.value.leaks
    assert leak.startswith(f"{old}:")
    assert "what looks like a Twilio auth token in 'to' of exchange 2" in leak
    assert TOKEN.decode() not in str(raised.value)
    assert only(old.parent) == {"a.json": "old"}


def test_an_export_with_a_leak_that_is_allowed_is_written(store: Store, old: Path) -> None:
    record(store, "a", [exchange(1, b'{"to": "%b"}' % TOKEN)])

    assert export_cassette(exact_fixture(store, "a"), old, gate=Gate(allow=(re.compile(TOKEN),))) == 1

    assert TOKEN in old.read_bytes()


DROPPING = Rules(scrub=Scrub((ScrubRule(LooksAt.PARAMETER, "Body", Action.DROP),)))


def multipart_create(number: int, boundary: bytes, told: bytes) -> Exchange:
    request = replace(
        exchange(number).request,
        headers=((b"Content-Type", b"multipart/form-data; boundary=" + told),),
        body=multipart([(b"Body", None, None, b"a text"), (b"From", None, None, b"a name")], boundary),
    )
    return replace(exchange(number), request=request)


def test_a_multipart_form_is_exported_scrubbed_and_with_one_boundary(store: Store, tmp_path: Path) -> None:
    written = []
    for boundary in (b"one", b"another"):
        record(store, "a", [multipart_create(1, boundary, boundary)])
        export_cassette(canonical_fixture(store, "a", DROPPING), tmp_path / "a.json")
        written.append((tmp_path / "a.json").read_text())
    assert written[0] == written[1]
    assert "a text" not in written[0]
    assert "a name" in written[0]


def test_an_export_of_what_the_rules_cannot_reach_is_refused_and_leaves_the_old_file(store: Store, old: Path) -> None:
    record(store, "a", [exchange(1), multipart_create(2, b"one", b"another")])

    with pytest.raises(LeakError, match="a/2: is not exported: the body of its request is of a multipart type"):
        export_cassette(canonical_fixture(store, "a", DROPPING), old)

    assert only(old.parent) == {"a.json": "old"}
    assert export_cassette(canonical_fixture(store, "a", RULES), old) == 2


# Import


def test_an_import_takes_the_name_inside_the_file(store: Store, file: Path) -> None:
    assert import_fixture(store, file, 5)[0] == "inside"

    assert [(listed.name, listed.begun) for listed in store.listing()] == [("inside", 5)]
    assert list(store.exchanges("inside")) == exchanges(3)


def test_an_import_takes_another_name(store: Store, file: Path) -> None:
    assert import_fixture(store, file, 1, name="other")[0] == "other"

    assert states(store) == {"other": (3, "complete")}
    assert store.open("other", RULES).name == "other"


def test_a_fixture_without_exchanges_is_imported(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"chatproxy": 1, "name": "a", "exchanges": []}')

    import_fixture(store, path, 1)

    assert states(store) == {"a": (0, "complete")}


def test_an_import_is_compiled(store: Store, file: Path) -> None:
    import_fixture(store, file, 1)
    before = store.environment._env.info()["last_txnid"]

    store.open("inside", RULES)

    assert store.environment._env.info()["last_txnid"] == before


def test_an_import_refuses_a_name_that_exists(store: Store, file: Path) -> None:
    record(store, "inside", exchanges(1))

    expected = "^inside: exists; give --replace to replace it or --name for another name$"
    with pytest.raises(CassetteError, match=expected):
        import_fixture(store, file, 1)

    assert states(store) == {"inside": (1, "complete")}


def test_an_import_replaces_where_that_is_wanted(store: Store, file: Path) -> None:
    record(store, "inside", exchanges(1))

    import_fixture(store, file, 1, replace=True)

    assert states(store) == {"inside": (3, "complete")}


def test_an_import_refuses_a_bad_name(store: Store, file: Path) -> None:
    with pytest.raises(CassetteError, match="is no name for a cassette"):
        import_fixture(store, file, 1, name="a/b")


def test_an_import_that_is_interrupted_leaves_nothing(store: Store, file: Path) -> None:
    record(store, "inside", exchanges(1))

    with pytest.raises(KeyboardInterrupt):
        import_fixture(store, file, 1, replace=True, progress=interrupting)

    assert states(store) == {"inside": (1, "complete")}
    import_fixture(store, file, 1, replace=True)
    assert states(store) == {"inside": (3, "complete")}


def test_an_import_that_fails_on_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    path = fixture_of(tmp_path, 3000)
    store = Store(tmp_path / "small", map_size=2**16)
    record(store, "a", exchanges(1))

    for size in (2**16, 2**18, 2**20):  # in the middle of its exchanges, and while it is compiled
        with disk_full_beyond(size), pytest.raises(CassetteError, match="the disk is full"):
            import_fixture(store, path, 1)
        assert states(store) == {"a": (1, "complete")}
        import_fixture(store, path, 1)
        store.drop("inside")
        assert states(store) == {"a": (1, "complete")}
        store.close()
        store = Store(tmp_path / "small")
    store.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no fixture of chatproxy: it is no JSON object"),
        (b"\xff\xfe{}", "is no UTF-8: invalid start byte at byte 0"),
        (b'{"chatproxy": 1, "name": "a"}', "lacks 'exchanges'"),
    ],
)
def test_a_broken_file_is_not_imported(store: Store, tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(CassetteError, match=f"^{path}: {reason}"):
        import_fixture(store, path, 1)

    assert store.listing() == []


def test_a_folder_is_no_fixture(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match=f"^{tmp_path}: cannot be read: Is a directory$"):
        open_document(tmp_path).__enter__()


# What is left out, and what is taken over


def chat(number: int, status: int, text: bytes, abandoned: bool = False, channel: str = CHANNEL) -> Exchange:
    path = f"/v1/Services/{SERVICE}/Channels/{channel}/Messages".encode()
    made = json.dumps({"sid": f"IM{number:032x}", "channel_sid": channel, "index": 0}).encode()
    request = Request("POST", path, (FORM,), b"Body=" + text)
    response = Response(status, b"", JSON_TYPE, made if status == 201 else b"{}")
    moment = number * SECOND
    one = numbered(number, request, response, "https://chat.twilio.com", moment, moment, number - 1, ACCOUNT)
    return replace(one, abandoned=abandoned)


RETRIED = [chat(1, 429, b"a"), chat(2, 503, b"a"), chat(3, 201, b"a"), chat(4, 201, b"b", True), chat(5, 201, b"b")]


def test_an_export_says_what_it_leaves_out_and_why(store: Store) -> None:
    record(store, "a", RETRIED)
    fixture = canonical_fixture(store, "a", RULES)
    assert (fixture.count, fixture.left_out_text) == (4, "; left out: 1 given up by the client and sent again")
    without = canonical_fixture(store, "a", RULES, without_retries=True)
    assert without.left_out_text == f"{fixture.left_out_text}, 2 answered 429 or 503 and sent again"
    record(store, "b", RETRIED[2:3])
    assert canonical_fixture(store, "b", RULES).left_out_text == ""


def test_without_retries_the_rest_replays_as_where_no_attempt_failed(store: Store, tmp_path: Path) -> None:
    record(store, "a", RETRIED)
    fixture = canonical_fixture(store, "a", RULES, without_retries=True)
    assert export_cassette(fixture, tmp_path / "a.json") == 2
    record(store, "a", RETRIED[2:])
    export_cassette(canonical_fixture(store, "a", RULES), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    import_fixture(store, tmp_path / "b.json", 1, name="again")
    assert canonical_fixture(store, "again", RULES, without_retries=True).count == 2


def test_a_file_that_is_written_over_keeps_the_own_values_that_bind_and_variables_lead_to(
    store: Store, tmp_path: Path
) -> None:
    path, other = tmp_path / "a.json", "CH" + "d" * 32
    record(store, "a", [chat(1, 201, b"a")])
    store.note_variables("a", {CHANNEL: "CHANNEL"})
    export_cassette(canonical_fixture(store, "a", RULES), path)
    before = path.read_text()
    record(store, "a", [chat(1, 201, b"a", channel=other)])
    export_cassette(canonical_fixture(store, "a", RULES), path, bind={other: CHANNEL})
    assert path.read_text() == before
    store.note_variables("a", {other: "CHANNEL"})
    export_cassette(canonical_fixture(store, "a", RULES), path)
    assert path.read_text() == before
    path.write_text("<<<<<<<")
    export_cassette(canonical_fixture(store, "a", RULES), path, bind={other: CHANNEL})
    assert path.read_text() == before.replace(CHANNEL, other)
    path.write_text((Path(__file__).parents[1] / "fixture" / "demo-2.json").read_text())
    export_cassette(canonical_fixture(store, "a", RULES), path, bind={other: "CH" + "1".zfill(32)})
    assert path.read_text() == before.replace(CHANNEL, other)
