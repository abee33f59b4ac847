"""A replayed answer as text, and what lets it be given again without deciding anew.

The last answer to a read repeats. It is the same bytes, except for the moment of the answer, until its session's state
changes: until a write is replayed or put to the upstream, a SID is bound to another, or the session ends.
"""

from collections.abc import Sequence
from typing import NamedTuple

from chatproxy.core.model import Response
from chatproxy.core.replay.journal import Entry
from chatproxy.core.replay.session import State
from chatproxy.core.time.stamps import Packed


class Repeat(NamedTuple):
    """A read whose answer repeats while its session is in this state.

    ``entry`` is what the journal noted of it; ``nows`` are the stamps of what shows the moment of the answer.
    """

    state: State
    entry: Entry
    nows: Sequence[Packed]


class Rendered(NamedTuple):
    """A replayed answer; ``head`` is its header fields, each as ``name: value`` and CR LF.

    ``moments`` are the texts in the head that show the moment of the answer. ``repeat`` is there if it repeats.
    """

    status: int
    reason: bytes
    head: bytes
    body: bytes
    moments: tuple[bytes, ...] = ()
    repeat: Repeat | None = None

    @property
    def response(self) -> Response:
        """The answer with its header fields one by one."""
        lines = self.head.split(b"\r\n")
        headers = tuple((name, value) for name, _, value in (line.partition(b": ") for line in lines[:-1]))
        return Response(self.status, self.reason, headers, self.body)
