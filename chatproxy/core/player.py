"""Which recorded exchange answers a request.

Equal requests are answered in recorded order. Reads repeat the last recorded answer; writes are answered once
each, and one more is a miss.
"""

from chatproxy.core.model import is_read
from chatproxy.core.normalize import NormalForm
from chatproxy.core.session import Session


def play(session: Session, form: NormalForm) -> int | None:
    """Return the number of the exchange that answers and count it as served, or None for a miss."""
    key = form.key
    nth = session.answered.get(key, 0)
    number = session.cassette.find(key, nth)
    if number is not None:
        session.answered[key] = nth + 1
    elif nth and is_read(form.method):
        return session.cassette.find(key, nth - 1)
    if number is not None and not is_read(form.method):
        session.last_write = max(session.last_write, number)
    return number
