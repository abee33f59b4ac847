"""Twilio's paths: after the version, collections and members alternate."""


def timeline(path: bytes) -> bytes:
    """Return the collection of a decoded path: ``…/Messages`` for itself and for ``…/Messages/IM…``."""
    segments = path.split(b"/")
    return path if len(segments) % 2 else b"/".join(segments[:-1])


def route(method: str, path: bytes) -> str:
    """Return method and collection, as ``POST Messages``, or for a member of it ``POST Messages/Sid``."""
    collection = timeline(path)
    name = collection.rpartition(b"/")[2].decode("utf-8", "replace")
    return f"{method} {name}" if collection == path else f"{method} {name}/Sid"
