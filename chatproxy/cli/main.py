"""The command line: each command reads its settings, calls one part, and shows what came of it."""

import os
import sys
from typing import NoReturn

import click

from chatproxy import __version__
from chatproxy.cli import cassettes, coverage, hygiene, review, run, serving, verify
from chatproxy.core.errors import ChatproxyError


def main() -> NoReturn:
    """Run the command line and exit: 0, or 1 for an error, 2 for wrong usage; errors are one line."""
    try:
        cli(prog_name="chatproxy", standalone_mode=False)
    except click.ClickException as error:
        _fail(f"{error.format_message().rstrip('.')}; `{_command_of(error)} --help` shows how", error.exit_code)
    except ChatproxyError as error:
        _fail(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(0)


def _command_of(error: click.ClickException) -> str:
    """Return the command whose help tells how to do better."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return context.command_path if context else "chatproxy"


def _fail(message: str, exit_code: int) -> NoReturn:
    click.echo(f"chatproxy: {message}", err=True)
    sys.exit(exit_code)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, invoke_without_command=True
)
@click.version_option(__version__, prog_name="chatproxy", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Record and replay Twilio Programmable Chat v1 messages.

    Each flag can also be set as CHATPROXY_… in the environment, or in chatproxy.toml.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for part in (serving, run, cassettes, hygiene, review, verify, coverage):
    for name, command in vars(part).items():
        if isinstance(command, click.Command) and not name.startswith("_"):  # those belong to a group of their own
            cli.add_command(command)
