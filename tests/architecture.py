"""What is told from the sources alone: who imports what, how long files are, what a folder says that it holds.

Each check is a function of source texts, and returns what is wrong as lines for a person. So tests can plant what a
check is to find.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath


class Module:
    """One file of the package: its path from the root of the repository, and its text, which is parsed once."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text.count("\n")
        tree = ast.parse(text)
        self.doc = (ast.get_docstring(tree) or "") if tree.body else ""
        self.nodes = list(ast.walk(tree))

    @property
    def parts(self) -> tuple[str, ...]:
        """The names that lead to it: ``("chatproxy", "core", "model")``, those of the folder for its ``__init__``."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def folder(self) -> str:
        return str(PurePosixPath(self.path).parent)

    @cached_property
    def imports(self) -> list[str]:
        """The dotted names that it imports, at its top or inside a function."""
        found = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = node.module if node.level == 0 else "."  # imports are absolute
                found += [f"{module}.{alias.name}" for alias in node.names]
        return found

    @cached_property
    def names(self) -> set[str]:
        """All names that it uses."""
        return {node.id for node in self.nodes if isinstance(node, ast.Name)}

    @cached_property
    def called(self) -> set[str]:
        """The names of the functions that it calls, methods aside."""
        calls = (node.func for node in self.nodes if isinstance(node, ast.Call))
        return {function.id for function in calls if isinstance(function, ast.Name)}

    @cached_property
    def texts(self) -> list[str]:
        """All string literals in it, docstrings too."""
        return [node.value for node in self.nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


ROOT = Path(__file__).parents[1]
MODULES = [
    Module(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    for path in sorted((ROOT / "chatproxy").rglob("*.py"))
]
"""All modules of the package."""

Layers = Sequence[set[str]]


def upward(modules: Iterable[Module], inside: str, layers: Layers) -> list[str]:
    """Return the imports within a package, between what is right below it, that do not lead to a layer further down."""
    floor = {name: place for place, layer in enumerate(layers) for name in layer}
    wrong = []
    for module, own, others in _below(modules, inside):
        for other in others - {own}:
            if own in floor and floor.get(other, -1) >= floor[own]:
                wrong.append(f"{module.path} imports {inside}.{other}")
    return wrong


def undeclared(modules: Iterable[Module], inside: str, layers: Layers) -> list[str]:
    """Return what stands right below a package and in no layer, and what stands in a layer and nowhere else."""
    there = {own for _, own, _ in _below(modules, inside)}
    declared = [name for layer in layers for name in layer]
    twice = {name for name in declared if declared.count(name) > 1}
    return sorted(f"{inside}.{name}" for name in (there ^ set(declared)) | twice)


def circles(modules: Sequence[Module]) -> list[str]:
    """Return the circles of imports: between modules, and between the folders of each package."""
    found = []
    packages = {".".join(module.parts[:-1]) for module in modules if len(module.parts) > 1}
    for package in sorted(packages):
        graph: dict[str, set[str]] = {}
        for _, own, others in _below(modules, package):
            graph.setdefault(own, set()).update(others - {own})
        if circle := _circle(graph):
            found.append(" -> ".join(f"{package}.{name}" for name in circle))
    return found


def _below(modules: Iterable[Module], inside: str) -> list[tuple[Module, str, set[str]]]:
    """Return the modules below a package, each with what right below the package it belongs to, and what it imports."""
    prefix = tuple(inside.split("."))
    size = len(prefix)
    return [
        (
            module,
            module.parts[size],
            {
                dotted.split(".")[size]
                for dotted in module.imports
                if dotted.startswith(inside + ".") and not dotted.endswith("__version__")
            },
        )
        for module in modules
        if module.parts[:size] == prefix and len(module.parts) > size
    ]


def _circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return one circle of a graph, its first node again at its end; nothing if there is none."""
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            if circle := walk(other, [*way, node]):
                return circle
        done.add(node)
        return []

    return next((circle for node in sorted(graph) if (circle := walk(node, []))), [])


def foreign(modules: Iterable[Module], only_in: Mapping[str, set[str]]) -> list[str]:
    """Return the imports of foreign packages by parts that may not have them; ``only_in`` has the parts of each."""
    wrong = set()
    for module in modules:
        own = module.parts[1] if len(module.parts) > 1 else ""
        for package in {dotted.split(".")[0] for dotted in module.imports} - {
            module.parts[0],
            *sys.stdlib_module_names,
        }:
            if own not in only_in.get(package, ()):
                wrong.add(f"{module.path} imports {package}")
    return sorted(wrong)


