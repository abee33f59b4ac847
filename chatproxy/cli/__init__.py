"""The command line.

1. A command reads its settings, calls one part, and shows what came of it; it decides nothing.
2. ``main.COMMANDS`` says which module has which commands; only that module is loaded.

Read: main, streams, options, serving, run, cassettes, inspect, verify, coverage, upgrade.
"""

from chatproxy.cli.main import cli, main

__all__ = ["cli", "main"]
