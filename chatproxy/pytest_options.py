"""The options of the pytest plugin, beside those of other plugins.

1. Each has a name of its own, which begins with ``--chatproxy-``.
2. ``--record-mode`` and ``--block-network`` are added after all that other plugins and the project add, and only if
   nobody else has them. Those of others count where ours are not given.
"""

from typing import Any

import pytest

WORDS = ("none", "once", "new_episodes", "all", "rewrite")

_MODE = "--record-mode"
_BLOCK = "--block-network"
_OWN = {_MODE: "--chatproxy-record-mode", _BLOCK: "--chatproxy-block-network"}
_DEST = {_MODE: "chatproxy_record_mode", _BLOCK: "chatproxy_block_network"}
_ATTRIBUTES: dict[str, dict[str, Any]] = {
    _MODE: {
        "choices": WORDS,
        "default": None,
        "help": "none: replay (the default); once: record where no file is; rewrite, all: record each test anew; "
        "new_episodes: as once, and add what is missing to files with live SIDs",
    },
    _BLOCK: {
        "action": "store_true",
        "default": False,
        "help": "fail a test that reaches for another machine",
    },
}


def add_own(parser: pytest.Parser) -> None:
    """Add the options by names of our own."""
    group = _group(parser)
    group.addoption(
        "--chatproxy-report",
        metavar="FILE",
        help="write which recorded exchanges the tests were served, for `chatproxy coverage merge`",
    )
    for name, own in _OWN.items():
        group.addoption(own, dest=_DEST[name], **_ATTRIBUTES[name])


def add_shared(parser: pytest.Parser, config: pytest.Config) -> None:
    """Add the names that other plugins use as well, except those that one of them has added."""
    added = config.stash[_ADDED] = {name for name in _OWN if not _is_there(parser, name)}
    for name in sorted(added):
        _group(parser).addoption(name, dest=_DEST[name], **(_ATTRIBUTES[name] | {"help": f"the same as {_OWN[name]}"}))


def record_mode(config: pytest.Config) -> str:
    """Return the record mode that the command line asks for."""
    given = config.getoption(_DEST[_MODE]) or config.getoption(_MODE, None)
    return given if given in WORDS else "none"


def record_mode_flag(config: pytest.Config) -> str:
    """Return the name by which the command line sets the record mode."""
    return _MODE if _MODE in config.stash.get(_ADDED, set()) else _OWN[_MODE]


def blocks_network(config: pytest.Config) -> bool:
    """Tell whether the command line keeps the tests from the network."""
    return bool(config.getoption(_DEST[_BLOCK]) or config.getoption(_BLOCK, default=False) is True)


def hides(config: pytest.Config, *options: str) -> bool:
    """Tell whether one of these options of pytest hides what stands with a failure: its reason, or sections."""
    return any(config.getoption(name, "all") in {"no", "line", "stdout", "stderr", "log"} for name in options)


def _group(parser: pytest.Parser) -> pytest.OptionGroup:
    return parser.getgroup("chatproxy", "recorded answers of Twilio Programmable Chat")


def _is_there(parser: pytest.Parser, name: str) -> bool:
    try:
        return name not in parser.parse_known_and_unknown_args([name])[1]
    except pytest.UsageError:  # it is there, and wants a value
        return True


_ADDED = pytest.StashKey[set[str]]()
