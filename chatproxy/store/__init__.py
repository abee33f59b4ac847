"""Cassettes in LMDB: the private capture of one machine."""

from chatproxy.store.cassettes import Listed, Store
from chatproxy.store.recording import Recording

__all__ = ["Listed", "Recording", "Store"]
