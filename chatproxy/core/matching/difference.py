"""The parameters of a normal form: the pairs of a query, a form or the headers that count, grouped by their names."""

Values = list[bytes | None]
"""The values of one name in their order; one without a sign is none, which differs from an empty one."""


def by_name(pairs: tuple[bytes, ...], sign: bytes) -> dict[bytes, Values]:
    """Group values by name; ``sign`` is what stands between name and value."""
    values: dict[bytes, Values] = {}
    for pair in pairs:
        name, found, value = pair.partition(sign)
        values.setdefault(name, []).append(value if found else None)
    return values


def differing(one: dict[bytes, Values], other: dict[bytes, Values]) -> list[bytes]:
    """Return the names whose values differ, sorted."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
