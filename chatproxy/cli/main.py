"""The command line: each command reads its settings, calls one part, and shows what came of it."""

import sys
from importlib import import_module
from typing import NoReturn

import click

from chatproxy import __version__
from chatproxy.cli.streams import claim_streams, warn
from chatproxy.core.errors import ChatproxyError


def main() -> NoReturn:
    """Run the command line and exit: 0, or 1 for an error, 2 for wrong usage; errors are one line."""
    claim_streams()
    try:
        cli(prog_name="chatproxy", standalone_mode=False)
    except click.ClickException as error:
        _fail(f"{error.format_message().rstrip('.')}; `{_command_of(error)} --help` shows how", error.exit_code)
    except ChatproxyError as error:
        _fail(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", 130)
    sys.exit(0)


def _command_of(error: click.ClickException) -> str:
    """Return the command whose help tells how to do better."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return context.command_path if context else "chatproxy"


def _fail(message: str, exit_code: int) -> NoReturn:
    warn(f"chatproxy: {message}")
    sys.exit(exit_code)


COMMANDS = {
    "serving": ("record", "replay", "auto", "passthrough", "sandbox", "demo", "addon-path"),
    "run": ("run",),
    "cassettes": ("export", "import", "merge", "list", "show", "rename", "rm", "prune"),
    "inspect": ("explain", "sids", "diff", "merge-driver", "check"),
    "verify": ("verify",),
    "coverage": ("coverage",),
    "upgrade": ("upgrade",),
}
"""Which module has which commands: it is loaded when one of them is asked for, which takes a tenth of loading all."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(name for names in COMMANDS.values() for name in names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        home = next((home for home, names in COMMANDS.items() if cmd_name in names), None)
        if home is None:
            return None
        own = vars(import_module(f"chatproxy.cli.{home}"))
        name = cmd_name.replace("-", "_")
        command: click.Command = own.get(f"{name}_") or own[name]  # where the plain name is Python's
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="chatproxy", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Record and replay Twilio Programmable Chat v1 messages.

    Each flag can also be set as CHATPROXY_… in the environment, or in chatproxy.toml.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
