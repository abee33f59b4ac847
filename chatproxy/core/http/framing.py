"""How long the body of an answer is, and whether there is one at all."""

from chatproxy.core.model import Response

NO_CONTENT = frozenset({204, 304})
"""The statuses whose answers never have a body."""


def may_have_body(method: str, status: int) -> bool:
    """Tell whether an answer to this method with this status has a body (RFC 9112 section 6.3)."""
    return method != "HEAD" and status not in NO_CONTENT


def content_length(answer: Response, method: str) -> int | None:
    """Return what ``Content-Length`` says of a whole answer; to HEAD, how long its body would be if we know."""
    if answer.status in NO_CONTENT or (method == "HEAD" and not answer.body):
        return None
    return len(answer.body)
