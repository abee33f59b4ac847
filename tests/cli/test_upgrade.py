from pathlib import Path

from cli.commands import DEMO, chatproxy
from fixture.mutations import OLD_FILES


def test_the_command_says_what_became_of_each_file_and_what_to_write_now(tmp_path: Path) -> None:
    for name, text in zip(("one.json", "two.json"), OLD_FILES, strict=True):
        (tmp_path / name).write_text(text)
    (tmp_path / "three.json").write_text(DEMO.read_text())
    one, live = "0" * 31 + "1", "CH" + "f" * 32
    (tmp_path / "chatproxy.toml").write_text(f'keep = ["RQ", "IM{one}"]\nbind = {{ {live} = "CH{one}" }}\n')
    done = chatproxy("upgrade", "one.json", "two.json", "three.json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    mark = "ca765a4cadaca3670000000000000001"
    assert done.stdout.splitlines() == [
        "chatproxy: upgraded one.json from version 1 to 3, 5 exchanges",
        "chatproxy: upgraded two.json from version 2 to 3, 13 exchanges",
        *(f"in bind and keep, write {prefix}{mark} for {prefix}{one}" for prefix in ("AC", "CH", "IS")),
        f'bind = {{ {live} = "CH{mark}" }}',
        f'keep = ["IM{mark}"]',
        "chatproxy: three.json is of version 3 already, and is as it was",
    ]


def test_a_folder_is_upgraded_whole(tmp_path: Path) -> None:
    (tmp_path / "cassettes" / "deep").mkdir(parents=True)
    for name, text in zip(("one.json", "deep/two.json"), OLD_FILES, strict=True):
        (tmp_path / "cassettes" / name).write_text(text)
    done = chatproxy("upgrade", "cassettes", cwd=tmp_path)
    upgraded = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("chatproxy: upgraded")]
    assert upgraded == ["cassettes/deep/two.json", "cassettes/one.json"]


def test_a_file_that_cannot_be_read_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    done = chatproxy("upgrade", "bad.json", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("chatproxy: bad.json: is no JSON")
