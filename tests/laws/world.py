"""All that one account of the tests' own upstream holds, and what is done in one collection for the sake of another.

It imports nothing of the package.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from laws.people import Invites, Joined, Roles, Services, Users, limit_of
from laws.resources import SECOND, Channels, Form, Members, Messages, RefusalError, Resource, Thing

ACCOUNTS = tuple(f"AC{digit * 32}" for digit in "27af")
"""Few, since the package prepares to look for credentials, which takes longer than a program."""
HOUR = 3600 * SECOND


class Below(NamedTuple):
    """What a channel holds."""

    messages: Messages
    members: Members
    invites: Invites


class World:
    """All that one account holds; what ``sids`` seeds differs between two that hold the same.

    Those of one ``owner`` have the same account, and the same SIDs from before the recording. ``greets`` tells that who
    is invited becomes a user.
    """

    def __init__(
        self, sids: int, begin: int, *, owner: int | None = None, last_updated_by: bool = False, greets: bool = False
    ) -> None:
        owner = sids if owner is None else owner
        self._sids = None if owner == sids else sids
        self.draw = Random(owner)
        self.last_updated_by = last_updated_by
        self.greets = greets
        self.account, self.service = ACCOUNTS[owner % len(ACCOUNTS)], ""
        self.services = Services(self, "/v1/Services", "services")
        self._begin = begin
        service = self.services.found(begin - 48 * HOUR)
        self.service = service.sid
        path = f"/v1/Services/{self.service}"
        self.root = f"{path}/Channels"
        self.channels = Channels(self, self.root, "channels")
        self.roles, self.users = Roles(self, f"{path}/Roles", "roles"), Users(self, f"{path}/Users", "users")
        self._below: dict[str, Below] = {}
        self.role, self.user_role = (self._role(name) for name in ("channel", "deployment"))
        roles = {"default_channel_role_sid": self.role, "default_service_role_sid": self.user_role}
        self.services.put(service.changed(**roles), self._begin - 47 * HOUR)

    def _role(self, kind: str) -> str:
        form = {"FriendlyName": f"{kind} user", "Type": kind, "Permission": "sendMessage"}
        return self.roles.create(form, self._begin - 47 * HOUR).sid

    def sid(self, prefix: str) -> str:
        """Draw a new SID."""
        return f"{prefix}{self.draw.getrandbits(128):032x}"

    def seed(self, count: int) -> tuple[str, ...]:
        """Let there be channels with two messages of hours ago, and the first with a member; return their SIDs."""
        for nth in range(count):
            then = self._begin - (5 + count - nth) * HOUR + HOUR // 3
            channel = self.channels.create({"FriendlyName": f"seed {nth}", "UniqueName": f"seed-{nth}"}, then).sid
            below = self.below(channel)
            below.messages.create({"Body": "old 0", "From": "phone"}, then + HOUR)
            below.messages.create({"Body": "old 1"}, then + 2 * HOUR)
            if nth == 0:
                below.members.create({"Identity": "owner"}, then + 2 * HOUR)
        if self._sids is not None:
            self.draw = Random(self._sids)
        return tuple(self.channels.live)

    # What leads where

    def within(self, resource: Resource, thing: Thing) -> Sequence[Resource]:
        """Return the collections below an object."""
        if resource is self.services:
            return self.channels, self.users, self.roles
        if resource is self.channels:
            return self.below(thing.sid)
        if resource is self.users:
            path = f"{resource.path}/{thing.sid}/Channels"
            return (Joined(self, path, "channels").listed(thing.fields["identity"]),)
        return ()

    def below(self, channel: str) -> Below:
        """Return what a channel holds."""
        if channel not in self._below:
            path = f"{self.root}/{channel}"
            self._below[channel] = Below(
                Messages(self, f"{path}/Messages", "messages"),
                Members(self, f"{path}/Members", "members"),
                Invites(self, f"{path}/Invites", "invites"),
            )
        return self._below[channel]

    def everything(self) -> Iterator[Resource]:
        """Yield all collections but those that are made up of others."""
        yield from (self.services, self.roles, self.users, self.channels)
        for channel in self.channels.live:
            yield from self.below(channel)

    # What one does for the sake of another

    def role_of(self, form: Form, otherwise: str = "") -> object:
        """Return the role that a form sends, else the one that the service has for such; refuse one that is gone."""
        if "RoleSid" in form:
            return self.existing(form["RoleSid"])
        return self.services.live[self.service].fields[otherwise]

    def existing(self, role: str) -> str:
        """Refuse a role that is not there."""
        if self.roles.find(role) is None:
            raise RefusalError(400, 50100, "Role not found")
        return role

    def memberships(self, identity: object) -> dict[str, Thing]:
        """Return as what an identity is a member, by the SIDs of the channels."""
        found = ((channel, self.below(channel).members.by("identity", identity)) for channel in self.channels.live)
        return {channel: member for channel, member in found if member}

    def admit(self, members: Members, identity: str, now: int) -> None:
        """Refuse one member too many, else let who becomes one be a user, and invited no more."""
        service = self.services.live[self.service]
        if len(members.live) >= limit_of(service, "channel_members"):
            raise RefusalError(403, 50403, "Channel member limit exceeded")
        if len(self.memberships(identity)) >= limit_of(service, "user_channels"):
            raise RefusalError(403, 50202, "User channel limit exceeded")
        self._greet(identity, now)
        _end(self.below(members.path.split("/")[-2]).invites, identity, now)

    def invite(self, invites: Invites, identity: str, now: int) -> None:
        """Refuse an invite of a member."""
        if self.below(invites.path.split("/")[-2]).members.by("identity", identity):
            raise RefusalError(409, 50404, "Member already exists")
        if self.greets:
            self._greet(identity, now)

    def leave(self, identity: object, now: int) -> None:
        """End what an identity has in channels."""
        for channel in self.channels.live:
            below = self.below(channel)
            _end(below.members, identity, now)
            _end(below.invites, identity, now)

    def _greet(self, identity: str, now: int) -> None:
        if self.users.by("identity", identity) is None:
            self.users.create({"Identity": identity}, now)


def _end(resource: Members | Invites, identity: object, now: int) -> None:
    while (found := resource.by("identity", identity)) is not None:
        resource.drop(found, now)
