import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cli.commands import DEMO, REFERENCE, chatproxy
from integration.asking import ask
from integration.processes import Workplace
from store.stores import exchanges, on_small_disk

from chatproxy.store import Existing, Recording, Store


def test_a_cassette_goes_in_and_comes_out_the_same(tmp_path: Path) -> None:
    assert chatproxy("list", cwd=tmp_path).stdout == "chatproxy: no cassettes in .chatproxy\n"
    imported = chatproxy("import", REFERENCE, cwd=tmp_path)
    assert imported.stdout == f"chatproxy: imported {REFERENCE} as reference, 5 exchanges\n"
    listed = chatproxy("list", cwd=tmp_path).stdout.splitlines()
    assert listed[0].split() == ["NAME", "EXCHANGES", "BEGUN", "STATE"]
    assert listed[1].split()[:2] == ["reference", "5"]
    exported = chatproxy("export", "reference", "--exact", cwd=tmp_path)
    assert exported.stdout == "chatproxy: exported reference to cassettes/reference.json, 5 exchanges\n"
    assert (tmp_path / "cassettes/reference.json").read_bytes() == REFERENCE.read_bytes()


def test_an_import_refuses_a_name_that_exists_unless_told_to_replace_it(tmp_path: Path) -> None:
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    refused = chatproxy("import", REFERENCE, cwd=tmp_path)
    assert refused.returncode == 1
    assert "reference: exists; give --replace" in refused.stderr
    assert chatproxy("import", REFERENCE, "--replace", cwd=tmp_path).returncode == 0
    assert chatproxy("import", REFERENCE, "--name", "other", cwd=tmp_path).returncode == 0
    assert chatproxy("export", "other", "o.json", cwd=tmp_path).returncode == 0
    assert json.loads((tmp_path / "o.json").read_text())["name"] == "other"


