"""An upstream of the tests' own: one service of Programmable Chat v1 with all that is below it, as bytes on the wire.

It shares no code with the package, so that what both believe is not believed twice. Objects are changed by calls and by
others, whose changes are given beforehand. Moments are microseconds since 1970 by the caller's clock.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from laws.lists import page_of
from laws.resources import SECOND, RefusalError, Resource, Thing
from laws.world import World

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Quirks:
    """In what a service deviates from what a client would like."""

    ahead: int = 0
    """By how much its clock is ahead of the caller's."""
    date_ahead: int = 0
    """By how much the header ``Date`` is ahead of the times in bodies."""
    lag: int = 0
    """How long a change takes to show in lists."""
    last_updated_by: bool = False
    """Messages tell who changed them last, as they do in version 2."""
    attributes_in_lists: bool = True
    """Lists of messages show attributes; where not, they show null in their place."""
    greets: bool = False
    """Who is invited becomes a user."""
    marks: bool = False
    """Creates are answered with ``ETag`` and ``Last-Modified``, the latter an ISO 8601 instant."""


PLAIN = Quirks()


@dataclass(frozen=True, slots=True)
class Other:
    """A change by another party: at a moment, or half way between two calls, of which the later is the n-th."""

    do: str
    which: int
    at: int | None = None
    turn: int | None = None


OTHERS = ("hi", "edit", "delete", "join", "leave", "read", "rename")
"""What others do: write, edit or delete a message, join, leave or read a channel, rename it."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the service answers."""

    status: int
    headers: tuple[Header, ...]
    body: bytes

    @property
    def reason(self) -> str:
        """The reason phrase, in capitals as Twilio's are."""
        return HTTPStatus(self.status).phrase.upper()


