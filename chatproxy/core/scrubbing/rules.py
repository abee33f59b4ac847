"""The rules of scrubbing: what each looks at, and what it does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b

from chatproxy.core.scrubbing.engines import Linear, Searches, compiled, is_unbounded
from chatproxy.core.scrubbing.pseudonyms import Pseudonyms
from chatproxy.core.text.json_edit import Value


class LooksAt(StrEnum):
    """What a rule looks at: the words are those of the configuration."""

    HEADER = "header"
    FIELD = "field"
    PARAMETER = "parameter"
    PATTERN = "pattern"


class Action(StrEnum):
    """What a rule does: the words are those of the configuration."""

    DROP = "drop"
    REPLACE = "replace"
    PSEUDONYM = "pseudonym"


@dataclass(frozen=True)
class ScrubRule:
    """One rule; ``name`` is that of a header, a member or a parameter, a JSON pointer, or a pattern.

    ``text`` is what a replacement puts in, ``linear`` searches a pattern that takes Python's engine too long.
    """

    looks_at: LooksAt
    name: str
    action: Action
    text: str = ""
    linear: Linear | None = field(default=None, compare=False, repr=False)

    @cached_property
    def pattern(self) -> Searches:
        """What searches the regular expression that a pattern is."""
        return compiled(self.name, self.linear)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The steps of a JSON pointer, unescaped; none for a plain name."""
        if not self.name.startswith("/"):
            return ()
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in self.name[1:].split("/"))

    @property
    def drops_all(self) -> bool:
        """Whether it drops whatever an object or array holds."""
        return self.action is Action.DROP and self.steps[-1:] == (ANY,)

    def leads_to(self, value: Value) -> bool:
        """Tell whether the JSON pointer leads to this value."""
        if value.depth != len(self.steps):
            return False
        for step in reversed(self.steps):
            if value.holder is None or step not in (ANY, value.step):
                return False
            value = value.holder
        return True


ANY = "*"
"""A step of a pointer that stands for any member or element; at the end of a header's name, for whatever follows."""


@dataclass(frozen=True)
class Scrub:
    """All rules in their order, and the salt of pseudonyms."""

    rules: tuple[ScrubRule, ...] = ()
    salt: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.rules)

    @cached_property
    def meaning(self) -> list[object]:
        """What differs for rules that could make other results, without the salt itself."""
        salted = blake2b(self.salt.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return [salted, *([rule.looks_at, rule.name, rule.action, rule.text] for rule in self.rules)]

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """What makes the pseudonyms."""
        return Pseudonyms(self.salt)

    @cached_property
    def has_pseudonyms(self) -> bool:
        """Whether any rule makes pseudonyms."""
        return any(rule.action is Action.PSEUDONYM for rule in self.rules)

    @cached_property
    def has_texts(self) -> bool:
        """Whether any rule looks into paths, queries and bodies."""
        return any(rule.looks_at is not LooksAt.HEADER for rule in self.rules)

    @cached_property
    def patterns(self) -> tuple[ScrubRule, ...]:
        """The patterns."""
        return tuple(self._of(LooksAt.PATTERN))

    @cached_property
    def unbounded(self) -> int:
        """How many patterns can take quadratic time."""
        return sum(is_unbounded(rule.name) for rule in self.patterns)

    def header_rule(self, name: bytes) -> ScrubRule | None:
        """Return the rule for header fields of this name."""
        return next((rule for rule in self._headers if names_header(rule.name, name)), None)

    def parameter_rule(self, name: str) -> ScrubRule | None:
        """Return the rule for parameters of this decoded name."""
        return self._parameters.get(name)

    def field_rule(self, value: Value, *, is_of_body: bool) -> ScrubRule | None:
        """Return the rule for a value of a JSON text; pointers lead into bodies only.

        One that drops whatever an array holds goes before all others: else it would hit more when it is applied again.
        """
        named = [] if value.name is None else [*self._names.get(value.name, ())]
        if is_of_body:
            named += [(place, rule) for place, rule in self._pointers if rule.leads_to(value)]
        first = min(named, key=lambda one: (not one[1].drops_all, one[0]), default=None)
        return None if first is None else first[1]

    @cached_property
    def _headers(self) -> list[ScrubRule]:
        return list(self._of(LooksAt.HEADER))

    @cached_property
    def _parameters(self) -> dict[str, ScrubRule]:
        return {rule.name: rule for rule in reversed(list(self._of(LooksAt.PARAMETER)))}

    @cached_property
    def _names(self) -> dict[str, list[tuple[int, ScrubRule]]]:
        found: dict[str, list[tuple[int, ScrubRule]]] = {}
        for place, rule in enumerate(self.rules):
            if rule.looks_at is LooksAt.FIELD and not rule.steps:
                found.setdefault(rule.name, []).append((place, rule))
        return found

    @cached_property
    def _pointers(self) -> list[tuple[int, ScrubRule]]:
        return [(place, rule) for place, rule in enumerate(self.rules) if rule.looks_at is LooksAt.FIELD and rule.steps]

    def _of(self, looks_at: LooksAt) -> Iterator[ScrubRule]:
        return (rule for rule in self.rules if rule.looks_at is looks_at)


NO_SCRUB = Scrub()
"""Without any rule."""


def names_header(rule: str, name: bytes) -> bool:
    """Tell whether a rule's name, or what it begins with, is that of a header; letter case does not count."""
    lower, field_name = rule.lower().encode(), name.lower()
    return field_name.startswith(lower[:-1]) if rule.endswith(ANY) else field_name == lower
