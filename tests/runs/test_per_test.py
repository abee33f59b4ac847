from contextlib import closing
from pathlib import Path

import pytest
from integration.asking import ask
from servers import settings

from chatproxy.runs.attempt import RecordMode, subject_of
from chatproxy.runs.per_test import Proxied
from chatproxy.serve.hosting import Background

PATH = "/v1/Services/IS0123456789abcdef0123456789abcdef/Channels/general/Messages"


@pytest.mark.parametrize("exists", [False, True])
def test_a_miss_is_told_with_the_file_whether_it_is_there_and_what_records_it(tmp_path: Path, exists: bool) -> None:
    file = Path(__file__).parents[2] / "cassettes" / "reference.json" if exists else tmp_path / "gone.json"
    subject = subject_of(str(file), settings(tmp_path))
    with closing(Background()) as background:
        proxied = Proxied(
            subject,
            RecordMode.NONE,
            settings(tmp_path),
            session="one",
            background=background,
            recorded_by=lambda mode: f"COMMAND --mode={mode}",
        )
        assert proxied.trouble() is None
        assert ask(proxied.url, "GET", PATH).status == 424
        proxied.close(passed=False, report=False)
    first, *_, last = (proxied.trouble() or "").split("\n")
    assert first == f"{subject.shown}: 1 missed request"
    if exists:
        assert f"\n{subject.shown} is there\n" in (proxied.trouble() or "")
        assert last == "if the test is to ask otherwise, COMMAND --mode=rewrite records it anew"
    else:
        assert last == f"{subject.shown} is not there: COMMAND --mode=once records it"


def test_a_program_is_led_to_the_proxy_directly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "example.org")
    with closing(Background()) as background:
        proxied = Proxied(
            subject_of(str(tmp_path / "gone.json"), settings(tmp_path)),
            RecordMode.NONE,
            settings(tmp_path),
            session="one",
            background=background,
            recorded_by=str,
        )
        environ = proxied.environment()
        assert environ["CHATPROXY_URL"] == proxied.url
        assert environ["NO_PROXY"] == environ["no_proxy"] == "example.org,localhost,127.0.0.1,::1"
        proxied.close(passed=True, report=False)
