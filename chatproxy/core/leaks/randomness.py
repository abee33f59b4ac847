"""How random a text looks: names and words change between letters and digits seldom, keys do at nearly every place."""

import re
from itertools import pairwise


def is_random(text: bytes) -> bool:
    """Tell whether a text looks drawn by lot: of pieces as short as no words are, or of letters and digits by turns."""
    pieces: list[bytes] = _PIECE.findall(text)
    if len(set(text)) < _FEWEST_SIGNS or len(pieces) < _FEWEST_PIECES:
        return False
    if sum(map(len, pieces)) < _LONGEST_MEAN * len(pieces) or _HEXADECIMAL.fullmatch(text):
        return True
    turns = sum(one.isdigit() != other.isdigit() for one, other in pairwise(pieces))
    return turns >= _FEWEST_TURNS


_PIECE = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_HEXADECIMAL = re.compile(rb"[0-9a-f]{16,}|[0-9A-F]{16,}")
_LONGEST_MEAN = 3.2
"""Of 32 letters and digits by lot, one in a thousand has longer pieces; ``getUserByUniqueNameV2`` has."""
_FEWEST_SIGNS, _FEWEST_PIECES, _FEWEST_TURNS = 6, 4, 5


def is_wordless(text: bytes) -> bool:
    """Tell whether words are the lesser part of a text, as of base64, in which four small letters in a row are rare."""
    return sum(map(len, _WORD.findall(text))) < _MOST_OF_WORDS * len(text)


_WORD = re.compile(rb"[a-z]{4,}")
_MOST_OF_WORDS = 0.3
