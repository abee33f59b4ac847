import json
from pathlib import Path

from cli.commands import DEMO, REFERENCE, chatproxy


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
    assert made.stdout == "chatproxy: merged 2 cassettes into both, 18 exchanges\n"
    assert len(chatproxy("show", "both", cwd=tmp_path).stdout.splitlines()) == 19
    refused = chatproxy("merge", "both", DEMO, cwd=tmp_path)
    assert (refused.returncode, "both: exists; give --replace" in refused.stderr) == (1, True)
    assert chatproxy("merge", "both", DEMO, "--replace", cwd=tmp_path).returncode == 0
    assert chatproxy("export", "both", "both.json", cwd=tmp_path).returncode == 0
    assert (tmp_path / "both.json").read_text().replace('"both"', '"demo"') == DEMO.read_text()
