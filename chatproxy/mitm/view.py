"""The content view "Twilio message", for mitmproxy 11 and for the interface that 12 has for views."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from mitmproxy import contentviews, http

from chatproxy.core.products.every import MESSAGE_PATH
from chatproxy.show.message_text import message_text

NAME = "Twilio message"

_PATH = re.compile(MESSAGE_PATH.decode() + "(/[^/]*)?")
_FORM = "application/x-www-form-urlencoded"
_FIRST = 2.0
"""Above what mitmproxy's own views say of themselves."""


class TwilioMessage:
    """Shows bodies of the Message resource, as views of mitmproxy 12 do."""

    name = NAME
    syntax_highlight = "none"

    def prettify(self, data: bytes, metadata: Any) -> str:
        """Lay a body out; raises ValueError for one that is no message, list or form."""
        text = message_text(data, is_form=_is_form(metadata.content_type))
        if text is None:
            raise ValueError("is no message, list or form of the Message resource")
        return text

    def render_priority(self, data: bytes, metadata: Any) -> float:
        """Come first for bodies of the Message resource, and never for others."""
        is_ours = isinstance(metadata.flow, http.HTTPFlow) and _PATH.fullmatch(metadata.flow.request.path.split("?")[0])
        return _FIRST if is_ours and message_text(data, is_form=_is_form(metadata.content_type)) is not None else -1.0

    def __lt__(self, other: Any) -> bool:
        """Sort by name, as views do."""
        return bool(self.name < other.name)


def _is_form(content_type: str | None) -> bool:
    return (content_type or "").startswith(_FORM)


_contentviews: Any = contentviews  # mitmproxy 11 and 12 have other names in it, so neither's types hold for both
_HAS_REGISTRY = hasattr(contentviews, "registry")
_Base: Any = object if _HAS_REGISTRY else _contentviews.View  # 12 warns of each class that has the older base


class _Legacy(_Base):  # type: ignore[misc]  # as said above
    """The same view for mitmproxy 11."""

    name = NAME

    def __init__(self) -> None:
        self._view = TwilioMessage()

    def __call__(self, data: bytes, **given: Any) -> tuple[str, Iterator[list[tuple[str, str | bytes]]]]:
        text = self._view.prettify(data, _metadata(given))
        return NAME, ([("text", line)] for line in text.split("\n"))

    def render_priority(self, data: bytes, **given: Any) -> float:
        return self._view.render_priority(data, _metadata(given))


def _metadata(given: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(flow=given.get("flow"), content_type=given.get("content_type"))


_legacy = _Legacy()


def add_view() -> None:
    """Add the view to mitmproxy's."""
    if _HAS_REGISTRY:
        _contentviews.add(TwilioMessage())
    elif _legacy not in _contentviews.views:
        _contentviews.add(_legacy)


def remove_view() -> None:
    """Take the view away, where mitmproxy would refuse to add it again."""
    if not _HAS_REGISTRY and _legacy in _contentviews.views:
        _contentviews.remove(_legacy)
