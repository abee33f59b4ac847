"""No request keeps others waiting, whatever it holds: hostile ones against a process, with another request beside."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from integration.asking import FORM, MESSAGES, ask, basic
from integration.processes import Server, Workplace
from integration.raw_http import raw_upstream

pytestmark = pytest.mark.process

LARGE = 15 * 2**20
LONGEST = 4.0
"""Seconds; on a machine that does nothing else it is less than one, and it was 10 to 23."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TYPES = {"form": FORM, "json": "application/json", "text": "text/plain", "multipart": "multipart/form-data; boundary=b"}
PART = b'--b\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n'
BODIES: dict[str, tuple[str, bytes]] = {
    "backslashes": ("json", b"\\" * LARGE),
    "escaped percent signs": ("form", b"%25" * (LARGE // 3)),
    "escapes in a value": ("form", b"Body=" + b"%30" * (LARGE // 3)),
    "100,000 names": ("form", b"&".join(b"a%d=%d" % (nth, nth) for nth in range(100_000))),
    "one name again and again": ("form", b"From=system&" * (LARGE // 12)),
    "100,000 SIDs": ("form", b"Body=" + b",".join(b"CH%032x" % nth for nth in range(100_000))),
    "as many JSON values as fit": ("json", b"[" + b"1," * (LARGE // 2) + b"1]"),
    "brackets": ("form", b"Attributes=" + b"[" * LARGE),
    "floats": ("json", b"[" + b"1.5e3," * (LARGE // 6) + b"1]"),
    "parts": ("multipart", b"".join(PART % nth for nth in range(100_000)) + b"--b--"),
    "parameters of a part": (
        "multipart",
        PART % 1 + b"--b\r\nContent-Disposition: form-data" + b"; a=b" * (LARGE // 5),
    ),
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    place = Workplace(tmp_path_factory.mktemp("delay"))
    with raw_upstream() as upstream:
        upstream.answers |= {MESSAGES: [OK]}
        with place.record("seen", upstream.origin) as recorder:
            assert ask(recorder.url, "POST", MESSAGES, {"Body": "a", "From": "b"}, headers=basic()).status == 200
        with place.replay("seen") as replaying, place.record("hostile", upstream.origin) as recording:
            yield {"replay": replaying, "record": recording}


@pytest.mark.parametrize("mode", ["replay", "record"])
@pytest.mark.parametrize("what", BODIES)
def test_no_request_keeps_another_waiting(servers: dict[str, Server], what: str, mode: str) -> None:
    server, (media_type, body) = servers[mode], BODIES[what]
    headers = basic() | {"Content-Type": TYPES[media_type]}
    waited = []
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, server.url, "POST", MESSAGES, headers=headers, body=body)
        while not answer.done():
            begin = time.monotonic()
            assert ask(server.url, "GET", "/__chatproxy/health").status == 200
            waited.append(time.monotonic() - begin)
    assert answer.result().status == {"replay": 424, "record": 200}[mode]
    assert max(waited) < LONGEST


def test_a_pattern_that_could_take_for_ever_is_none_in_the_settings(tmp_path: Path) -> None:
    rules = '[{"pattern": "(a*)*\\\\1", "replace": ""}]'
    said = Workplace(tmp_path).run("replay", "none", "--scrub", rules, status=2)
    assert "rule 1: '(a*)*\\\\1' can take for ever: write it without repetitions that overlap" in said
