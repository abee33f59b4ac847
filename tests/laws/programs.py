"""Random programs as data: operations on what other operations have made, from a seed.

An operation names objects by handles: the id of the operation that made them, ``seed0`` for a channel that was there,
``default`` for the role that the service gives members. What calls it makes is known when these have SIDs.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from laws.traffic import Call, Fault

Pairs = tuple[tuple[str, str], ...]
Handles = dict[str, str]
"""SIDs by the handles of what they name; ``service`` names the service."""

COLLIDING = "uniq-A"
"""A unique name that several channels are to have, so that it does not say which one is meant."""

METHODS = {"create": "POST", "update": "POST", "list": "GET", "fetch": "GET", "delete": "DELETE"}


@dataclass(frozen=True, slots=True)
class Op:
    """One operation.

    ``alias`` stands in the path for the SID of the channel, or of a user, ``follow`` reads all pages, and ``unique`` is
    the unique value with which that was made what it updates or deletes. It is ``Joined`` what a user has joined.
    """

    id: str
    do: str
    what: str
    channel: str = ""
    target: str = ""
    pairs: Pairs = ()
    query: str = ""
    alias: str = ""
    follow: bool = False
    unique: str = ""
    sleep: float = 0

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return METHODS[self.do] == "GET"

    @property
    def place(self) -> tuple[str, ...]:
        """The path, in handles, of the object that it makes, changes, deletes or reads, or of the collection."""
        if self.what == "Channels":
            if self.do == "create":
                return (self.id,)
            return (self.channel,) if self.channel else ()
        collection = (self.channel, self.what)
        if self.do == "list":
            return collection
        return (*collection, self.id if self.do == "create" else self.target)


def call_of(op: Op, handles: Mapping[str, str]) -> Call | None:
    """Return the call of an operation, or None where something that it names has no SID."""
    sent = [value[1:] for _, value in op.pairs if value[:1] == "@"]
    named = [op.target, *sent] if op.alias else [op.channel, op.target, *sent]
    if any(name and name not in handles for name in named):
        return None
    path = "/".join([f"/v1/Services/{handles['service']}", *_below(op, handles)])
    pairs = tuple((name, handles[value[1:]] if value[:1] == "@" else value) for name, value in op.pairs)
    return Call(METHODS[op.do], path + (f"?{op.query}" if op.query else ""), pairs)


def _below(op: Op, handles: Mapping[str, str]) -> Iterator[str]:
    """Yield the path of an operation below that of the service."""
    if op.what in {"Users", "Roles", "Joined"}:
        yield "Roles" if op.what == "Roles" else "Users"
        yield from [op.alias or handles[op.target]] if op.alias or op.target else []
        yield from ["Channels"] if op.what == "Joined" else []
    elif op.what != "Services":
        yield "Channels"
        yield from [op.alias or handles[op.channel]] if op.channel else []
        yield from [op.what] if op.what != "Channels" else []
        yield from [handles[op.target]] if op.target else []


@dataclass(frozen=True, slots=True)
class Reaction:
    """After an operation: poll a channel until others have written there, then touch what they wrote so often."""

    wait: bool
    sleep: float
    which: int


@dataclass(frozen=True, slots=True)
class Program:
    """Operations, reactions by the place of the operation before, and what goes wrong with which operation."""

    ops: tuple[Op, ...]
    reactions: Mapping[int, Reaction] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Style:
    """Of what programs are made."""

    sleeps: tuple[float, ...] = (0, 0, 0, 0.3, 1.1, 2.3)
    most: int = 20
    prefix: str = "p"
    pages: bool = True
    """Lists are read in pages of two, too."""
    aliases: float = 0.15
    """How often a channel is called by its unique name, where it has one."""
    bad: float = 0.04
    """How often something is asked for that is refused whatever there is."""
    renames: bool = False
    """Channels get other unique names."""
    roles: bool = False
    """Members get roles, whose SIDs the program knows."""
    named_users: bool = False
    """Users are updated and deleted by their identities, also those that no answer has shown."""
    limits: tuple[str, ...] = ("Limits.ChannelMembers",)
    """Of which limits the service is told."""
    without: frozenset[tuple[str, str]] = frozenset()
    """Which calls there are none of, by what they do and what with."""
    reactions: float = 0.0
    faults: tuple[Fault, ...] = ()


_KINDS = (
    ("create", "Messages"), ("create", "Messages"), ("create", "Messages"), ("fetch", "Messages"),
    ("fetch", "Messages"), ("update", "Messages"), ("update", "Messages"), ("delete", "Messages"),
    ("list", "Messages"), ("list", "Messages"), ("create", "Members"), ("fetch", "Members"), ("update", "Members"),
    ("delete", "Members"), ("list", "Members"), ("fetch", "Channels"), ("list", "Channels"), ("update", "Channels"),
    ("create", "Channels"), ("delete", "Channels"),
)  # fmt: skip


class Drafts(ABC):
    """Makes the operations of one program; remembers the channels, their names, and what was made."""

    def __init__(self, draw: Random, style: Style) -> None:
        self._draw = draw
        self._style = style
        self._channels = ["seed0"]
        self._names = {"seed0": "seed-0"}
        self._made: list[Op] = []

    def ops(self, count: int) -> tuple[Op, ...]:
        """Return at most so many operations."""
        found = (self._op(f"{self._style.prefix}{nth}") for nth in range(count))
        return tuple(op for op in found if op is not None)

    @abstractmethod
    def _op(self, own: str) -> Op | None:
        """Return an operation of this name, if one can be made."""


class Maker(Drafts):
    """Makes operations on channels, messages and members."""

    def _op(self, own: str) -> Op | None:
        do, what = self._draw.choice(_KINDS)
        op = Op(own, do, what, sleep=self._draw.choice(self._style.sleeps))
        if self._draw.random() < self._style.bad:
            return self._bad(op)
        return self._on_channels(op) if what == "Channels" else self._below(op)

    def _bad(self, op: Op) -> Op:
        if op.do == "create" and op.what != "Channels":
            return replace(op, channel="seed0", pairs=(("From", "x"),))
        if op.do == "update" and op.what == "Channels":
            return replace(op, channel="seed0", pairs=(("Attributes", "{"),))
        return replace(op, do="list", what="Messages", channel="seed0", query="PageSize=0")

    def _on_channels(self, op: Op) -> Op | None:
        draw = self._draw
        if op.do == "create":
            name = draw.choice([COLLIDING, f"room-{op.id}", ""])
            self._channels.append(op.id)
            if name:
                self._names[op.id] = name
            pairs = (("UniqueName", name),) if name else (("FriendlyName", draw.choice(["den", op.id])),)
            return replace(op, pairs=pairs)
        if op.do == "list":
            paged = self._style.pages and draw.random() < 0.4
            return replace(op, query="PageSize=2" if paged else "", follow=paged)
        if op.do == "delete":
            if draw.random() < 0.5:
                return None
            channel = draw.choice(self._channels[1:] or self._channels)
            return replace(op, channel=channel, unique=self._names.get(channel, ""))
        op = self._at(op)
        op = replace(op, unique=self._names.get(op.channel, ""))
        return replace(op, pairs=self._renamed(op)) if op.do == "update" else op

    def _renamed(self, op: Op) -> Pairs:
        if self._style.renames and self._draw.random() < 0.5:
            return (("UniqueName", self._draw.choice([COLLIDING, f"new-{op.id}"])),)
        return self._draw.choice(
            [(("FriendlyName", "x"),), (("FriendlyName", op.id),), (("Attributes", f'{{"a": "{op.id}"}}'),)]
        )

    def _at(self, op: Op) -> Op:
        channel = op.channel or self._draw.choice(self._channels)
        name = self._names.get(channel, "")
        by_name = bool(name) and name != COLLIDING and self._draw.random() < self._style.aliases
        return replace(op, channel=channel, alias=name if by_name else "")

    def _below(self, op: Op) -> Op | None:
        draw = self._draw
        if op.do == "list":
            orders = ["", "", "Order=desc"] if op.what == "Messages" else [""]
            query = draw.choice([*orders, *(["PageSize=2"] if self._style.pages else [])])
            return replace(self._at(op), query=query, follow=query == "PageSize=2" and draw.random() < 0.7)
        if op.do == "create":
            op = replace(self._at(op), pairs=self._new(op))
            self._made.append(op)
            return op
        made = [one for one in self._made if one.what == op.what]
        if not made:
            return None
        one = draw.choice(made)
        unique = dict(one.pairs).get("Identity", "")
        op = self._at(replace(op, channel=one.channel, target=one.id, unique=unique))
        return replace(op, pairs=self._other(op)) if op.do == "update" else op

    def _new(self, op: Op) -> Pairs:
        draw = self._draw
        if op.what == "Members":
            return (("Identity", draw.choice(["alice", "bob", op.id])),)
        more: list[Pairs] = [(), (), (("From", "me"),), (("Attributes", f'{{"n": [1, "{op.id}"]}}'),)]
        return (("Body", draw.choice(["hello", op.id])), *draw.choice(more))

    def _other(self, op: Op) -> Pairs:
        draw = self._draw
        if op.what == "Members":
            if self._style.roles and draw.random() < 0.5:
                return (("RoleSid", "@role"),)
            return (("LastConsumedMessageIndex", str(draw.randrange(4))),)
        text = draw.choice(["x", "y", op.id])
        return draw.choice([(("Body", text),), (("Body", text),), (("Attributes", f'["{text}"]'),), ()])


def random_program(seed: int, style: Style) -> Program:
    """Return the program of a seed."""
    draw = Random(seed)
    ops = Maker(draw, style).ops(draw.randrange(4, style.most))
    reactions = {
        nth: Reaction(draw.random() < 0.5, draw.choice([0, 0.3, 1.1, 2.0]), draw.randrange(100))
        for nth in range(len(ops))
        if draw.random() < style.reactions
    }
    faults = {op.id: draw.choice(style.faults) for op in ops if style.faults and draw.random() < 0.15}
    return Program(ops, reactions, faults)


def threads(draw: Random, count: int, *, equal: bool = False) -> list[tuple[Op, ...]]:
    """Return threads that each create, fetch, update and fetch messages of their own in one channel.

    Their texts differ, or are ``equal``, and so are their updates.
    """
    found = []
    for nth in range(count):
        ops = []
        for which in range(draw.randrange(1, 4)):
            own = f"t{nth}m{which}"
            text = f"text {which}" if equal else own
            at = Op(own, "create", "Messages", "seed0", pairs=(("Body", text),), sleep=draw.choice([0, 0, 0.05, 0.3]))
            fetch = replace(at, id=f"{own}f", do="fetch", target=own, pairs=())
            update = replace(at, id=f"{own}u", do="update", target=own, pairs=(("Body", f"{text} changed"),))
            ops += [at, fetch, update, replace(fetch, id=f"{own}g")]
        found.append(tuple(ops))
    return found


def contended(draw: Random, count: int) -> list[tuple[Op, ...]]:
    """Return threads that all update and read one channel, with few values, so that many updates are equal."""
    fields = [(("FriendlyName", text),) for text in "xy"] + [(("Attributes", f'{{"a": {nth}}}'),) for nth in range(2)]
    forms: list[Pairs] = [*fields, (*fields[0], *fields[2]), ()]
    kinds = ["update", "update", "update", "fetch", "list"]

    def op(own: str) -> Op:
        found = Op(own, draw.choice(kinds), "Channels", sleep=draw.choice([0, 0, 0.05, 0.3]))
        found = replace(found, channel="" if found.do == "list" else "seed0")
        return replace(found, pairs=draw.choice(forms)) if found.do == "update" else found

    return [tuple(op(f"t{nth}p{which}") for which in range(draw.randrange(2, 6))) for nth in range(count)]
