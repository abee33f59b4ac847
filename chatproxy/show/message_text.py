"""A request's or an answer's body of the Message resource as a person reads it.

Fields stand in their order, one a line, JSON within a text is laid out, and of a list the paging comes first.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from chatproxy.core.text.excerpts import counted, printable

_STRUCTURED = {"attributes", "Attributes"}
"""The fields whose text is JSON."""


def message_text(body: bytes, *, is_form: bool = False) -> str | None:
    """Lay out a body, or return None for one that is neither a form nor a JSON object."""
    try:
        text = body.decode()
        content = dict(_form(text)) if is_form else json.loads(text)
        return _text(content) if isinstance(content, dict) and content else None
    except (ValueError, RecursionError):  # what is nested too deeply can fail late, while it is laid out
        return None


def _text(content: dict[str, Any]) -> str:
    name = _list_name(content)
    return "\n".join(_fields(content) if name is None else _list(content, name))


def _form(text: str) -> Iterator[tuple[str, object]]:
    """Yield the parameters of a form, those of one name together."""
    pairs = parse_qsl(text, keep_blank_values=True)
    for name in dict.fromkeys(name for name, _ in pairs):
        values = [value for other, value in pairs if other == name]
        yield name, values[0] if len(values) == 1 else values


def _list_name(content: dict[str, Any]) -> str | None:
    """Return the name of the field that has a page's members, if this is a page."""
    meta = content.get("meta")
    name = meta.get("key") if isinstance(meta, dict) else None
    return name if isinstance(name, str) and isinstance(content.get(name), list) else None


def _list(content: dict[str, Any], name: str) -> Iterator[str]:
    """Yield what page it is, then the members, each after an empty line."""
    yield _page(content["meta"], counted(len(content[name]), name.removesuffix("s")))
    for member in content[name]:
        yield ""
        yield from _fields(member) if isinstance(member, dict) else [_shown(member)]
    for other in (other for other in content if other not in {"meta", name}):
        yield ""
        yield from _fields({other: content[other]})


def _page(meta: dict[str, Any], members: str) -> str:
    parts = [f"page {_shown(meta.get('page'))}", f"{members}, {_shown(meta.get('page_size'))} at most"]
    for name, what in (("previous_page_url", "previous page"), ("next_page_url", "next page")):
        url = meta.get(name)
        parts.append(f"{what}: ?{printable(url.partition('?')[2])}" if isinstance(url, str) else f"no {what}")
    return "; ".join(parts)


def _fields(content: dict[str, Any]) -> Iterator[str]:
    width = max((len(printable(name)) for name in content), default=0)
    for name, value in content.items():
        first, *others = _value(name, value).split("\n")
        yield f"{printable(name):{width}}  {first}"
        yield from (f"{'':{width}}  {line}" for line in others)


def _value(name: str, value: object) -> str:
    if name in _STRUCTURED and isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return _shown(value)
    if isinstance(value, dict | list) and value:
        shown = json.dumps(value, indent=2, ensure_ascii=False)
        return "\n".join(map(printable, shown.split("\n")))
    return _shown(value)


def _shown(value: object) -> str:
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
