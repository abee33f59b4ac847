"""The shape of the code: which part may import what, that each module has its test file, and that both stay small.

All is read from the sources, so a new file is held to the rules from its first day. The checks are in
``architecture.py``; here are the rules, and for each that its check finds what is planted.
"""

import sys

from architecture import (
    MODULES,
    ROOT,
    Module,
    circles,
    foreign,
    full_folders,
    impure,
    long_files,
    outgoing,
    read,
    undeclared,
    unlisted,
    unmirrored,
    upward,
)

TESTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))

LAYERS = [
    {"core", "environment", "clock", "outside"},
    {"files", "upstream", "config", "store", "fixture", "sandbox", "show", "testing"},
    {"cassettes", "checks"},
    {"wiring"},
    {"serve"},
    {"runs", "demo", "pytest_options"},
    {"cli", "mitm", "pytest_plugin"},
    {"addon", "__main__"},
]
"""Each part imports only what stands before it; parts of one layer do not know each other."""

CORE_LAYERS = [
    {"text", "errors", "products"},
    {"model"},
    {"http"},
    {"twilio"},
    {"scrubbing"},
    {"matching"},
    {"credentials", "timeline"},
    {"leaks", "record"},
    {"time"},
    {"answers"},
    {"cassette"},
    {"replay", "sharing"},
    {"engine", "review"},
    {"report"},
]
"""The wings of the core, likewise."""

CORE_MAY_IMPORT = {
    "array",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "contextlib",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "http",
    "itertools",
    "json",
    "operator",
    "re",
    "struct",
    "typing",
    "urllib.parse",
    "zlib",
}
"""Of the standard library, what neither reads nor writes nor waits; ``http`` for its names of statuses only."""

ONLY_IN = {
    "aiohttp": {"upstream", "sandbox", "serve"},
    "certifi": {"runs"},
    "click": {"cli"},
    "lmdb": {"store"},
    "mitmproxy": {"mitm"},
    "multidict": {"upstream"},
    "openapi_schema_validator": {"checks"},
    "orjson": {"fixture", "serve"},
    "pytest": {"pytest_options", "pytest_plugin"},
    "twilio": {"demo", "testing"},
    "uvloop": {"serve"},
    "yarl": {"upstream"},
}
"""Foreign packages, and the parts that may import them."""

TESTED_ELSEWHERE = {
    "chatproxy/__main__.py": "run as `python -m chatproxy` by tests/integration/processes.py",
    "chatproxy/mitm/__main__.py": "run as a process by tests/runs/test_intercept.py",
    "chatproxy/pytest_options.py": "run within pytest by tests/plugin/",
    "chatproxy/pytest_plugin.py": "run within pytest by tests/plugin/",
}
"""Modules without a test file of their own, and what tests them."""

OF_THE_WHOLE = {
    "tests/core/leaks/test_rates.py": "the leak gate as a whole: how often it is wrong",
    "tests/core/time/test_cursors.py": "recording, ranks and a session together: programs that compare dates",
    "tests/integration/": "the parts together: processes, clients, crashes",
    "tests/laws/": "the laws of replay, on random programs against an upstream of the tests' own",
    "tests/plugin/": "pytest with the plugin, as a user runs it",
    "tests/test_architecture.py": "the sources",
    "tests/test_bench.py": "scripts/benchmarks",
    "tests/test_chatproxy_replay.py": "chatproxy_replay.py, beside the package",
    "tests/test_conftest.py": "what holds for all tests",
    "tests/test_docs.py": "README and docs/",
    "tests/test_documents.py": "the documents for those who change the code, and what CI and pre-commit read",
    "tests/test_example.py": "examples/notices",
    "tests/test_shared_cassettes.py": "cassettes/",
    "tests/sandbox/test_hostile.py": "the sandbox as a whole, under requests that mean no good",
    "tests/sandbox/test_openapi.py": "the sandbox as a whole, against Twilio's OpenAPI document",
}
"""Test files, and folders of such, that test more than one module, and what they test."""

MOST_LINES = 300
MOST_MODULES = 25

LONG: dict[str, int] = {}
"""Modules with more lines, and how many they may have."""


def of_the_whole(path: str) -> bool:
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in OF_THE_WHOLE)


def planted(path: str, text: str) -> list[Module]:
    """Return the modules with one more, or with another text for one."""
    return [*(module for module in MODULES if module.path != path), Module(path, text)]


def test_a_part_imports_only_what_stands_before_it() -> None:
    assert upward(MODULES, "chatproxy", LAYERS) == []
    assert upward(planted("chatproxy/store/new.py", "from chatproxy.serve.wire import x"), "chatproxy", LAYERS) == [
        "chatproxy/store/new.py imports chatproxy.serve"
    ]
    beside = planted("chatproxy/show/new.py", "def late():\n    import chatproxy.fixture.reader\n")
    assert upward(beside, "chatproxy", LAYERS) == ["chatproxy/show/new.py imports chatproxy.fixture"]


def test_a_wing_of_the_core_imports_only_what_stands_before_it() -> None:
    assert upward(MODULES, "chatproxy.core", CORE_LAYERS) == []
    up = planted("chatproxy/core/text/new.py", "from chatproxy.core.model import Request")
    assert upward(up, "chatproxy.core", CORE_LAYERS) == ["chatproxy/core/text/new.py imports chatproxy.core.model"]
    up = planted("chatproxy/core/new.py", "from chatproxy.core.engine import Engine")
    assert undeclared(up, "chatproxy.core", CORE_LAYERS) == ["chatproxy.core.new"]