def impure(modules: Iterable[Module], inside: str, allowed: set[str]) -> list[str]:
    """Return what modules below a package import from outside that is not allowed, and what they open or print."""
    wrong = []
    for module in modules:
        if not module.path.startswith(inside.replace(".", "/") + "/"):
            continue
        for dotted in module.imports:
            if not dotted.startswith(inside + ".") and not _is_allowed(dotted, allowed):
                wrong.append(f"{module.path} imports {dotted}")
        wrong += [f"{module.path} calls {name}" for name in sorted(module.called & _DOES_IO)]
    return wrong


def _is_allowed(dotted: str, allowed: set[str]) -> bool:
    return any(dotted == one or dotted.startswith(one + ".") for one in allowed) and not dotted.startswith(_HTTP_IO)


_HTTP_IO = ("http.client", "http.server", "http.cookiejar", "http.cookies")
_DOES_IO = {"open", "print", "input", "exec", "eval", "__import__"}


def outgoing(modules: Iterable[Module], but: set[str]) -> list[str]:
    """Return who has a name by which connections are opened, but for these modules."""
    return [
        f"{module.path} has {name}"
        for module in modules
        if module.path not in but
        for name in sorted((module.names | {dotted.rpartition(".")[2] for dotted in module.imports}) & _CONNECTS)
    ]


_CONNECTS = {"ClientSession", "TCPConnector", "HTTPConnection", "urlopen", "create_connection", "open_connection"}


def unmirrored(
    modules: Iterable[str], tests: Iterable[str], untested: Mapping[str, str], of_the_whole: Callable[[str], bool]
) -> list[str]:
    """Return the modules without a test file of their own, and the test files without a module.

    ``untested`` are modules that other tests test, ``of_the_whole`` says which test files test more than one module.
    """
    sources = {path for path in modules if PurePosixPath(path).name != "__init__.py"}
    expected = {_mirror(path) for path in sources - set(untested)}
    there = {path for path in tests if not of_the_whole(path)}
    return [
        *(f"there is no {path}" for path in sorted(expected - there)),
        *(f"{path} has no module" for path in sorted(there - expected)),
        *(f"{path} is no module" for path in sorted(set(untested) - sources)),
    ]


def _mirror(path: str) -> str:
    own = PurePosixPath(path)
    return str(PurePosixPath("tests", *own.parts[1:-1], f"test_{own.name}"))


def long_files(modules: Iterable[Module], most: int, excused: Mapping[str, int]) -> list[str]:
    """Return the modules with more lines than are allowed, and the excuses that nobody needs any more."""
    found = [
        f"{module.path} has {module.lines} lines" for module in modules if module.lines > excused.get(module.path, most)
    ]
    short = {module.path for module in modules if module.lines <= most}
    return found + [f"{path} needs no excuse" for path in sorted(set(excused) & short)]


def full_folders(modules: Iterable[Module], most: int) -> list[str]:
    """Return the folders with more modules than are allowed."""
    counts: dict[str, int] = {}
    for module in modules:
        counts[module.folder] = counts.get(module.folder, 0) + 1
    return [f"{folder} has {count} modules" for folder, count in sorted(counts.items()) if count > most]


def read(module: Module) -> list[str]:
    """Return the names that a folder's docstring lists behind ``Read:``."""
    found = re.search(r"^Read: ([^.]*)\.\Z", module.doc.strip(), re.MULTILINE)
    return re.split(r",\s+", found[1]) if found else []


def unlisted(modules: Sequence[Module]) -> list[str]:
    """Return the folders whose docstring does not list just what is in them, or does not begin with one sentence."""
    wrong = []
    for module in modules:
        if not module.path.endswith("/__init__.py"):
            continue
        size = len(module.parts)
        within = {other.parts[size] for other in modules if other.parts[:size] == module.parts != other.parts}
        if sorted(read(module)) != sorted(within):
            wrong.append(f"{module.path}: Read: lists other names than the folder has: {sorted(within)}")
        if not module.doc.split("\n")[0].endswith(".") or len(module.doc.split("\n")[0].split()) < 3:
            wrong.append(f"{module.path} does not begin with a sentence")
    return wrong
