"""Random programs about who is in what: members, invites and users, their roles, and what the service says of them.

What one call does shows in other collections. Which of these calls may change places, ``changes.commute`` cannot tell.
"""

from dataclasses import replace
from random import Random

from laws.programs import METHODS, Drafts, Op, Pairs, Program, Style

IDENTITIES = ("alice", "bob", "owner")
"""Who programs are about: few, so that calls meet; the last is a member of a channel that was there."""

_KINDS = (
    *[("create", "Members")] * 5, ("list", "Members"), ("fetch", "Members"), ("update", "Members"),
    ("delete", "Members"), ("delete", "Members"), *[("create", "Invites")] * 3, ("list", "Invites"),
    ("fetch", "Invites"), ("fetch", "Invites"), ("delete", "Invites"), *[("create", "Users")] * 2, ("list", "Users"),
    ("list", "Users"), *[("fetch", "Users")] * 3, ("update", "Users"), ("delete", "Users"), ("delete", "Users"),
    ("list", "Joined"), ("list", "Joined"), ("create", "Roles"), ("create", "Roles"), ("list", "Roles"),
    ("fetch", "Roles"), ("update", "Roles"), ("delete", "Roles"), ("fetch", "Services"), *[("update", "Services")] * 3,
    ("create", "Channels"), ("create", "Channels"), ("list", "Channels"), ("fetch", "Channels"), ("update", "Channels"),
    ("delete", "Channels"), ("create", "Messages"), ("create", "Messages"), ("list", "Messages"),
)  # fmt: skip


def joining_program(seed: int, style: Style) -> Program:
    """Return the program of a seed."""
    draw = Random(f"joining {seed}")
    ops = _Maker(draw, style).ops(draw.randrange(4, style.most))
    faults = {op.id: draw.choice(style.faults) for op in ops if style.faults and draw.random() < 0.15}
    return Program(ops, faults=faults)


class _Maker(Drafts):
    """Makes the operations of one program about who is in what."""

    def __init__(self, draw: Random, style: Style) -> None:
        super().__init__(draw, style)
        self._roles: list[str] = []

    def _op(self, own: str) -> Op | None:
        do, what = self._draw.choice(_KINDS)
        op = self._aimed(Op(own, do, what, sleep=self._draw.choice(self._style.sleeps)))
        if op is None or (do, what) in self._style.without:
            return None
        if do == "list":
            return self._list(op)
        if METHODS[do] == "POST":
            op = replace(op, pairs=_BAD if self._draw.random() < self._style.bad else self._form(op))
        if do == "create":
            self._note(op)
        elif (do, what) == ("fetch", "Services"):
            self._roles.append("default")
        return op

    def _aimed(self, op: Op) -> Op | None:
        """Say which channel or object an operation is about, if there is one."""
        on_one = op.do not in {"create", "list"}
        if op.what in {"Users", "Joined"}:
            return self._at_user(op) if on_one or op.what == "Joined" else op
        if op.what == "Services" or (op.what in {"Channels", "Roles"} and not on_one):
            return op
        if op.what == "Channels" or not on_one:
            return self._at(op, self._draw.choice(self._channels))
        made = [one for one in self._made if one.what == op.what]
        if not made:
            return None
        one = self._draw.choice(made)
        op = replace(op, target=one.id)
        return self._at(op, one.channel) if one.channel else op

    def _at(self, op: Op, channel: str) -> Op:
        name = self._names[channel]
        by_name = name and self._draw.random() < self._style.aliases
        return replace(op, channel=channel, alias=name if by_name else "")

    def _at_user(self, op: Op) -> Op | None:
        made = [one.id for one in self._made if one.what == "Users"]
        by_sid = op.do in {"update", "delete"} and not self._style.named_users
        if by_sid and not made:
            return None
        if by_sid or (made and self._draw.random() < 0.4):
            return replace(op, target=self._draw.choice(made))
        return replace(op, alias=self._draw.choice(IDENTITIES))

    def _list(self, op: Op) -> Op:
        paged = self._style.pages and self._draw.random() < 0.3
        return replace(op, query=self._draw.choice(["PageSize=1", "PageSize=2"]) if paged else "", follow=paged)

    def _note(self, op: Op) -> None:
        self._made.append(op)
        if op.what == "Roles":
            self._roles.append(op.id)
        if op.what == "Channels":
            self._channels.append(op.id)
            self._names[op.id] = dict(op.pairs).get("UniqueName", "")

    def _form(self, op: Op) -> Pairs:
        draw = self._draw
        role: Pairs = (("RoleSid", f"@{draw.choice(self._roles)}"),) if self._roles else ()
        may_role = draw.choice([(), role])
        name = ("FriendlyName", draw.choice(["u", op.id]))
        permissions: list[Pairs] = [(("Permission", text),) for text in "pq"]
        if op.what == "Services":
            return self._rules(name)
        if op.do == "create":
            who = ("Identity", draw.choice(IDENTITIES))
            kind = ("Type", "channel")
            return {
                "Members": (who, *may_role),
                "Invites": (who, *may_role),
                "Users": (who, *may_role, *draw.choice([(), (name,)])),
                "Roles": (name, kind, *draw.choice([*permissions, (*permissions[0], *permissions[1])])),
                "Channels": draw.choice([(name,), (("UniqueName", f"room-{op.id}"),)]),
                "Messages": (("Body", draw.choice(["hello", op.id])),),
            }[op.what]
        consumed: Pairs = (("LastConsumedMessageIndex", draw.choice("01")),)
        return {
            "Members": draw.choice([consumed, may_role]),
            "Users": draw.choice([(name,), may_role]),
            "Roles": draw.choice(permissions),
            "Channels": (name,),
        }[op.what]

    def _rules(self, name: tuple[str, str]) -> Pairs:
        """Return what is to hold in the service."""
        draw = self._draw
        found: list[Pairs] = [(name,)]
        for limit in self._style.limits:
            found += [((limit, draw.choice(["1", "1", "1", "2", "100"])),)] * 5
        if self._roles:
            role = f"@{draw.choice(self._roles)}"
            found += [(("DefaultChannelRoleSid", role),)] * 2 + [(("DefaultServiceRoleSid", role),)]
        return draw.choice(found)


_BAD: Pairs = (("RoleSid", "RL" + "0" * 32), ("Identity", "alice"), ("Attributes", "{"), ("Limits.ChannelMembers", "x"))
"""A form that is refused whatever there is."""
