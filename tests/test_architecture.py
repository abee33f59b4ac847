"""The shape of the code: which module may import what, and that each has its test file.

Both are read from the sources, so a new file is held to the rules from its first day.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "chatproxy"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = [
    {"core", "environment", "clock"},
    {"files", "upstream", "config", "store", "fixture", "sandbox", "show", "testing"},
    {"cassettes", "checks"},
    {"wiring"},
    {"serve"},
    {"runs", "demo"},
    {"cli", "mitm", "pytest_plugin"},
    {"addon"},
    {"__main__"},
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
    "base64",
    "binascii",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "http",
    "itertools",
    "json",
    "re",
    "struct",
    "typing",
    "urllib.parse",
    "zlib",
}
"""Of the standard library, what neither reads nor writes nor waits; ``http`` for its names of statuses only."""

ONLY_IN = {
    "lmdb": {"store"},
    "mitmproxy": {"mitm"},
    "pytest": {"pytest_plugin"},
    "twilio": {"demo", "testing"},
    "click": {"cli"},
    "openapi_schema_validator": {"checks"},
    "aiohttp": {"upstream", "sandbox", "serve"},
}
"""Foreign packages, and the parts that may import them."""


def part(path: Path) -> str:
    """Return to which part of the package a file belongs: its folder, or its own name at the top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


modules = pytest.mark.parametrize("path", MODULES, ids=name)


@modules
def test_a_module_imports_only_what_stands_before_it(path: Path) -> None:
    own = "__main__" if path.name == "__main__.py" else part(path)  # what is run may use all there is
    if own == "__init__":
        allowed: set[str] = set()
    else:
        level = next(place for place, layer in enumerate(LAYERS) if own in layer)
        allowed = {own, "__version__"}.union(*LAYERS[:level])
    imported = {dotted.split(".")[1] for dotted in imports(path) if dotted.startswith("chatproxy.")}
    assert imported <= allowed


@pytest.mark.parametrize("path", [path for path in MODULES if part(path) == "core"], ids=name)
def test_the_core_imports_nothing_that_does_io(path: Path) -> None:
    foreign = {dotted for dotted in imports(path) if not dotted.startswith("chatproxy.core.")}
    assert {dotted for dotted in foreign if not _is_allowed(dotted)} == set()


def _is_allowed(dotted: str) -> bool:
    return any(dotted == allowed or dotted.startswith(allowed + ".") for allowed in CORE_MAY_IMPORT) and not any(
        dotted.startswith(banned) for banned in ("http.client", "http.server", "http.cookiejar")
    )


@pytest.mark.parametrize("path", [path for path in MODULES if part(path) == "core"], ids=name)
def test_the_core_opens_nothing_and_prints_nothing(path: Path) -> None:
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"open", "print", "input", "exec", "eval", "__import__"}


@modules
def test_a_foreign_package_is_imported_by_its_own_parts_only(path: Path) -> None:
    foreign = {dotted.split(".")[0] for dotted in imports(path)} & ONLY_IN.keys()
    assert {package for package in foreign if part(path) not in ONLY_IN[package]} == set()


@modules
def test_only_upstream_goes_out(path: Path) -> None:
    names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    imported = {dotted.rpartition(".")[2] for dotted in imports(path)}
    outgoing = {"ClientSession", "TCPConnector", "urlopen", "create_connection", "open_connection"}
    assert part(path) == "upstream" or not (names | imported) & outgoing


def test_only_one_module_imports_lmdb() -> None:
    assert [name(path) for path in MODULES if "lmdb" in set(imports(path))] == ["chatproxy/store/environment.py"]


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.name not in ("__init__.py", "__main__.py", "pytest_plugin.py", "environment.py")],
    ids=name,
)
def test_each_module_has_its_test_file(path: Path) -> None:
    own = ROOT / "tests" / path.relative_to(PACKAGE).with_name(f"test_{path.name}")
    assert own.is_file(), f"there is no {own.relative_to(ROOT)}"


def test_each_test_file_of_the_core_has_its_module() -> None:
    tests = ROOT / "tests" / "core"
    mirrored = {path.relative_to(tests).with_name(path.name.removeprefix("test_")) for path in tests.rglob("test_*.py")}
    assert mirrored <= {path.relative_to(PACKAGE / "core") for path in MODULES if part(path) == "core"}


@pytest.mark.parametrize("path", [path for path in MODULES if part(path) == "core"], ids=name)
def test_a_wing_of_the_core_imports_only_what_stands_before_it(path: Path) -> None:
    own = wing(path.relative_to(PACKAGE / "core").with_suffix("").as_posix().split("/"))
    if own == "__init__":
        return
    level = next(place for place, layer in enumerate(CORE_LAYERS) if own in layer)
    inside = [dotted.split(".")[2:] for dotted in imports(path) if dotted.startswith("chatproxy.core.")]
    assert {wing(dotted) for dotted in inside} <= {own}.union(*CORE_LAYERS[:level])


def wing(parts: list[str]) -> str:
    return parts[0]


def test_the_allowed_modules_are_of_the_standard_library() -> None:
    assert {allowed.split(".")[0] for allowed in CORE_MAY_IMPORT} <= sys.stdlib_module_names
