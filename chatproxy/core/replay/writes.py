"""What writes have changed: the last one of each timeline, and the timelines that are another at the upstream."""

from collections import Counter

from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber, is_read
from chatproxy.core.twilio.paths import timeline


class LastWrites:
    """The number of the last write of each timeline; a write to a member is also one of every timeline below it."""

    def __init__(self) -> None:
        self._collections: dict[bytes, ExchangeNumber] = {}
        self._members: dict[bytes, ExchangeNumber] = {}

    def write(self, path: bytes, number: ExchangeNumber) -> None:
        """Take in that a write to this path has this number."""
        collection = timeline(path)
        self._collections[collection] = max(number, self._collections.get(collection, NO_EXCHANGE))
        if collection != path:
            self._members[path] = max(number, self._members.get(path, NO_EXCHANGE))

    def of(self, path: bytes) -> ExchangeNumber:
        """Return the number of the last write of a path's timeline, 0 if there is none."""
        above = (path[:end] for end in range(len(path)) if path[end : end + 1] == b"/")
        last = self._collections.get(timeline(path), NO_EXCHANGE)
        return max(last, *(self._members.get(one, NO_EXCHANGE) for one in above))


class LiveTimelines:
    """Those timelines that a write has changed at the upstream since the cassette was recorded."""

    def __init__(self) -> None:
        self._changed: Counter[bytes] = Counter()
        self._members: Counter[bytes] = Counter()

    def write(self, method: str, path: bytes) -> None:
        """Take in a request that went to the upstream: reads change nothing.

        A write to a member also changes every timeline below that member.
        """
        self._count(method, path, 1)

    def refuse(self, method: str, path: bytes) -> None:
        """Take in that a request which went there was refused, and so changed nothing."""
        self._count(method, path, -1)

    def _count(self, method: str, path: bytes, by: int) -> None:
        if is_read(method):
            return
        collection = timeline(path)
        self._changed[collection] += by
        if collection != path:
            self._members[path] += by

    def __contains__(self, form: NormalForm) -> bool:
        """Tell whether this request must be put to the upstream, since a recorded answer could be stale."""
        if not self._changed:
            return False
        return self._changed[timeline(form.path)] > 0 or any(
            count > 0 and form.path.startswith(member + b"/") for member, count in self._members.items()
        )
