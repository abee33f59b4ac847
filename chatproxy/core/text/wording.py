"""Numbers of things, for a person to read."""


def counted(count: int, noun: str = "exchange") -> str:
    """Return how many there are of what is counted."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
