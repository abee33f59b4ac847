"""The two-way map of a session: one live SID for one recorded SID."""

from chatproxy.core.model import LiveSid, RecordedSid


class Pairs:
    """Which SID stands for which; both ways lead back.

    ``live`` has all of them, by the recorded SID; ``recorded`` has those that stand for others: one that stands for
    itself is found in the first alone, which is half the memory.
    """

    def __init__(self) -> None:
        self.live: dict[RecordedSid, LiveSid] = {}
        self.recorded: dict[LiveSid, RecordedSid] = {}
        self.changes = 0
        """How often one was put in or taken out; fresh ones are not counted."""

    def put(self, live: LiveSid, recorded: RecordedSid) -> None:
        """Let a live SID stand for a recorded one."""
        self.changes += 1
        self.live[recorded] = live
        if recorded != RecordedSid(live):
            self.recorded[live] = recorded

    def drop(self, live: LiveSid) -> None:
        """Let a live SID that stands for a recorded one stand for nothing."""
        self.changes += 1
        del self.live[self.recorded.pop(live, RecordedSid(live))]

    def of(self, live: LiveSid) -> RecordedSid | None:
        """Return what a live SID stands for, None if that is nothing."""
        found = self.recorded.get(live)
        if found is None and self.live.get(RecordedSid(live)) == live:
            return RecordedSid(live)
        return found
