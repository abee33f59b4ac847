"""What an addon sees of mitmproxy: its options, its commands and the other addons, without a server.

It is made of mitmproxy's own parts. Its whole master cannot be imported here, since what that imports warns.
"""

from collections.abc import Iterable

from mitmproxy import flow
from mitmproxy.addonmanager import AddonManager, Loader
from mitmproxy.command import CommandManager
from mitmproxy.options import Options

from chatproxy.mitm.options import add_options


class Master:
    """Holds options with ours among them, and notes of which flows addons are told that they changed."""

    def __init__(self) -> None:
        self.options = Options()
        self.options.add_option("connection_strategy", str, "eager", "as its servers add it")
        self.options.add_option("keep_host_header", bool, False, "as its servers add it")
        self.options.add_option("stream_large_bodies", str | None, None, "as its servers add it")
        self.commands = CommandManager(self)
        self.addons = AddonManager(self)
        self.updated: list[flow.Flow] = []
        add_options(Loader(self))
        self.addons.add(_Noting(self.updated))


class _Noting:
    def __init__(self, updated: list[flow.Flow]) -> None:
        self._updated = updated

    def update(self, flows: Iterable[flow.Flow]) -> None:
        self._updated.extend(flows)
