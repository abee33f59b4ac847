"""The documents for those who change the code name what is there; and what CI and pre-commit read is as it says.

In backquotes, ``core/engine.py`` is a path, from the package or from the root; ``tests/test_docs.py::test_x`` is a
test; and ``Mode`` of ``core/model.py``, or behind it and a colon, is a name in that file.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from architecture import MODULES

from chatproxy import __version__
from chatproxy.core.credentials import blanking
from chatproxy.core.products import edge_headers

ROOT = Path(__file__).parents[1]
PAGES = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ".github/pull_request_template.md"]
YAML = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in (".*.yaml", ".github/**/*.yml")
    for path in ROOT.glob(pattern)
)  # fmt: skip

_PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|yml|yaml|json)")
_WORDS = r"((?:`\w+`(?:, | and )?)+)"
_NAMES = re.compile(rf"{_WORDS} of `([\w/.]+\.py)`|`([\w/.]+\.py)`: {_WORDS}")


def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def quoted(document: str) -> list[str]:
    """Return what stands in backquotes outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", document, flags=re.DOTALL | re.MULTILINE))


def place(path: str) -> Path:
    """Return the place of a path that is told from the package or from the root."""
    inside = ROOT / "chatproxy" / path
    return inside if inside.exists() else ROOT / path


def missing(document: str) -> Iterator[str]:
    """Yield the paths, tests and names of a document that are nowhere."""
    for one in quoted(document):
        path, _, test = one.partition("::")
        path = path.partition(" ")[0]
        if not _PATH.fullmatch(path) or path in MADE_BY_USERS:
            continue
        file = place(path)
        if not (file.is_dir() if path.endswith("/") else file.exists()) or (test and not has_test(file, test)):
            yield one
    for found in _NAMES.finditer(document):
        names, path = (found[1], found[2]) if found[1] else (found[4], found[3])
        content = place(path).read_text("utf-8") if place(path).exists() else ""
        yield from (
            f"{name} of {path}" for name in re.findall(r"\w+", names.replace(" and ", " ")) if name not in content
        )


def has_test(file: Path, test: str) -> bool:
    return re.search(rf"^(?:async )?def {test}\(", file.read_text("utf-8"), re.MULTILINE) is not None


MADE_BY_USERS = {"chatproxy.toml", "request.http"}


@pytest.mark.parametrize("page", PAGES)
def test_paths_tests_and_names_are_there(page: str) -> None:
    assert list(missing(text(page))) == []


@pytest.mark.parametrize(
    "planted",
    [
        "`core/gone.py`",
        "`gone/`",
        "`GONE.md`",
        "`tests/test_docs.py::test_gone`",
        "`scripts/gone --flag`",
        "`Gone` of `core/model.py`",
        "`Mode`, `Gone` of `core/model.py`",
        "`core/model.py`: `Gone`",
        "`Mode` and `Gone` of `core/model.py`",
    ],
)
def test_what_is_nowhere_is_found(planted: str) -> None:
    assert len(list(missing(f"a {planted} b"))) == 1


def test_what_is_there_is_taken() -> None:
    named = "`Mode` of `core/model.py`, `core/`, `tests/test_docs.py::test_links_lead_somewhere`, `README.md`"
    assert list(missing(named)) == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", text(page)):
        assert link.startswith("https://") or ((ROOT / page).parent / link).exists(), link


def test_the_map_has_every_folder() -> None:
    named = quoted(text("ARCHITECTURE.md").partition("## Code map")[2].partition("\n## ")[0])
    folders = {module.folder.removeprefix("chatproxy").strip("/") for module in MODULES} - {"", "core"}
    assert sorted(one.strip("/") for one in named if one.endswith("/")) == sorted(folders)


def test_the_architecture_fits_two_pages() -> None:
    assert len(text("ARCHITECTURE.md").split("\n")) <= 150


