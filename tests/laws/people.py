"""Resources of the tests' own upstream: a service with its roles and users, what users have joined, and invites.

It imports nothing of the package. Moments are microseconds since 1970, by the service's own clock.
"""

from collections.abc import Mapping

from laws.resources import ORIGIN, Form, RefusalError, Resource, Thing, checked, iso, required

MEMBERS_LIMIT, CHANNELS_LIMIT = 100, 250


class Services(Resource):
    """The services of the account. An update says what later members and users get, and how many there may be."""

    def found(self, now: int) -> Thing:
        """Let there be a service."""
        fields: dict[str, object] = dict.fromkeys(("sid", "account_sid")) | {"friendly_name": "chat"}
        fields |= dict.fromkeys(("date_created", "date_updated", *_ROLES.values()))
        fields |= {"limits": {"channel_members": MEMBERS_LIMIT, "user_channels": CHANNELS_LIMIT}}
        return self.make("IS", now, fields | dict.fromkeys(("url", "links")))

    def create(self, form: Form, now: int) -> Thing:
        raise RefusalError(403, 20003, "Permission Denied")

    def change(self, thing: Thing, form: Form, now: int) -> Thing:
        new: dict[str, object] = {"friendly_name": form["FriendlyName"]} if "FriendlyName" in form else {}
        new |= {field: self.world.existing(form[name]) for name, field in _ROLES.items() if name in form}
        limits = {field: _limit(form, name) for name, field in _LIMITS.items() if name in form}
        if limits:
            shown = thing.fields["limits"]
            assert isinstance(shown, dict)
            new["limits"] = shown | limits
        return self.put(thing.changed(**new, date_updated=iso(now)), now) if new else thing

    def shown(self, thing: Thing) -> dict[str, object]:
        url = f"{ORIGIN}{self.path}/{thing.sid}"
        return thing.fields | {"links": {name: f"{url}/{name.title()}" for name in ("channels", "roles", "users")}}


_ROLES = {
    "DefaultServiceRoleSid": "default_service_role_sid",
    "DefaultChannelRoleSid": "default_channel_role_sid",
    "DefaultChannelCreatorRoleSid": "default_channel_creator_role_sid",
}
_LIMITS = {"Limits.ChannelMembers": "channel_members", "Limits.UserChannels": "user_channels"}


def _limit(form: Form, name: str) -> int:
    if not form[name].isdigit():
        raise RefusalError(400, 20001, f"Invalid {name}.")
    return int(form[name])


class Roles(Resource):
    """The roles of a service: each permits something."""

    def create(self, form: Form, now: int) -> Thing:
        for name in ("FriendlyName", "Type", "Permission"):
            required(form, name)
        fields: dict[str, object] = dict.fromkeys(("sid", "account_sid", "service_sid"))
        fields |= {"friendly_name": form["FriendlyName"], "type": form["Type"], "permissions": _permissions(form)}
        return self.make("RL", now, fields | dict.fromkeys(("date_created", "date_updated", "url")))

    def change(self, thing: Thing, form: Form, now: int) -> Thing:
        required(form, "Permission")
        return self.put(thing.changed(permissions=_permissions(form), date_updated=iso(now)), now)


def _permissions(form: Form) -> list[str]:
    return form["Permission"].split("\n")


class Users(Resource):
    """The users of a service: an identity is one user at most. With a user go its memberships and invites."""

    def find(self, named: str) -> Thing | None:
        return self.live.get(named) or self.by("identity", named)

    def create(self, form: Form, now: int) -> Thing:
        required(form, "Identity")
        checked(form)
        role = self.world.role_of(form, "default_service_role_sid")
        if self.by("identity", form["Identity"]):
            raise RefusalError(409, 50201, "User already exists")
        fields: dict[str, object] = dict.fromkeys(("sid", "account_sid", "service_sid"))
        fields |= {"attributes": form.get("Attributes", "{}"), "friendly_name": form.get("FriendlyName")}
        fields |= {"role_sid": role, "identity": form["Identity"], "is_online": None, "is_notifiable": None}
        fields |= dict.fromkeys(("date_created", "date_updated", "joined_channels_count", "links", "url"))
        return self.make("US", now, fields)

    def change(self, thing: Thing, form: Form, now: int) -> Thing:
        checked(form)
        new: dict[str, object] = {"role_sid": self.world.role_of(form)} if "RoleSid" in form else {}
        names = (("FriendlyName", "friendly_name"), ("Attributes", "attributes"))
        new |= {field: form[name] for name, field in names if name in form}
        return self.put(thing.changed(**new, date_updated=iso(now)), now) if new else thing

    def drop(self, thing: Thing, now: int) -> None:
        super().drop(thing, now)
        self.world.leave(thing.fields["identity"], now)

    def shown(self, thing: Thing) -> dict[str, object]:
        joined = self.world.memberships(thing.fields["identity"])
        links = {"user_channels": f"{ORIGIN}{self.path}/{thing.sid}/Channels"}
        return thing.fields | {"joined_channels_count": len(joined), "links": links}


class Invites(Resource):
    """The invites to a channel: for who is no member."""

    def create(self, form: Form, now: int) -> Thing:
        required(form, "Identity")
        role = self.world.role_of(form, "default_channel_role_sid")
        self.world.invite(self, form["Identity"], now)
        fields: dict[str, object] = dict.fromkeys(("sid", "account_sid"))
        fields |= {"channel_sid": self.path.split("/")[-2], "service_sid": None, "identity": form["Identity"]}
        fields |= dict.fromkeys(("date_created", "date_updated")) | {"role_sid": role, "created_by": "system"}
        return self.make("IN", now, fields | {"url": None})

    def change(self, thing: Thing, form: Form, now: int) -> Thing:
        raise _not_allowed()


class Joined(Resource):
    """What a user has joined: one entry for each channel, which takes its SID for the place in the list."""

    def listed(self, identity: object) -> "Joined":
        """Return it with what an identity has joined."""
        self.serials = self.world.channels.serials
        joined = self.world.memberships(identity)
        self.live = {sid: Thing(sid, self.serials[sid], self._entry(sid, one)) for sid, one in joined.items()}
        return self

    def _entry(self, sid: str, member: Thing) -> dict[str, object]:
        below, channel = self.world.below(sid), f"{ORIGIN}{self.world.root}/{sid}"
        consumed = member.fields["last_consumed_message_index"]
        read = consumed if isinstance(consumed, int) else -1
        unread = [one for one in below.messages.live.values() if one.serial > read]
        return {
            "account_sid": self.world.account,
            "service_sid": self.world.service,
            "channel_sid": sid,
            "member_sid": member.sid,
            "status": "joined",
            "last_consumed_message_index": consumed,
            "unread_messages_count": len(unread),
            "links": {"channel": channel, "member": f"{channel}/Members/{member.sid}"},
        }

    def at(self, moment: int) -> tuple[Thing, ...]:
        return tuple(self.live.values())

    def find(self, named: str) -> Thing | None:
        return None

    def create(self, form: Form, now: int) -> Thing:
        raise _not_allowed()

    def change(self, thing: Thing, form: Form, now: int) -> Thing:
        raise _not_allowed()


def _not_allowed() -> RefusalError:
    return RefusalError(405, 20004, "Method not allowed")


def limit_of(service: Thing, name: str) -> int:
    """Return a limit of a service."""
    limits = service.fields["limits"]
    assert isinstance(limits, Mapping)
    return int(limits[name])
