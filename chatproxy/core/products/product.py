"""The shape of a product's table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DOMAIN = "twilio.com"


@dataclass(frozen=True, slots=True)
class Collection:
    """Resources of one kind: ``path`` has ``{}`` for each segment that names a member of another collection.

    The defaults are parameters, as ``Name=value``, that mean the same as their absence: of a list's query, and of the
    form of a create.
    """

    path: str
    list_defaults: tuple[str, ...] = ()
    create_defaults: tuple[str, ...] = ()

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
    """How lists are asked for and answered.

    ``token`` is the parameter with a page token; ``tokens`` are patterns of those with a meaning of their own, in which
    ``{}`` is a SID. ``newest_first`` is the parameter that turns the order round. ``page`` is the object that describes
    a page, ``previous`` and ``next`` its fields that are null on the first and on the last page. ``index`` is the
    field of members that counts them.
    """

    token: str
    tokens: tuple[str, ...]
    newest_first: str
    page: str
    previous: str
    next: str
    index: str


@dataclass(frozen=True, slots=True)
class Product:
    """One version of one of Twilio's APIs.

    ``hosts`` are names below ``twilio.com``, all of which are one host, the one in use today first. ``version`` is the
    first segment of each path. ``named`` are the paths of the collections whose members have unique names too, each
    with the field of answers that tells the member's SID. ``sid`` is the field with an object's own SID, ``created``
    the one with the instant of its create; ``dates`` are patterns of the names of all fields with instants. ``written``
    are the parameters that users write, each with the field of answers that repeats it.
    """

    hosts: tuple[str, ...]
    version: str
    collections: tuple[Collection, ...]
    named: Mapping[str, str]
    lists: Lists
    sid: str
    created: str
    dates: tuple[str, ...]
    urls: Urls
    written: Mapping[str, str]

    @property
    def host(self) -> str:
        """The host that stands for all."""
        return f"{self.hosts[0]}.{DOMAIN}"
