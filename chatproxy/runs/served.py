"""What serves an attempt, and the proxy in a thread that does so for most."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from chatproxy.config.settings import Settings
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.model import Mode
from chatproxy.core.report.report import RunOutcome
from chatproxy.environment import environment
from chatproxy.serve.hosting import Background
from chatproxy.serve.listen import Running, proxy
from chatproxy.wiring.assembly import Say, leave, unsaid


class Served(Protocol):
    """What serves an attempt, until it is closed."""

    @property
    def url(self) -> str:
        """Its address."""
        ...

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a child that is to use it."""
        ...

    def outcome(self) -> RunOutcome:
        """Return what came of it so far."""
        ...

    def content(self) -> dict[str, object]:
        """Return the whole report so far, as JSON has it."""
        ...

    def close(self, *, well: bool) -> None:
        """Stop serving; a recording that did not go well stays as an interrupted one."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be served to a program with this environment; with ``tied`` all is of the session of that name."""

    mode: Mode
    cassette: str | MemoryCassette
    settings: Settings
    warn: Say
    environ: Mapping[str, str] = field(default_factory=dict)
    tied: str | None = None


class Host(Protocol):
    """What can serve attempts."""

    def serve(self, wanted: Wanted) -> Served:
        """Begin to serve."""
        ...


@dataclass(frozen=True, slots=True)
class InBackground:
    """Serves attempts in a thread of this process."""

    background: Background

    def serve(self, wanted: Wanted) -> "ServedProxy":
        """Serve a proxy until it is closed; its misses are left to its outcome."""
        what = wanted.mode, wanted.cassette, wanted.settings, wanted.warn
        return ServedProxy(
            self.background.serving(proxy(*what, tied=wanted.tied, on_miss=unsaid, environ=wanted.environ))
        )


class ServedProxy:
    """A proxy that serves in the background."""

    def __init__(self, serving: AbstractContextManager[Running]) -> None:
        self._stack = ExitStack()
        self.running = self._stack.enter_context(serving)
        assert self.running.report is not None
        self._report = self.running.report

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return self.running.url

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a child that is to use it."""
        return environment(environ, self.url)

    def outcome(self) -> RunOutcome:
        """Return what came of it so far."""
        return self._report.outcome()

    def content(self) -> dict[str, object]:
        """Return the whole report so far, as JSON has it."""
        return self._report.content(whole=True)

    def close(self, *, well: bool) -> None:
        """Stop serving; a recording that did not go well stays as an interrupted one."""
        leave(self._stack, well=well)
