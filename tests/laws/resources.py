"""Resources of the tests' own upstream: what they hold, and what creates, updates and deletes do to them.

Here are channels with their messages and members; ``people`` has the others.

It imports nothing of the package. Moments are microseconds since 1970, by the service's own clock.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laws.world import World

SECOND = 10**6
ORIGIN = "https://chat.twilio.com"
Form = Mapping[str, str]
"""A form: what it sends several times is one value, a line each."""


class RefusalError(Exception):
    """An answer that is an error: its status, Twilio's code, and the message."""

    def __init__(self, status: int, code: int | None, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def iso(moment: int) -> str:
    """Return a moment as fields show it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment // SECOND)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Thing:
    """An object; ``serial`` counts those of its collection."""

    sid: str
    serial: int
    fields: dict[str, object]

    def changed(self, **fields: object) -> "Thing":
        """Return it with other values in some fields."""
        return Thing(self.sid, self.serial, {**self.fields, **fields})


@dataclass(slots=True)
class Resource(ABC):
    """A collection: what lives in it, in the order of creates, and what it held before, for lists that lag."""

    world: "World"
    path: str
    key: str
    live: dict[str, Thing] = field(default_factory=dict)
    serials: dict[str, int] = field(default_factory=dict)
    past: list[tuple[int, tuple[Thing, ...]]] = field(default_factory=list)
    written: int = 0

    def at(self, moment: int) -> tuple[Thing, ...]:
        """Return what it held at a moment."""
        return next((things for then, things in reversed(self.past) if then <= moment), ())

    def find(self, named: str) -> Thing | None:
        """Return what lives under a SID."""
        return self.live.get(named)

    def by(self, name: str, value: object) -> Thing | None:
        """Return the first object with this value."""
        return next((one for one in self.live.values() if one.fields[name] == value), None)

    def put(self, thing: Thing, now: int) -> Thing:
        """Let an object be there, or be so from now on."""
        self.live[thing.sid] = thing
        self.past.append((now, tuple(self.live.values())))
        return thing

    def drop(self, thing: Thing, now: int) -> None:
        """Let an object be gone."""
        del self.live[thing.sid]
        self.past.append((now, tuple(self.live.values())))

    def make(self, prefix: str, now: int, fields: Mapping[str, object]) -> Thing:
        """Let there be a new object; its times and its URL come where the fields have None for them."""
        sid = self.world.sid(prefix)
        own = {"sid": sid, "account_sid": self.world.account, "service_sid": self.world.service}
        own |= {"date_created": iso(now), "date_updated": iso(now), "url": f"{ORIGIN}{self.path}/{sid}"}
        thing = Thing(sid, self.written, {name: own.get(name, value) for name, value in fields.items()})
        self.serials[sid] = self.written
        self.written += 1
        return self.put(thing, now)

    @abstractmethod
    def create(self, form: Form, now: int) -> Thing:
        """Create what a form describes, or refuse to."""

    @abstractmethod
    def change(self, thing: Thing, form: Form, now: int) -> Thing:
        """Update an object as a form says, or refuse to."""

    def shown(self, thing: Thing) -> dict[str, object]:
        """Return the fields of an object as they are just now."""
        return thing.fields


class Messages(Resource):
    """The messages of a channel: they count up, and tell whether they were edited."""

    def create(self, form: Form, now: int) -> Thing:
        required(form, "Body")
        checked(form)
        fields: dict[str, object] = dict.fromkeys(("sid", "account_sid", "service_sid"))
        fields |= {"to": self.path.split("/")[-2], "channel_sid": self.path.split("/")[-2]}
        fields |= dict.fromkeys(("date_created", "date_updated")) | {"was_edited": False}
        if self.world.last_updated_by:
            fields["last_updated_by"] = None
        fields |= {"from": form.get("From", "system"), "attributes": form.get("Attributes", "{}")}
        return self.make("IM", now, fields | {"body": form["Body"], "index": self.written, "url": None})

    def change(self, thing: Thing, form: Form, now: int) -> Thing:
        checked(form)
        new = {field: form[name] for name, field in (("Body", "body"), ("Attributes", "attributes")) if name in form}
        if not new:
            return thing
        edited = {"was_edited": True} if "Body" in form else {}
        by = {"last_updated_by": "system"} if self.world.last_updated_by else {}
        return self.put(thing.changed(**new, **edited, **by, date_updated=iso(now)), now)


class Members(Resource):
    """The members of a channel: an identity is one member at most. Who becomes one is a user, and invited no more."""

    def create(self, form: Form, now: int) -> Thing:
        required(form, "Identity")
        role = self.world.role_of(form, "default_channel_role_sid")
        if self.by("identity", form["Identity"]):
            raise RefusalError(409, 50404, "Member already exists")
        self.world.admit(self, form["Identity"], now)
        fields: dict[str, object] = dict.fromkeys(("sid", "account_sid"))
        fields |= {"channel_sid": self.path.split("/")[-2], "service_sid": None, "identity": form["Identity"]}
        fields |= {"role_sid": role, "last_consumed_message_index": None}
        fields |= dict.fromkeys(("last_consumption_timestamp", "date_created", "date_updated", "url"))
        return self.make("MB", now, fields)

    def change(self, thing: Thing, form: Form, now: int) -> Thing:
        new: dict[str, object] = {"role_sid": self.world.role_of(form)} if "RoleSid" in form else {}
        if (consumed := form.get("LastConsumedMessageIndex")) is not None:
            if not consumed.isdigit():
                raise RefusalError(400, 20001, "Invalid LastConsumedMessageIndex.")
            new |= {"last_consumed_message_index": int(consumed), "last_consumption_timestamp": iso(now)}
        return self.put(thing.changed(**new, date_updated=iso(now)), now) if new else thing


class Channels(Resource):
    """The channels of the service, each with a unique name or none, and the counts of what is below it."""

    def find(self, named: str) -> Thing | None:
        return self.live.get(named) or (self.by("unique_name", named) if named else None)

    def create(self, form: Form, now: int) -> Thing:
        checked(form)
        self._unique(form, None)
        fields: dict[str, object] = dict.fromkeys(("sid", "account_sid", "service_sid"))
        fields |= {"friendly_name": form.get("FriendlyName"), "unique_name": form.get("UniqueName")}
        fields |= {"attributes": form.get("Attributes", "{}"), "type": form.get("Type", "public")}
        fields |= dict.fromkeys(("date_created", "date_updated")) | {"created_by": "system"}
        return self.make("CH", now, fields | dict.fromkeys(("members_count", "messages_count", "url", "links")))

    def change(self, thing: Thing, form: Form, now: int) -> Thing:
        checked(form)
        self._unique(form, thing)
        names = (("FriendlyName", "friendly_name"), ("UniqueName", "unique_name"), ("Attributes", "attributes"))
        new = {field: form[name] for name, field in names if name in form}
        return self.put(thing.changed(**new, date_updated=iso(now)), now) if new else thing

    def shown(self, thing: Thing) -> dict[str, object]:
        below = self.world.below(thing.sid)
        url = f"{ORIGIN}{self.path}/{thing.sid}"
        links = {name: f"{url}/{name.title()}" for name in ("members", "messages", "invites")}
        return thing.fields | {
            "members_count": len(below.members.live),
            "messages_count": len(below.messages.live),
            "links": {**links, "last_message": None},
        }

    def _unique(self, form: Form, own: Thing | None) -> None:
        found = self.by("unique_name", form["UniqueName"]) if form.get("UniqueName") else None
        if found is not None and found.sid != (own and own.sid):
            raise RefusalError(409, 50307, "Channel with provided unique name already exists")


def required(form: Form, name: str) -> None:
    """Refuse a form without this parameter; it may be empty."""
    if name not in form:
        raise RefusalError(400, 20001, f"Missing required parameter {name} in the post body")


def checked(form: Form) -> None:
    """Refuse attributes that are no JSON."""
    try:
        json.loads(form.get("Attributes", "{}"))
    except ValueError as error:
        raise RefusalError(400, 50304, "Attributes not valid JSON") from error
