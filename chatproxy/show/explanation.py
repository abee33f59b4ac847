"""An explanation as a person reads it, and as JSON."""

import json

from chatproxy.core.model import Outcome
from chatproxy.core.replay.explain import Explanation
from chatproxy.core.text.excerpts import legible, printable, quoted


def explanation_text(found: Explanation, cassette: str) -> str:
    """Show an explanation in paragraphs."""
    outcome = f"hit: {cassette}/{found.number}" if found.number is not None else f"miss: {found.reason}"
    lines = ["normal form:", *_indented(_form(found)), "rules:", *_indented("\n".join(found.rules)), outcome]
    if found.ignorable:
        lines.append(f"{cassette}/{found.nearest[0].number} would match with ignore = {json.dumps(found.ignorable)}")
    if found.nearest:
        lines.append("nearest:")
    for near in found.nearest:
        lines += _indented(f"{cassette}/{near.number}: {'; '.join(near.differences) or 'equal'}")
    return "\n".join(lines)


def explanation_json(found: Explanation, cassette: str) -> str:
    """Return an explanation as JSON."""
    content = {
        "normal_form": _form(found),
        "rules": found.rules,
        "outcome": Outcome.MISS if found.number is None else Outcome.HIT,
        "exchange": None if found.number is None else f"{cassette}/{found.number}",
        "reason": found.reason,
        "ignore": found.ignorable,
        "nearest": [
            {"exchange": f"{cassette}/{near.number}", "differences": near.differences} for near in found.nearest
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _form(found: Explanation) -> str:
    """Show a normal form without its escapes: a header, and a parameter of a form, a line."""
    form = found.form
    query = "&".join(quoted(pair) if "&" in pair else pair for pair in map(_shown, form.sent_query))
    lines = [printable(f"{form.method} {form.host}{_text(form.sent_path)}?{query}"), *map(_shown, form.headers)]
    return "\n".join([*lines, "", form.kind, *map(_shown, form.sent_body)])


def _shown(value: bytes) -> str:
    return legible(_text(value))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _indented(text: str) -> list[str]:
    return [f"  {line}" if line else "" for line in text.split("\n")]