def test_every_part_and_wing_has_its_layer() -> None:
    assert undeclared(MODULES, "chatproxy", LAYERS) == []
    assert undeclared(MODULES, "chatproxy.core", CORE_LAYERS) == []
    assert undeclared(planted("chatproxy/attic/box.py", ""), "chatproxy", LAYERS) == ["chatproxy.attic"]
    assert undeclared(MODULES, "chatproxy", [*LAYERS, {"gone"}, {"core"}]) == ["chatproxy.core", "chatproxy.gone"]


def test_no_imports_go_in_a_circle() -> None:
    assert circles(MODULES) == []
    two = planted("chatproxy/core/text/json_text.py", "from chatproxy.core.text.a import x")
    two.append(Module("chatproxy/core/text/a.py", "def late():\n    from chatproxy.core.text.json_text import y\n"))
    assert circles(two) == [
        "chatproxy.core.text.a -> chatproxy.core.text.json_text -> chatproxy.core.text.a",
    ]
    folders = planted("chatproxy/config/new.py", "from chatproxy.serve.wire import x")
    (circle,) = circles(folders)
    assert "chatproxy.config -> chatproxy.serve" in circle or "chatproxy.serve -> chatproxy.config" in circle


def test_the_core_does_no_io() -> None:
    assert impure(MODULES, "chatproxy.core", CORE_MAY_IMPORT) == []
    bad = planted("chatproxy/core/new.py", "import os\nfrom http.client import HTTPConnection\nopen('file')\n")
    assert impure(bad, "chatproxy.core", CORE_MAY_IMPORT) == [
        "chatproxy/core/new.py imports os",
        "chatproxy/core/new.py imports http.client.HTTPConnection",
        "chatproxy/core/new.py calls open",
    ]


def test_the_allowed_modules_are_of_the_standard_library() -> None:
    assert {allowed.split(".")[0] for allowed in CORE_MAY_IMPORT} <= sys.stdlib_module_names


def test_a_foreign_package_is_imported_by_its_own_parts_only() -> None:
    assert foreign(MODULES, ONLY_IN) == []
    bad = planted("chatproxy/serve/new.py", "import click\nimport numpy.linalg\n")
    assert foreign(bad, ONLY_IN) == ["chatproxy/serve/new.py imports click", "chatproxy/serve/new.py imports numpy"]
    used = {dotted.split(".")[0] for module in MODULES for dotted in module.imports}
    assert used >= ONLY_IN.keys()


def test_only_upstream_goes_out() -> None:
    assert outgoing(MODULES, {"chatproxy/upstream.py"}) == []
    assert outgoing(MODULES, set()) != []
    bad = planted("chatproxy/serve/new.py", "from urllib.request import urlopen")
    assert outgoing(bad, {"chatproxy/upstream.py"}) == ["chatproxy/serve/new.py has urlopen"]


def test_only_one_module_imports_lmdb() -> None:
    assert [module.path for module in MODULES if "lmdb" in module.imports] == ["chatproxy/store/environment.py"]


def test_tests_mirror_the_modules() -> None:
    paths = [module.path for module in MODULES]
    assert unmirrored(paths, TESTS, TESTED_ELSEWHERE, of_the_whole) == []
    assert unmirrored([*paths, "chatproxy/show/new.py"], TESTS, TESTED_ELSEWHERE, of_the_whole) == [
        "there is no tests/show/test_new.py"
    ]
    assert unmirrored(paths, [*TESTS, "tests/show/test_new.py"], TESTED_ELSEWHERE, of_the_whole) == [
        "tests/show/test_new.py has no module"
    ]
    assert unmirrored(paths, TESTS, {**TESTED_ELSEWHERE, "chatproxy/gone.py": ""}, of_the_whole) == [
        "chatproxy/gone.py is no module"
    ]


def test_what_tests_more_than_one_module_is_there() -> None:
    assert [path for path in OF_THE_WHOLE if not any(test.startswith(path) for test in TESTS)] == []


def test_a_module_is_short() -> None:
    assert long_files(MODULES, MOST_LINES, LONG) == []
    assert long_files([Module("a.py", "\n" * 301)], MOST_LINES, {}) == ["a.py has 301 lines"]
    assert long_files([Module("a.py", "\n" * 300)], MOST_LINES, {"a.py": 400}) == ["a.py needs no excuse"]


def test_a_folder_is_small() -> None:
    assert full_folders(MODULES, MOST_MODULES) == []
    assert full_folders([Module(f"a/{number}.py", "") for number in range(26)], MOST_MODULES) == ["a has 26 modules"]


def test_a_folder_says_what_it_is_and_lists_what_it_has() -> None:
    assert unlisted(MODULES) == []
    added = planted("chatproxy/show/new.py", "")
    assert [line.partition(":")[0] for line in unlisted(added)] == ["chatproxy/show/__init__.py"]
    dumb = planted("chatproxy/show/__init__.py", '"""show."""')
    assert {line.split(" ")[0].rstrip(":") for line in unlisted(dumb)} == {"chatproxy/show/__init__.py"}


def test_the_parts_are_listed_in_the_order_of_their_layers() -> None:
    for path, layers in (("chatproxy/__init__.py", LAYERS), ("chatproxy/core/__init__.py", CORE_LAYERS)):
        names = read(next(module for module in MODULES if module.path == path))
        places = [next(place for place, layer in enumerate(layers) if name in layer) for name in names]
        assert places == sorted(places), path
