import re
from base64 import b64encode
from pathlib import Path

import pytest

from chatproxy.cassettes.leak_gate import findings, gate_of, leaks_of, refuse_leaks
from chatproxy.core.errors import CassetteError, LeakError
from chatproxy.core.leaks.gate import Gate

TOKEN = "0f1e2d3c4b5a69780f1e2d3c4b5a6978"
ROOT = Path(__file__).parents[2]


def test_the_credentials_of_the_environment_are_known() -> None:
    environ = {
        "TWILIO_AUTH_TOKEN": "the auth token of ours",
        "TWILIO_API_SECRET": " surrounded by space ",
        "TWILIO_API_KEY_SECRET": "the secret of the key",
        "TWILIO_TEST_PASSWORD": "the-test-password",
        "twilio_auth_token_2": "in lower case of old",
        "TWILIO_TOKEN_TTL": "3600",
        "TWILIO_TOKEN_SID": "SK" + TOKEN,
        "TWILIO_ACCOUNT_SID": "AC" + TOKEN,
        "TWILIO_REGION": "a-region-with-a-long-name",
        "OTHER_TOKEN": "the token of another service",
        "MY_TWILIO_TOKEN": "another token of another service",
    }
    gate = gate_of((re.compile(b"x"),), True, environ)
    assert gate.credentials == {
        b"the auth token of ours",
        b"surrounded by space",
        b"the secret of the key",
        b"the-test-password",
        b"in lower case of old",
    }
    assert (gate.allow, gate.strict) == ((re.compile(b"x"),), True)


def test_a_credential_of_any_bytes_is_known() -> None:
    assert gate_of((), False, {"TWILIO_AUTH_TOKEN": "sixteen-bytes-\udcff."}).credentials == {b"sixteen-bytes-\xff."}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.json"


def test_a_file_is_searched_line_by_line(file: Path) -> None:
    file.write_bytes(b"\xff\r\n" + b64encode(b"a live credential") + f"\n\n to={TOKEN}".encode())
    found = list(leaks_of(file, Gate(frozenset({b"a live credential"}))))
    assert [(leak.line, leak.column, leak.rule) for leak in found] == [
        (2, 1, "known-credential"),
        (4, 5, "twilio-auth-token"),
    ]


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "a\0b", "embedded null byte"),
    ):
        with pytest.raises(CassetteError) as raised:
            list(leaks_of(path, Gate()))
        assert str(raised.value) == f"{path}: cannot be read: {reason}"


def test_a_file_without_leaks_is_not_refused(file: Path) -> None:
    file.write_text("hello")
    refuse_leaks(file, Path("shown.json"), Gate())


def refused(file: Path) -> list[str]:
    with pytest.raises(LeakError) as raised:
        refuse_leaks(file, Path("shown.json"), Gate())
    assert raised.value.exit_code == 5
    return str(raised.value).split("\n")


def test_a_file_with_leaks_is_refused_with_a_line_for_each(file: Path) -> None:
    file.write_text(f'{{"to": "{TOKEN}"}}\n')
    summary, *lines = refused(file)
    assert summary.startswith("shown.json: is not written, for 1 finding; ")
    (line,) = lines
    assert re.fullmatch(
        r"shown\.json:1:9: twilio-auth-token: what looks like a Twilio auth token in 'to' \([0-9a-f]{8}\)", line
    )


@pytest.mark.parametrize(("count", "last"), [(20, "shown.json:20:1: "), (21, "and 1 more"), (50, "and 30 more")])
def test_of_many_leaks_the_first_twenty_are_shown(file: Path, count: int, last: str) -> None:
    file.write_text(f"{TOKEN}\n" * count)
    summary, *lines = refused(file)
    assert f"for {count} findings; " in summary
    assert len(lines) == min(count, 21)
    assert lines[-1].startswith(last)


def test_findings_are_counted_in_words() -> None:
    assert [findings(count) for count in (0, 1, 2)] == ["0 findings", "1 finding", "2 findings"]


def test_the_tail_of_a_sid_that_stands_anywhere_in_a_file_is_no_leak(tmp_path: Path) -> None:
    digits = "0f1e2d3c4b5a69780f1e2d3c4b5a6978"
    file = tmp_path / "tails.txt"
    file.write_text(f"ref {digits}\nsid CA{digits}\n")
    assert list(leaks_of(file, Gate())) == []
    file.write_text(f"ref {digits}\nsid CA{digits[::-1]}\n")
    assert [leak.line for leak in leaks_of(file, Gate())] == [1]


@pytest.mark.parametrize("path", sorted((ROOT / "cassettes").glob("*.json")), ids=lambda path: path.name)
def test_the_cassettes_that_are_shared_have_no_leaks(path: Path) -> None:
    assert list(leaks_of(path, Gate(strict=True))) == []
