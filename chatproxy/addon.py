"""The mitmproxy addon under the name by which programs import it: ``from chatproxy.addon import Chatproxy``."""

from chatproxy.mitm.addon import Chatproxy, addons

__all__ = ["Chatproxy", "addons"]
