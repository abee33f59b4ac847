"""What every command shares: flags made of the settings, and a bar for what takes long."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

import click

from chatproxy.config.setting import Setting
from chatproxy.config.settings import SETTINGS, load

MATCHING = ("store", "match-headers", "ignore", "scrub", "salt")
"""The settings that shape keys, and where the cassettes are."""
SIDS = ("sids", "seed", "keep", "bind")

UNUSED = 4
"""The exit status where exchanges were never served, and that is to fail."""

FINDINGS = 5
"""The exit status of a command that found what it was asked to fail on."""

_BAR_FROM = 500
"""From how many steps on a progress bar is worth showing."""


def options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the flags of these settings, and the settings that hold as its ``settings``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_settings(**arguments: object) -> None:
            flags = {name: arguments.pop(name.replace("-", "_")) for name in names}
            given = {name: value for name, value in flags.items() if value is not None and value != ()}
            command(settings=load(given, os.environ, Path()), **arguments)

        decorated: Callable[..., None] = with_settings
        for setting in reversed([setting for setting in SETTINGS if setting.name in names]):
            decorated = _option(setting)(decorated)
        return decorated

    return decorate


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    shown = f" [default: {setting.default}]" if setting.default and setting.metavar else ""
    names = (setting.flag, setting.name.replace("-", "_"))
    if setting.metavar:
        several = setting.joined is not None
        return click.option(*names, metavar=setting.metavar, multiple=several, help=setting.help + shown)
    return click.option(*names, is_flag=True, default=None, help=setting.help)


def epilog(example: str) -> str:
    """Return what ends a command's help text."""
    return f"\b\nExample:\n  {example}"


@contextmanager
def progress(label: str, steps: int) -> Iterator[Callable[[], object]]:
    """Show a progress bar on standard error if there is much to do and a person to see it."""
    if steps < _BAR_FROM or not sys.stderr.isatty():
        yield bool
        return
    with click.progressbar(length=steps, label=label, file=sys.stderr) as bar:
        yield lambda: bar.update(1)
