"""The token of the control API: whether one is demanded, and which."""

import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from chatproxy.config.addresses import SocketFile
from chatproxy.config.settings import Settings
from chatproxy.config.values import control_token
from chatproxy.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ControlToken:
    """What is demanded, if anything is; ``is_made`` tells that it is new, and has to be said to its user."""

    value: str | None = None
    is_made: bool = False


def token_of(settings: Settings) -> ControlToken:
    """Return the token that was given, else a new one where others than this machine can connect."""
    if settings.control_token_file is not None:
        if settings.control_token is not None:
            raise ConfigError("--control-token", "contradicts --control-token-file; give one of them")
        return ControlToken(_read(settings))
    if settings.control_token is not None:
        return ControlToken(settings.control_token)
    return ControlToken(secrets.token_urlsafe(), is_made=True) if _is_reached_by_others(settings) else ControlToken()


def _read(settings: Settings) -> str:
    path = settings.control_token_file
    assert path is not None
    try:
        return control_token(path.read_text("utf-8").strip())
    except OSError as error:
        raise ConfigError("--control-token-file", f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError("--control-token-file", f"{path} is not UTF-8") from None
    except ValueError as error:
        raise ConfigError("--control-token-file", f"what stands in {path} {error}") from None


def _is_reached_by_others(settings: Settings) -> bool:
    listen, public = settings.listen, urlsplit(settings.public_url or "http://localhost").hostname or ""
    return not is_loopback(public) or not (isinstance(listen, SocketFile) or is_loopback(listen.host))


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host that is listened on; empty is all addresses."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
