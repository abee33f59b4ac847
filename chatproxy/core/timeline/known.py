"""What a fixture says of its SIDs: which are known, and what each was where it was recorded."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.twilio.sids import PREFIX


@dataclass(frozen=True, slots=True)
class Known:
    """A SID that the program brought along, or could have: a service, a channel, a user, a role, or one it sent first.

    ``parent`` is the known one that stands above it in paths. ``own`` is what the recorder had in its place, none in an
    anonymous fixture, and ``variable`` the name of the environment variable that held it.
    """

    sid: RecordedSid
    parent: RecordedSid | None = None
    own: LiveSid | None = None
    variable: str | None = None

    def texts(self) -> tuple[str | None, ...]:
        """Return it as texts, for who stores it."""
        parent, own = (sid.decode() if sid else None for sid in (self.parent, self.own))
        return self.sid.decode(), parent, own, self.variable

    @classmethod
    def of(cls, sid: str, parent: str | None, own: str | None, variable: str | None) -> "Known":
        """Return what these texts stand for."""
        return cls(
            RecordedSid(sid.encode()),
            RecordedSid(parent.encode()) if parent else None,
            LiveSid(own.encode()) if own else None,
            variable,
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """What a canonical fixture says: the account that recorded, and the known SIDs.

    One of version 2 or before is ``bare``: it says only which SIDs the program sent.
    """

    account: str | None
    known: tuple[Known, ...]
    bare: bool = False

    @classmethod
    def of_supplied(cls, account: str | None, supplied: tuple[str, ...]) -> "Declared":
        """Return what a fixture of version 2 says: each SID stood for itself."""
        known = (Known(RecordedSid(sid.encode()), own=LiveSid(sid.encode())) for sid in supplied)
        return cls(account, tuple(known), bare=True)


NO_VARIABLES: Mapping[str, str] = {}
"""That no environment variable held a known SID, or that none is known."""

_WHOLE = re.compile(f"(?:{PREFIX.decode()})[0-9a-f]{{32}}")


def is_sid(value: str) -> bool:
    """Tell whether the value of a variable as a whole is a SID."""
    return _WHOLE.fullmatch(value) is not None


def holding(environ: Mapping[str, str]) -> dict[str, str]:
    """Return those variables whose values as a whole are SIDs, by their names."""
    return {name: value for name, value in environ.items() if is_sid(value)}


def variables_of(environ: Mapping[str, str], known: Iterable[Known]) -> dict[str, str]:
    """Return by which variables known SIDs were held; of several for one SID the first by name."""
    names = {value: name for name, value in sorted(holding(environ).items(), reverse=True)}
    return {own: names[own] for one in known if one.own and (own := one.own.decode()) in names}


def held_by(variables: Mapping[str, str], known: Iterable[Known]) -> tuple[Known, ...]:
    """Return known SIDs with the variables that held them, given by the recorder's own SIDs."""
    return tuple(
        replace(one, variable=variables[one.own.decode()]) if one.own and one.own.decode() in variables else one
        for one in known
    )
