"""One setting: what it is called at each place where it can be given, and how what is given there is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatproxy.config import scrub_rules as rules
from chatproxy.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set: how a value is read, its default as one would write it, and what it is for."""

    name: str
    read: Callable[[Any], object]
    default: str | None
    metavar: str
    help: str

    @property
    def flag(self) -> str:
        """The name on the command line; the sandbox's settings lose their prefix there."""
        return "--" + self.name.removeprefix("sandbox-")

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return "CHATPROXY_" + self.name.upper().replace("-", "_")

    @property
    def joined(self) -> Callable[[tuple[str, ...]], object] | None:
        """What says the same as a flag given several times; None where the last time counts alone."""
        return _JOINED.get(self.name)

    def value(self, source: str, raw: object) -> Any:
        """Read what was given at this place; raises ConfigError for what it cannot be, naming the place."""
        if raw is None:
            return None
        try:
            return self.read(joined(raw) if isinstance(raw, tuple) and (joined := self.joined) else raw)
        except ValueError as error:
            raise ConfigError(source, str(error)) from error
        except RecursionError:  # a dotted key may lead deeper than a value can be shown
            raise ConfigError(source, "nests too deep") from None


_JOINED: dict[str, Callable[[tuple[str, ...]], object]] = {
    **dict.fromkeys(("keep", "bind", "match-headers", "ignore", "allow", "allow-host", "others"), ",".join),
    "scrub": rules.joined,
}
