"""Patterns: regular expressions that are searched in texts, and what stands where one was found.

Nothing is found within a SID or a pseudonym, nor what begins or ends in one: a SID cut in two would stand for
nothing any more, and a pseudonym must stay as it is.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

from chatproxy.core.scrubbing.engines import Searches
from chatproxy.core.scrubbing.pseudonyms import TEXT_PSEUDONYM
from chatproxy.core.scrubbing.rules import Action, Scrub, ScrubRule
from chatproxy.core.twilio.sids import SID

Act = Callable[[ScrubRule, str], str]
"""Gives what stands in the place of what a pattern found."""

_TEXT_SID = re.compile(SID.pattern.decode())


def patterned(text: str, scrub: Scrub, act: Act) -> str:
    """Search all patterns in a text, one after another.

    A text that is no UTF-8 goes as a whole where one is found: what is left of it could read otherwise.
    """
    for rule in scrub.patterns:
        new = _replaced(text, rule, act) if rule.pattern.search(text) else text
        if new != text:
            text = new if _is_clean(text) else act(rule, text)
    return text


def _is_clean(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _replaced(text: str, rule: ScrubRule, act: Act) -> str:
    fixed = _fixed(text)
    parts: list[str] = []
    begin = position = 0
    while found := rule.pattern.search(text, position):
        start, end = found.span()
        stays = _touched(fixed, start, end, inner=rule.action is Action.REPLACE)
        if stays:
            position = stays
        elif start == end:
            position = end + 1
        else:
            parts += (text[begin:start], act(rule, text[start:end]))
            begin = position = end
        if position > len(text):
            break
    return "".join((*parts, text[begin:]))


_Span = tuple[int, int, bool]
"""Where a SID or a pseudonym stands, and whether it is a SID."""


def _fixed(text: str) -> Sequence[_Span]:
    found = [(*sid.span(), True) for sid in _TEXT_SID.finditer(text)]
    return sorted([*found, *((*pseudonym.span(), False) for pseudonym in TEXT_PSEUDONYM.finditer(text))])


def _touched(fixed: Sequence[_Span], start: int, end: int, *, inner: bool) -> int:
    """Return the end of the first SID or pseudonym that stands against taking what was found, 0 if none does.

    What holds a whole one and more may be taken; but for pseudonyms only if those within may go (``inner``): a
    pseudonym of a pseudonym could not be served as what the client sent.
    """
    for place in range(bisect_right(fixed, start, key=lambda span: span[1]), len(fixed)):
        first, last, is_sid = fixed[place]
        if first >= end:
            break
        is_within = start <= first and last <= end and (first, last) != (start, end)
        if not is_within or not (is_sid or inner):
            return last
    return 0


def _finds(pattern: Searches, text: str) -> bool:
    """Tell whether a pattern finds more than empty texts."""
    position = 0
    while found := pattern.search(text, position):
        start, end = found.span()
        if start < end:
            return True
        position = end + 1
        if position > len(text):
            break
    return False


def patterned_number(number: str, scrub: Scrub, pseudonym: Callable[[str], str]) -> str:
    """Search all patterns in the spelling of a JSON number; what is left may be no number any more.

    A pseudonym stands for the number as a whole.
    """
    for rule in scrub.patterns:
        if _finds(rule.pattern, number):
            if rule.action is Action.PSEUDONYM:
                return pseudonym(number)
            number = _replaced(number, rule, lambda rule, _: rule.text)
    return number