class Upstream:
    """The service of one account, which begins with ``seeded`` channels; ``owner`` is that of ``World``."""

    def __init__(
        self,
        sids: int,
        begin: int,
        *,
        owner: int | None = None,
        quirks: Quirks = PLAIN,
        seeded: int = 1,
        others: Iterable[Other] = (),
    ) -> None:
        self.quirks = quirks
        self.world = World(
            sids, begin + quirks.ahead, owner=owner, last_updated_by=quirks.last_updated_by, greets=quirks.greets
        )
        self.seeds = self.world.seed(seeded)
        self.calls = 0
        self.changes: list[tuple[bool, int]] = []
        """Which creates and updates there were, each with whether others made it, and its second."""
        self._others = sorted(others, key=lambda one: (one.at or 0, one.turn or 0))
        self._last = begin + quirks.ahead

    def answer(self, method: str, target: str, body: bytes, now: int) -> Given:
        """Answer a call that is processed at this moment."""
        now += self.quirks.ahead
        self._advance(now)
        path, _, query = target.partition("?")
        try:
            return self._decide(method, path, dict(parse_qsl(query, keep_blank_values=True)), body, now)
        except RefusalError as error:
            return self._refused(error, now)

    def fail(self, status: int, now: int) -> Given:
        """Say that a call failed; whether it was done, this does not tell."""
        now += self.quirks.ahead
        self._advance(now)
        return self._refused(RefusalError(status, *_FAILURES[status]), now)

    def _decide(self, method: str, path: str, query: dict[str, str], body: bytes, now: int) -> Given:
        resource, named = self._find(path)
        form = _form(body)
        if named is None:
            if method == "POST":
                made = resource.create(form, now)
                self._note(now)
                return self._given(201, json.dumps(resource.shown(made)), now, self._marks(made))
            page = page_of(resource, resource.at(now - self.quirks.lag), query, path)
            listed = [self._listed(resource, one) for one in page.things]
            return self._given(200, json.dumps({"meta": page.meta, resource.key: listed}), now)
        thing = resource.find(named)
        if thing is None:
            raise _missing(path)
        if method == "DELETE":
            resource.drop(thing, now)
            return self._given(204, "", now)
        if method == "POST":
            thing = resource.change(thing, form, now)
            self._note(now)
        return self._given(200, json.dumps(resource.shown(thing)), now)

    def _find(self, path: str) -> tuple[Resource, str | None]:
        """Return the collection that a path leads to, and the name of the object in it, if it leads to one."""
        resources: Sequence[Resource] = (self.world.services,)
        parts = [unquote(part) for part in path.removeprefix("/v1/").split("/")]
        while True:
            name, *parts = parts
            resource = next((one for one in resources if one.path.rpartition("/")[2] == name), None)
            if resource is None:
                raise _missing(path)
            if len(parts) < 2:
                return resource, parts[0] if parts else None
            thing = resource.find(parts.pop(0))
            resources = self.world.within(resource, thing) if thing else ()

    def _listed(self, resource: Resource, thing: Thing) -> dict[str, object]:
        shown = resource.shown(thing)
        if resource.key == "messages" and not self.quirks.attributes_in_lists:
            return {**shown, "attributes": None}
        return shown

    def _given(self, status: int, text: str, now: int, more: Iterable[Header] = ()) -> Given:
        draw = self.world.draw
        headers = (
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Expose-Headers", "ETag"),
            ("Content-Type", "application/json; charset=utf-8"),
            ("Date", http_date(now + self.quirks.date_ahead)),
            *more,
            ("Strict-Transport-Security", "max-age=15768000"),
            ("Twilio-Concurrent-Requests", str(draw.randrange(1, 4))),
            ("Twilio-Request-Duration", f"0.{draw.randrange(1000):03d}"),
            ("Twilio-Request-Id", self.world.sid("RQ")),
            ("X-Powered-By", "AT-5000"),
            ("X-Shenanigans", "none"),
        )
        return Given(status, headers, text.encode())

    def _refused(self, error: RefusalError, now: int) -> Given:
        code = {} if error.code is None else {"code": error.code}
        more = {} if error.code is None else {"more_info": f"https://www.twilio.com/docs/errors/{error.code}"}
        told = code | {"message": error.message} | more | {"status": error.status}
        return self._given(error.status, json.dumps(told), now)

    def _marks(self, made: Thing) -> tuple[Header, ...]:
        if not self.quirks.marks:
            return ()
        return ("ETag", f"{self.world.draw.getrandbits(128):032x}"), ("Last-Modified", str(made.fields["date_updated"]))

    def _advance(self, now: int) -> None:
        """Let others do what they have done by now."""
        self.calls += 1
        ahead = self.quirks.ahead
        due = [one for one in self._others if (one.at is not None and one.at + ahead <= now) or one.turn == self.calls]
        for one in due:
            self._others.remove(one)
            self._other(one, (self._last + now) // 2 if one.at is None else one.at + ahead)
        self._last = max(self._last, now)

    def _note(self, now: int, *, by_others: bool = False) -> None:
        self.changes.append((by_others, now // SECOND))

    def _other(self, one: Other, now: int) -> None:
        self._note(now, by_others=True)
        channels = list(self.world.channels.live.values())
        if not channels:
            return
        channel = channels[one.which % len(channels)]
        messages, members, _ = self.world.below(channel.sid)
        if one.do == "hi":
            messages.create({"Body": f"hi {one.which}", "From": "phone"}, now)
        elif one.do == "join":
            if not members.by("identity", f"guest {one.which}"):
                members.create({"Identity": f"guest {one.which}"}, now)
        elif one.do == "rename":
            self.world.channels.change(channel, {"FriendlyName": f"by others {one.which}"}, now)
        else:
            _touch(messages if one.do in {"edit", "delete"} else members, one, now)


_FAILURES = {
    429: (20429, "Too Many Requests"),
    500: (None, "An error occurred"),
    503: (20503, "Service is temporarily unavailable"),
}


def _form(body: bytes) -> dict[str, str]:
    form: dict[str, str] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        form[name] = f"{form[name]}\n{value}" if name in form else value
    return form


def _touch(resource: Resource, one: Other, now: int) -> None:
    """Let another edit, delete or read one of those in a collection."""
    there = list(resource.live.values())
    if not there:
        return
    thing = there[one.which % len(there)]
    if one.do in {"delete", "leave"}:
        resource.drop(thing, now)
    elif one.do == "edit":
        resource.change(thing, {"Body": f"edited {one.which}"}, now)
    else:
        resource.change(thing, {"LastConsumedMessageIndex": str(one.which % 9)}, now)


def _missing(path: str) -> RefusalError:
    return RefusalError(404, 20404, f"The requested resource {path.removeprefix('/v1')} was not found")


def http_date(moment: int) -> str:
    """Return a moment as the header ``Date`` shows it."""
    then = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment // SECOND)
    return then.strftime("%a, %d %b %Y %H:%M:%S GMT")
