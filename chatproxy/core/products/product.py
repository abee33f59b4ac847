"""The shape of a product's table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

DOMAIN = "twilio.com"


@dataclass(frozen=True, slots=True)
class Collection:
    """Resources of one kind: ``path`` has ``{}`` for each segment that names a member of another collection.

    The defaults are parameters, as ``Name=value``, that mean the same as their absence: of a list's query, and of the
    form of a create. The fields that name other collections have their paths: segments that both paths begin with are
    the same in both.
    """

    path: str
    list_defaults: tuple[str, ...] = ()
    create_defaults: tuple[str, ...] = ()
    is_counted: bool = True
    """Whether the object above shows how many members there are."""
    unique: str = ""
    """The parameter of a create whose value no two members share."""
    named_by: str = ""
    """The field of a member whose value may stand in the place of its SID in a path."""
    told_by: tuple[str, ...] = ()
    """The fields of objects below a member that tell the member's SID."""
    sent_as: str = ""
    """How the names of parameters end that send a member's SID."""
    rules_below: bool = False
    """Whether an update of a member changes what is done below it; elsewhere it changes nothing there."""
    changes: tuple[str, ...] = ()
    """Collections in which a write here may change every member, and what a create gives."""
    ends: tuple[str, ...] = ()
    """The same of a delete of a member alone."""
    counted_by: tuple[str, ...] = ()
    """Collections whose members show how many members here are theirs: a delete of one may change each of them."""
    makes: str = ""
    """The collection in which a create makes a member of the same unique value, where there is none."""
    made_by: str = ""
    """The parameter of that create with this value."""
    shows: str = ""
    """The collection that is shown, with what is below its members, in the place of one of its own."""

    @property
    def name(self) -> str:
        """The last segment of its path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Urls:
    """Which string fields of an answer are URLs of the API: by their names, or by the object that holds them."""

    names: frozenset[str] = frozenset()
    holders: frozenset[str] = frozenset()
    """Objects of which each field is one."""
    suffixes: Mapping[str, str] = field(default_factory=dict)
    """Objects of which those fields are one whose names end so."""


@dataclass(frozen=True, slots=True)
class Lists:
    """How lists are asked for and answered."""

    token: str
    """The parameter with a page token."""
    tokens: tuple[str, ...]
    """Patterns of the page tokens that have a meaning of their own, in which ``{}`` is a SID."""
    newest_first: str
    """The parameter, as ``Name=value``, that turns the order round."""
    paging: frozenset[str]
    """The parameters of a list that leave no member out."""
    page: str
    """The field with the object that describes a page; the next five are fields of that object."""
    key: str
    """Which field of the answer has the members."""
    number: str
    size: str
    previous: str
    """The URL of the page before, null on the first."""
    next: str
    """The URL of the page after, null on the last."""
    index: str
    """The field of a member that counts the members."""


@dataclass(frozen=True, slots=True)
class Product:
    """One version of one of Twilio's APIs."""

    hosts: tuple[str, ...]
    """Names below ``twilio.com``, all of which are one host, the one in use today first."""
    version: str
    """The first segment of each path."""
    collections: tuple[Collection, ...]
    lists: Lists
    sid: str
    """The field with an object's own SID."""
    created: str
    """The field with the instant of an object's create."""
    updated: str
    """The field with the instant of an object's last change."""
    dates: tuple[str, ...]
    """Patterns of the names of all fields with instants."""
    urls: Urls
    written: Mapping[str, str]
    """The parameters that users write, and the field of answers that repeats each."""
    json_texts: tuple[str, ...]
    """The parameters and fields whose texts are JSON."""
    derived: tuple[str, ...]
    """Patterns of the names of fields that a write changes without being sent them, in its object or above it."""

    @property
    def host(self) -> str:
        """The host that stands for all."""
        return f"{self.hosts[0]}.{DOMAIN}"

    @property
    def host_pattern(self) -> str:
        """A pattern of all its hosts, whatever their edge and region: ``chat[.edge][.region].twilio.com``."""
        names = "|".join(map(re.escape, self.hosts))
        return rf"(?:{names})(?:\.[a-z0-9-]+){{0,2}}\.{re.escape(DOMAIN)}"
