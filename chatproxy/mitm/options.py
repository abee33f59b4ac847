"""The addon's options: chatproxy's settings by the names ``chatproxy_…``, with the mode and the cassette.

What no option gives comes from the environment and from the configuration file, as everywhere.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatproxy.config.setting import Setting
from chatproxy.config.settings import SETTINGS, Settings, load
from chatproxy.core.errors import ConfigError
from chatproxy.core.model import Mode

if TYPE_CHECKING:
    from mitmproxy.addonmanager import Loader

MODE, CASSETTE = "chatproxy_mode", "chatproxy_cassette"
_OFFERED = {
    *("store", "upstream", "upstream-ca", "urls", "clock", "sids", "seed", "keep", "bind", "match-headers", "ignore"),
    *("scrub", "append", "replace", "allow", "strict", "max-body", "sessions", "max-sessions", "on-exhausted"),
    *("skipped", "session-idle", "journal", "report", "ready-file", "connect-timeout", "upstream-timeout"),
    "allow-host",
}
"""Settings that are options too; secrets are not, since mitmproxy shows and saves its options."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the addon is to do."""

    mode: Mode
    cassette: str
    settings: Settings
    environ: Mapping[str, str] = field(default_factory=dict)
    """The program's environment, where that is known."""


def option_of(setting: Setting) -> str:
    """Return the name of a setting's option."""
    return "chatproxy_" + setting.name.replace("-", "_")


OPTIONS = {option_of(setting): setting for setting in SETTINGS if setting.name in _OFFERED}
NAMES = frozenset({MODE, CASSETTE, *OPTIONS})


def add_options(loader: "Loader") -> None:
    """Add all options; one that is not set is none, for a default of mitmproxy's would hide the environment."""
    modes = [mode.value for mode in Mode]
    loader.add_option(MODE, str | None, None, f"chatproxy: {', '.join(modes)} [default: replay]")  # type: ignore[arg-type]
    loader.add_option(CASSETTE, str | None, None, "chatproxy: the cassette, a NAME or for replay a FILE")  # type: ignore[arg-type]
    for name, setting in OPTIONS.items():
        if setting.metavar:
            shown = f" [default: {setting.default}]" if setting.default else ""
            loader.add_option(name, str | None, None, f"chatproxy: {setting.help}{shown}")  # type: ignore[arg-type]
        else:
            loader.add_option(name, bool, False, f"chatproxy: {setting.help}")


def choice_of(options: Any) -> Choice:
    """Return what the options choose; raises ConfigError that names the option that is wrong."""
    given = {name: value for name in OPTIONS if (value := getattr(options, name)) not in {None, False}}
    flags: dict[str, object] = {OPTIONS[name].name: value for name, value in given.items()}
    try:
        settings = load(flags, os.environ, Path())
    except ConfigError as error:
        name = next((name for name in given if OPTIONS[name].flag == error.source), error.source)
        raise ConfigError(name, error.reason) from error
    mode = _mode(getattr(options, MODE) or settings.mode)
    cassette = getattr(options, CASSETTE) or ""
    if not cassette and mode is not Mode.PASSTHROUGH:
        raise ConfigError(CASSETTE, f"is not set; {mode} needs a cassette")
    return Choice(mode, cassette, settings)


def _mode(word: str) -> Mode:
    try:
        return Mode(word)
    except ValueError as error:
        raise ConfigError(MODE, f"{word!r} is none of {', '.join(Mode)}") from error
