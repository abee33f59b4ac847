"""Cassettes in LMDB: the private capture of one machine.

1. LMDB is known to ``environment`` alone, where its errors become CassetteError.
2. What cannot be read is an error, and never an empty or an absent cassette.
3. A new recording stands as ``NAME.partial`` until it has ended well.

4. A store that was not closed well is read whole before it is used.

Read: layout, folder, use, reasons, room, environment, records, exchanges, inspection, cassettes, locks, commit, chunks,
recording, progress, compiled, compiling.
"""

from chatproxy.store.cassettes import Listed, Store
from chatproxy.store.layout import is_damage
from chatproxy.store.progress import Progress, stepped, unseen
from chatproxy.store.recording import Existing, Recording, check_nothing_left

__all__ = [
    "Existing",
    "Listed",
    "Progress",
    "Recording",
    "Store",
    "check_nothing_left",
    "is_damage",
    "stepped",
    "unseen",
]
