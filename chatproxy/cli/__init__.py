"""The command line."""

from chatproxy.cli.main import cli, main

__all__ = ["cli", "main"]
