"""Cassettes in LMDB: the private capture of one machine."""

from chatproxy.store.cassettes import Listed, Store
from chatproxy.store.progress import Progress, stepped, unseen
from chatproxy.store.recording import Existing, Recording

__all__ = ["Existing", "Listed", "Progress", "Recording", "Store", "stepped", "unseen"]
