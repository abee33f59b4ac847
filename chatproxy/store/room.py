"""Room on disk for the data of a store.

The file of the data has holes: what was never written takes no room, and on a full disk it cannot be written. Deleting
writes, too, before it frees anything. So what adds to a store leaves as much room as deleting takes, and is refused
where there is none.
"""

import os
from pathlib import Path

from chatproxy.store.folder import DATA, length, take_room

SPARE = 2**18
"""How many bytes are left for deletes, which free as much as they take, but one or two transactions later."""

DELETED_AT_ONCE = 2**24
"""How many bytes one transaction deletes: the list of what it freed is itself written."""


class Room:
    """The file of the data: its length, and how much of it is known to have room on disk.

    To be changed within a write transaction: another process that made the file grow between the look at its size and
    the change would lose what it wrote.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = 0

    def lengthen(self, size: int) -> None:
        """Make the file as long as its map before anything is written; what is not used takes no room on disk.

        LMDB leaves pages at the end unwritten that a transaction took and gave back, so that without this the
        file of a sound store can be as short as that of a truncated one.
        """
        if size > length(self._folder):
            os.truncate(self._folder / DATA, size)

    def keep(self, end: int) -> None:
        """Take room up to there, which lies within the file; raises OSError where the disk is full."""
        if end > self._kept:
            take_room(self._folder / DATA, self._kept, end)
            self._kept = end


_PAGE = os.sysconf("SC_PAGE_SIZE")


def taken(key: int, value: int) -> int:
    """Return how many bytes an entry takes on disk at the most, of a key and a value so long.

    Large ones have pages of their own; what has the small ones is half full at the least.
    """
    size = key + value + _HEAD
    return size + _PAGE if size > _PAGE // 2 else 2 * size


_HEAD = 16
"""What LMDB adds to each entry."""