def test_no_text_of_the_package_names_a_document_that_is_not_packaged() -> None:
    assert [(module.path, found) for module in MODULES for found in unpackaged(module.texts)] == []
    assert unpackaged(["see docs/run.md", "README has it", "in examples/x", "CHANGELOG.md"]) != []
    assert unpackaged(["https://www.twilio.com/docs/api/errors/1.md", "cassettes/a.json", "a file"]) == []


def unpackaged(texts: list[str]) -> list[str]:
    """Return what in these texts reads like the name of a document; an installed package has none."""
    without_links = [re.sub(r"https?://\S+", "", one) for one in texts]
    documents = re.compile(r"\b(?:docs|examples|scripts|tests)/\w|README|CONTRIBUTING|CHANGELOG|\w\.md\b")
    return [one for one in without_links if documents.search(one)]


def test_the_wheel_has_the_package_alone() -> None:
    built = tomllib.loads(text("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert built == {"only-include": ["chatproxy", "chatproxy_replay.py"]}


_INSTALLS = re.compile(
    r"\b(?:install|add|inject|download|uvx|pipx run|(?<=--)with)\b[^\n;&|`#]*?(?<![\w.:/=+-])chatproxy(?![\w./:=-])"
    r"|(?<![\w./-])chatproxy\[[a-z]"
    r"|^ *[\"']?chatproxy *(?:[=<>~!]=|[<>@])"
)
"""Where a line installs, or requires, the distribution chatproxy."""


def to_install(content: str) -> list[str]:
    """Return the lines of a text that tell to install another's package: ours has another name on PyPI."""
    return [line for line in content.split("\n") if _INSTALLS.search(line)]


def written() -> Iterator[Path]:
    """Yield the files of text that people read or tools follow, those aside that hold what such lines look like."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [one for one in folders if (one[0] not in "._" and one != "node_modules") or one == ".github"]
        for path in (Path(folder, file) for file in files):
            if path.suffix in {".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ""} and path != Path(__file__):
                yield path


def test_nobody_is_told_to_install_anothers_package() -> None:
    told = {path: to_install(path.read_text("utf-8", "replace")) for path in written()}
    assert len(told) > 300
    assert {str(path): lines for path, lines in told.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "pip install chatproxy",
        "python -m pip install --upgrade chatproxy pytest",
        "`pip install 'chatproxy[pytest]'` adds",
        "uv add chatproxy",
        "poetry add --group dev chatproxy",
        "pipx install chatproxy",
        "uvx chatproxy replay x",
        "uv run --with chatproxy chatproxy replay x",
        'test = ["chatproxy[pytest,twilio]"]',
        "chatproxy==0.0.1",
        '    "chatproxy>=0.1",',
        'command: sh -c "pip install chatproxy && chatproxy replay /x.json"',
    ],
)
def test_lines_that_install_anothers_package_are_found(line: str) -> None:
    assert to_install(line) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "pip install 'chatproxy-replay[pytest]'",
        "pip install /wheels/*.whl && chatproxy replay x.json",
        "pip install wheels/chatproxy_replay-0.1.0.whl",
        "pip uninstall chatproxy",
        "scripts/install",
        "who installs it runs `chatproxy demo`",
        "scripts/install: in .venv/bin/chatproxy",
    ],
)
def test_lines_that_install_this_package_are_left(line: str) -> None:
    assert to_install(line) == []


def test_no_project_requires_anothers_package() -> None:
    for path in (ROOT / "pyproject.toml", *ROOT.glob("examples/*/pyproject.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        lists = [
            content["project"]["dependencies"],
            *content["project"].get("optional-dependencies", {}).values(),
            *content["dependency-groups"].values(),
        ]
        names = {re.split(r"[^\w.-]", one)[0] for required in lists for one in required}
        assert "chatproxy" not in names, path
    assert tomllib.loads(text("pyproject.toml"))["project"]["name"] == "chatproxy-replay"


def test_what_an_error_says_to_install_is_what_an_extra_requires() -> None:
    extras = tomllib.loads(text("pyproject.toml"))["project"]["optional-dependencies"]
    required = [one for names in extras.values() for one in names]
    said = [
        found[1] for module in MODULES for one in module.texts if (found := re.search("pip install '([^']+)'", one))
    ]
    assert len(said) >= 4
    assert set(said) <= set(required)


def test_the_changelog_knows_the_version() -> None:
    heads = re.findall(r"^## \[?([^\]\s]+)", text("CHANGELOG.md"), re.MULTILINE)
    assert heads[0] == "Unreleased"
    assert heads[1:2] in ([], [__version__])


@pytest.mark.parametrize("path", YAML)
def test_yaml_is_read(path: str) -> None:
    assert yaml.safe_load(text(path))


def workflow() -> Any:
    return yaml.safe_load(text(".github/workflows/tests.yml"))


def test_the_workflow_calls_scripts_alone_with_the_python_of_the_matrix() -> None:
    jobs = workflow()["jobs"]
    assert {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()} == {
        "tests": ["scripts/test ${{ matrix.arguments }}"],
        "thorough": ["scripts/test --thorough"],
    }
    for job in jobs.values():
        assert job["env"]["PYTHON"].startswith("python")
    assert os.access(ROOT / "scripts" / "test", os.X_OK)


def test_the_workflow_runs_on_every_python_that_is_declared() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    said = [found[1] for line in project["classifiers"] if (found := re.search(r"Python :: (3\.\d+)$", line))]
    tested = workflow()["jobs"]["tests"]["strategy"]["matrix"]["python"]
    assert tested[0] == project["requires-python"].removeprefix(">=")
    assert set(said) <= set(tested)


def test_the_workflow_measures_coverage_on_the_first_python_alone() -> None:
    matrix = workflow()["jobs"]["tests"]["strategy"]["matrix"]
    for_all, first = matrix["include"]
    assert for_all["arguments"].split()[0].startswith("--")
    assert first == {"python": matrix["python"][0], "arguments": ""}


def test_forms_for_issues_ask_for_what_is_needed() -> None:
    bug = yaml.safe_load(text(".github/ISSUE_TEMPLATE/bug.yml"))
    labels = [item["attributes"]["label"] for item in bug["body"] if item["type"] != "markdown"]
    assert labels == ["Version", "Command", "What came", "What was to come", "What chatproxy explain says"]
    assert "private data" in bug["body"][0]["attributes"]["value"]
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text("utf-8"))
        assert form.keys() <= {"name", "description", "labels", "body"}
        ids = [item["id"] for item in form["body"] if item["type"] != "markdown"]
        assert len(set(ids)) == len(ids)


def test_hooks_call_what_is_there() -> None:
    (local,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    assert [hook["entry"] for hook in local["hooks"]] == ["scripts/check", ".venv/bin/chatproxy check"]
    (offered,) = yaml.safe_load(text(".pre-commit-hooks.yaml"))
    assert (offered["entry"], offered["language"]) == ("chatproxy check", "python")
    recordings = [path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").rglob("cassettes/**/*.json")]
    for hook in (local["hooks"][1], offered):
        pattern = re.compile(hook["files"])
        assert recordings
        assert all(pattern.search(path) for path in ["cassettes/demo.json", *recordings])
        assert not pattern.search("tests/cassettes/test_names.py")


def test_headers_that_are_never_stored_are_named() -> None:
    """Where users read what is never stored."""
    for word in blanking._CREDENTIAL.pattern.decode().replace("?", "").split("|"):
        assert f"`{word}`" in text("docs/security.md"), word


def test_headers_that_tell_nothing_are_named() -> None:
    """Where users read what fixtures and comparisons leave out."""
    fixtures, review = text("docs/fixtures.md").lower(), text("docs/review.md").lower()
    for name in edge_headers.FIXED:
        assert f"`{name.decode()}`" in fixtures, name
    for name in edge_headers.VOLATILE:
        assert f"`{name.decode()}`" in review, name
    for prefix in edge_headers.FIXED_PREFIXES:
        assert f"`{prefix.decode()}*`" in fixtures
        assert f"`{prefix.decode()}*`" in review
