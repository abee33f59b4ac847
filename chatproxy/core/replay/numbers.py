"""Sets of exchange numbers."""

from collections.abc import Iterable, Iterator

from chatproxy.core.model import ExchangeNumber


class Numbers:
    """A set of exchange numbers, one bit each, in pieces: numbers may have gaps of any size."""

    def __init__(self) -> None:
        self._pieces: dict[int, int] = {}
        self._count = 0

    def add(self, number: ExchangeNumber) -> bool:
        """Put a number in, and tell whether it is new."""
        piece, bit = number // _PIECE, 1 << number % _PIECE
        bits = self._pieces.get(piece, 0)
        if bits & bit:
            return False
        self._pieces[piece] = bits | bit
        self._count += 1
        return True

    def __contains__(self, number: ExchangeNumber) -> bool:
        return self._pieces.get(number // _PIECE, 0) >> number % _PIECE & 1 == 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ExchangeNumber]:
        return (
            ExchangeNumber(piece * _PIECE + bit)
            for piece, bits in sorted(self._pieces.items())
            for bit in range(bits.bit_length())
            if bits >> bit & 1
        )

    def missing(self, numbers: Iterable[ExchangeNumber]) -> Iterator[ExchangeNumber]:
        """Yield those of the numbers that are not in."""
        return (number for number in numbers if number not in self)


_PIECE = 256
