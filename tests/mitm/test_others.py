from pathlib import Path

import pytest
from mitmproxy.http import Headers
from mitmproxy.test import tflow, tutils
from servers import settings

from chatproxy.core.model import Mode
from chatproxy.mitm.options import Choice
from chatproxy.mitm.others import passes, refusal


@pytest.mark.parametrize(
    ("mode", "others", "expected"),
    [
        (Mode.REPLAY, None, False),
        (Mode.RECORD, None, True),
        (Mode.AUTO, None, True),
        (Mode.REPLAY, "pass", True),
        (Mode.RECORD, "refuse", False),
        (Mode.REPLAY, frozenset({"a.test"}), True),
        (Mode.RECORD, frozenset({"b.test"}), False),
        (Mode.RECORD, frozenset(), True),
        (Mode.REPLAY, frozenset(), False),
    ],
)
def test_other_hosts_pass_by_the_setting_and_else_in_a_recording(
    tmp_path: Path, mode: Mode, others: object, expected: bool
) -> None:
    choice = Choice(mode, "c", settings(tmp_path, others=others))
    assert passes(choice, "A.test") is expected
    assert not passes(choice, "x.a.test") or others in {None, "pass", frozenset()}


@pytest.mark.parametrize(
    ("method", "scheme", "port", "target"),
    [
        ("CONNECT", "", 443, b"a.test"),
        ("CONNECT", "", 8443, b"a.test:8443"),
        ("GET", "http", 80, b"http://a.test"),
        ("POST", "http", 81, b"http://a.test:81"),
    ],
)
def test_a_refusal_tells_of_the_host_and_of_nothing_else_that_was_asked(
    method: str, scheme: str, port: int, target: bytes
) -> None:
    asked = tutils.treq(
        method=method.encode(),
        scheme=scheme.encode(),
        host="a.test",
        port=port,
        path=b"/v1?Token=the-secret",
        headers=Headers(((b"A", b"b"),)),
    )
    error, request = refusal(tflow.tflow(req=asked))
    assert (error.status, request.method, request.target) == (403, method, target)
    assert request.headers == ((b"A", b"b"),)
    assert "(--others a.test, or pass)" in str(error)
    assert "secret" not in str(error)
