"""The machine's clock, which the core is given."""

import time


def now() -> int:
    """Return the moment in microseconds since 1970."""
    return time.time_ns() // 1000