def test_an_export_that_would_leak_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    leaky = tmp_path / "leaky.json"
    token = "0f1e2d3c4b5a69780f1e2d3c4b5a6978"
    leaky.write_text(REFERENCE.read_text().replace('"Hello"', f'"{token} of alice@corp.com"'))
    assert chatproxy("import", leaky, cwd=tmp_path).returncode == 0
    refused = chatproxy("export", "reference", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (5, "")
    summary, *lines = refused.stderr.rstrip("\n").split("\n")
    assert summary.startswith("chatproxy: cassettes/reference.json: is not written, for ")
    assert {line.split(": ")[1] for line in lines} == {"twilio-auth-token"}
    assert token not in refused.stderr
    assert not (tmp_path / "cassettes").exists()
    assert chatproxy("export", "reference", "--allow", token, "--strict", cwd=tmp_path).returncode == 5
    assert chatproxy("export", "reference", "--allow", token, cwd=tmp_path).returncode == 0
    assert token in (tmp_path / "cassettes/reference.json").read_text()


def test_show_lists_the_exchanges_of_a_name_and_of_a_file_alike(tmp_path: Path) -> None:
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    of_file = chatproxy("show", REFERENCE, cwd=tmp_path).stdout
    assert chatproxy("show", "reference", cwd=tmp_path).stdout == of_file
    lines = of_file.splitlines()
    assert len(lines) == 6
    assert lines[2].split()[0] == "2"
    assert lines[2].split()[2] == "POST"
    assert lines[5].split()[-2:] == ["204", "0"]


def test_bodies_are_shown_of_a_name_and_of_a_file_alike(tmp_path: Path) -> None:
    of_file = chatproxy("show", REFERENCE, "--bodies", cwd=tmp_path).stdout
    assert not (tmp_path / ".chatproxy").exists()
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    assert chatproxy("show", "reference", "--bodies", cwd=tmp_path).stdout == of_file
    assert of_file.startswith("# 1\nGET /v1/")
    assert "\n\n# 2\nPOST /v1/" in of_file
    assert of_file.endswith("\n204 NO CONTENT\n")


def test_cassettes_and_files_are_merged_into_one(tmp_path: Path) -> None:
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    made = chatproxy("merge", "both", "reference", DEMO, cwd=tmp_path)
    assert (made.stdout, made.stderr) == ("chatproxy: merged 2 cassettes into both, 18 exchanges\n", "")
    twice = chatproxy("merge", "twice", "reference", REFERENCE, cwd=tmp_path)
    assert twice.stderr.startswith(f"chatproxy: twice: reference (2, 4, 5) and {REFERENCE} (2, 4, 5) write to /v1/Serv")
    assert twice.stderr.count("\n") == 1
    assert len(chatproxy("show", "both", cwd=tmp_path).stdout.splitlines()) == 19
    refused = chatproxy("merge", "both", DEMO, cwd=tmp_path)
    assert (refused.returncode, "both: exists; give --replace" in refused.stderr) == (1, True)
    assert chatproxy("merge", "both", DEMO, "--replace", cwd=tmp_path).returncode == 0
    assert chatproxy("export", "both", "both.json", cwd=tmp_path).returncode == 0
    assert (tmp_path / "both.json").read_text().replace('"both"', '"demo"') == DEMO.read_text()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose store has two cassettes."""
    for name in ("one", "two"):
        assert chatproxy("import", REFERENCE, "--name", name, cwd=tmp_path).returncode == 0
    return tmp_path


def names(place: Path) -> list[str]:
    return [line.split()[0] for line in chatproxy("list", cwd=place).stdout.splitlines()[1:]]


def on_terminal(place: Path, answers: str, *arguments: str) -> tuple[int, str, str]:
    """Run the command as a person does who types these answers: its status, its output, and what the terminal shows."""
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "chatproxy", *arguments]
    with subprocess.Popen(
        command, cwd=place, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, text=True
    ) as process:
        os.write(keyboard, answers.encode())
        try:
            printed, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    shown = os.read(keyboard, 10_000).decode()
    os.close(terminal)
    os.close(keyboard)
    return process.returncode, printed, shown


def test_a_cassette_is_renamed_and_exported_under_its_new_name(place: Path) -> None:
    done = chatproxy("rename", "one", "first", cwd=place)
    assert done.stdout == "chatproxy: renamed one to first, 5 exchanges\n"
    assert names(place) == ["first", "two"]
    assert chatproxy("export", "first", cwd=place).returncode == 0
    assert json.loads((place / "cassettes" / "first.json").read_text())["name"] == "first"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("one", "two", "two: exists; give another name, or delete it first with `chatproxy rm two`"),
        ("one", "a/b", "a/b: is no name for a cassette: up to 100 letters"),
        ("one", "new.partial", "new.partial: is no name for a cassette"),
        ("three", "four", "three: there is no such cassette"),
    ],
)
def test_a_renaming_is_refused(place: Path, old: str, new: str, message: str) -> None:
    done = chatproxy("rename", old, new, cwd=place)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"chatproxy: {message}")
    assert done.stderr.count("\n") == 1
    assert names(place) == ["one", "two"]


@pytest.mark.process
def test_an_interrupted_recording_is_rescued_and_none_is_touched_while_it_runs(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    with place.sandbox() as upstream, place.record("talk", upstream.url) as recorder:
        messages = f"/v1/Services/IS{'1' * 32}/Channels/general/Messages"
        assert ask(recorder.url, "POST", messages, {"Body": "a"}).status == 201
        for command in (("rename", "talk.partial", "talk"), ("rm", "talk.partial", "--yes")):
            assert place.run(*command, status=1) == "chatproxy: talk: is being recorded; wait for its end\n"
        recorder.process.send_signal(signal.SIGKILL)
        recorder.process.wait()
    assert place.run("rename", "talk.partial", "talk") == "chatproxy: renamed talk.partial to talk, 1 exchange\n"
    with place.replay("talk") as replayer:
        assert ask(replayer.url, "POST", messages, {"Body": "a"}).outcome == "hit"


def test_with_yes_cassettes_are_deleted_without_asking(place: Path) -> None:
    done = chatproxy("rm", "two", "one", "two", "--yes", cwd=place)
    assert done.stdout == "chatproxy: deleted two, 5 exchanges\nchatproxy: deleted one, 5 exchanges\n"
    assert (done.stderr, names(place)) == ("", [])


def test_where_nobody_can_be_asked_nothing_is_deleted_without_yes(place: Path) -> None:
    done = chatproxy("rm", "one", cwd=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "chatproxy: --yes: is needed where nobody can be asked; nothing is deleted\n"
    assert names(place) == ["one", "two"]


def test_all_names_are_looked_at_before_anything_is_deleted(place: Path) -> None:
    done = chatproxy("rm", "one", "three", "--yes", cwd=place)
    assert done.returncode == 1
    assert done.stderr.startswith("chatproxy: three: there is no such cassette")
    assert names(place) == ["one", "two"]


@pytest.mark.process
def test_on_a_terminal_each_cassette_is_asked_about(place: Path) -> None:
    status, printed, shown = on_terminal(place, "\nYES\n", "rm", "one", "two")
    assert (status, printed) == (0, "chatproxy: one is as it was\nchatproxy: deleted two, 5 exchanges\n")
    assert "delete one (5 exchanges)? [y/N] " in shown
    assert "delete two (5 exchanges)? [y/N] " in shown
    assert names(place) == ["one"]


@pytest.mark.process
def test_an_end_of_input_is_no(place: Path) -> None:
    status, printed, _ = on_terminal(place, "\x04", "rm", "one")
    assert (status, printed) == (0, "chatproxy: one is as it was\n")


@pytest.mark.process
def test_an_interrupt_at_the_second_question_deletes_nothing(place: Path) -> None:
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "chatproxy", "rm", "one", "two"]
    with subprocess.Popen(command, cwd=place, stdin=terminal, stderr=terminal) as process:
        os.write(keyboard, b"y\n")
        shown = b""
        while b"two (5 exchanges)?" not in shown:
            shown += os.read(keyboard, 1000)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    os.close(terminal)
    os.close(keyboard)
    assert names(place) == ["one", "two"]


ON_A_FULL_DISK = """
chatproxy() { "$python" -m chatproxy "$@" 2>&1; }
chatproxy import "$fixture" --name one
chatproxy import "$fixture" --name two
cat /dev/zero >large 2>/dev/null
chatproxy import "$fixture" --name three
chatproxy rm one two --yes
chatproxy list
chatproxy import "$fixture" --name three
chatproxy rm --partial
"""


@pytest.mark.process
def test_on_a_full_disk_cassettes_are_deleted_which_makes_room_for_others(tmp_path: Path) -> None:
    done = subprocess.run(
        [*on_small_disk(tmp_path), "sh", "-c", ON_A_FULL_DISK],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"python": sys.executable, "fixture": str(REFERENCE)},
    )
    full = "chatproxy: .chatproxy: cannot grow, the disk is full; "
    printed = done.stdout.splitlines()
    assert printed[2].startswith(full)
    assert [line.replace(str(REFERENCE), "FILE") for line in (*printed[:2], *printed[3:])] == [
        "chatproxy: imported FILE as one, 5 exchanges",
        "chatproxy: imported FILE as two, 5 exchanges",
        "chatproxy: deleted one, 5 exchanges",
        "chatproxy: deleted two, 5 exchanges",
        "chatproxy: no cassettes in .chatproxy",
        "chatproxy: imported FILE as three, 5 exchanges",
        "chatproxy: nothing is left of interrupted recordings in .chatproxy",
    ]


@pytest.fixture
def left(place: Path) -> Path:
    """The folder, with what eleven interrupted recordings of ``one`` and one of ``new`` left."""
    with closing(Store(place / ".chatproxy")) as store:
        for name in (*["one"] * 11, "new"):
            recording = Recording(store, name, Existing.REPLACE, 1)
            recording.put(exchanges(2))
            recording.abandon()
    return place


OF_ONE = ["one.partial", *(f"one.partial-{number}" for number in range(2, 12))]


def test_all_that_interrupted_recordings_left_is_deleted_in_the_order_of_its_numbers(left: Path) -> None:
    assert names(left) == ["new.partial", "one", *OF_ONE, "two"]
    done = chatproxy("rm", "--partial", "--yes", cwd=left)
    assert done.stdout == "".join(f"chatproxy: deleted {name}, 2 exchanges\n" for name in ("new.partial", *OF_ONE))
    assert (done.stderr, done.returncode, names(left)) == ("", 0, ["one", "two"])


def test_what_interrupted_recordings_of_some_names_left_is_deleted(left: Path) -> None:
    done = chatproxy("rm", "--partial", "one", "two", "one", "--yes", cwd=left)
    assert done.stdout == "".join(f"chatproxy: deleted {name}, 2 exchanges\n" for name in OF_ONE)
    assert names(left) == ["new.partial", "one", "two"]


def test_where_interrupted_recordings_left_nothing_one_line_says_so(tmp_path: Path) -> None:
    nothing = "chatproxy: nothing is left of interrupted recordings"
    done = chatproxy("rm", "--partial", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{nothing} in .chatproxy\n", "")
    assert not (tmp_path / ".chatproxy").exists()
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    assert chatproxy("rm", "--partial", cwd=tmp_path).stdout == done.stdout
    done = chatproxy("rm", "--partial", "reference", "other", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{nothing} of reference, other in .chatproxy\n")
    assert names(tmp_path) == ["reference"]


def test_what_interrupted_recordings_left_is_not_deleted_unasked(left: Path) -> None:
    done = chatproxy("rm", "--partial", cwd=left)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "chatproxy: --yes: is needed where nobody can be asked; nothing is deleted\n"
    assert names(left) == ["new.partial", "one", *OF_ONE, "two"]


@pytest.mark.process
def test_on_a_terminal_each_one_left_is_asked_about(left: Path) -> None:
    status, printed, shown = on_terminal(left, "\n" * 10 + "y\n", "rm", "--partial", "one")
    kept = [f"chatproxy: {name} is as it was" for name in OF_ONE[:-1]]
    assert (status, printed.splitlines()) == (0, [*kept, "chatproxy: deleted one.partial-11, 2 exchanges"])
    assert "delete one.partial-11 (2 exchanges)? [y/N] " in shown
    assert names(left) == ["new.partial", "one", *OF_ONE[:-1], "two"]


@pytest.mark.parametrize("name", ["one.partial", "cassettes/one.json"])
def test_what_interrupted_recordings_left_is_named_by_the_whole_name(left: Path, name: str) -> None:
    done = chatproxy("rm", "--partial", name, "--yes", cwd=left)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"chatproxy: {name}: is no name for a cassette: ")
    assert names(left) == ["new.partial", "one", *OF_ONE, "two"]


def test_what_is_left_of_a_name_that_is_being_recorded_is_kept(left: Path) -> None:
    with closing(Store(left / ".chatproxy")) as store:
        lock = store.recording_lock("new")
    assert lock is not None
    refused = chatproxy("rm", "--partial", "new", "one", "--yes", cwd=left)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "chatproxy: new: is being recorded; wait for its end\n"
    done = chatproxy("rm", "--partial", "--yes", cwd=left)
    assert done.stdout.splitlines()[-2:] == [
        "chatproxy: deleted one.partial-11, 2 exchanges",
        "chatproxy: new.partial is kept, new is being recorded",
    ]
    assert names(left) == ["new.partial", "one", "two"]
    lock.release()
    assert chatproxy("rm", "--partial", "--yes", cwd=left).stdout == "chatproxy: deleted new.partial, 2 exchanges\n"


def test_without_a_name_nothing_whole_is_deleted(left: Path) -> None:
    done = chatproxy("rm", "--yes", cwd=left)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "chatproxy: Missing argument 'NAME...', or --partial; `chatproxy rm --help` shows how\n"


@pytest.fixture
def report(place: Path) -> Path:
    """The report of a replay of the cassette ``one``, in which its list was read and a message was missed."""
    work = Workplace(place)
    messages = f"/v1/Services/IS{'a' * 32}/Channels/CH{'a' * 32}/Messages"
    with work.replay("one", "--report", place / "report.json") as replayer:
        assert ask(replayer.url, "GET", messages).outcome == "hit"
        assert ask(replayer.url, "GET", messages + "?PageSize=7").outcome == "miss"
    return place / "report.json"


MISSED = "that run missed 1; what it asked for may be among what is deleted\n"


@pytest.mark.process
def test_a_cassette_is_pruned_by_the_report_of_a_replay(place: Path, report: Path) -> None:
    done = chatproxy("prune", "one", "--report", report, "--yes", cwd=place)
    kept = "1 unused kept because others stand on it"  # the create by which the upstream's clock is known
    assert done.stdout == f"chatproxy: pruned one: 3 of 5 exchanges deleted, {kept}\n"
    assert done.stderr == f"chatproxy: {report}: {MISSED}"
    assert chatproxy("show", "one", cwd=place).stdout.count("\n") == 3
    again = chatproxy("prune", "one", "--report", report, "--yes", cwd=place)
    assert (again.returncode, again.stdout) == (1, "")
    assert "is the report of another recording of 'one'" in again.stderr


@pytest.mark.process
def test_nothing_is_pruned_without_a_yes(place: Path, report: Path) -> None:
    done = chatproxy("prune", "one", "--report", report, cwd=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("--yes: is needed where nobody can be asked; nothing is deleted\n")
    status, printed, shown = on_terminal(place, "n\n", "prune", "one", "--report", str(report))
    assert (status, printed) == (0, "chatproxy: one is as it was\n")
    assert "delete 3 of 5 exchanges of one? [y/N] " in shown
    assert chatproxy("show", "one", cwd=place).stdout.count("\n") == 6


@pytest.mark.process
def test_what_others_stand_on_is_kept_and_counted(place: Path, report: Path) -> None:
    content = json.loads(report.read_text())
    report.write_text(json.dumps(content | {"unused": [2], "totals": {}}))
    done = chatproxy("prune", "one", "--report", report, "--report", report, cwd=place)
    said = "0 of 5 exchanges deleted, 1 unused kept because others stand on it"
    assert (done.stdout, done.stderr) == (f"chatproxy: pruned one: {said}\n", "")


@pytest.mark.process
def test_the_report_of_another_cassette_prunes_nothing(place: Path, report: Path) -> None:
    done = chatproxy("prune", "two", "--report", report, "--yes", cwd=place)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"chatproxy: {report}: is the report of cassette 'one', not of 'two'\n"


def test_without_a_report_nothing_is_pruned(place: Path) -> None:
    done = chatproxy("prune", "one", "--yes", cwd=place, CHATPROXY_REPORT="report.json")
    assert done.returncode == 2
    assert "Missing option '--report'" in done.stderr


def test_an_anonymous_export_does_not_tell_the_recorders_own_sids(tmp_path: Path) -> None:
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    assert chatproxy("export", "reference", "own.json", cwd=tmp_path).returncode == 0
    assert chatproxy("export", "reference", "anonymous.json", "--anonymous", cwd=tmp_path).returncode == 0
    own, anonymous = ((tmp_path / name).read_text() for name in ("own.json", "anonymous.json"))
    assert re.sub(r',\n *"own": "\w+"', "", own) == anonymous
    assert own != anonymous
    both = chatproxy("export", "reference", "--exact", "--anonymous", cwd=tmp_path)
    assert (both.returncode, both.stderr.count("contradicts --exact")) == (2, 1)
