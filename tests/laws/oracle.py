"""What a fresh upstream would give for what a replay answered, and whether the reasons of misses are true."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from laws.clients import Entry, Log
from laws.compare import DATE, SID, exchange_of, objects, reason
from laws.runs import Recorded
from laws.traffic import Call
from laws.upstream import Given, Upstream

Names = dict[str, str]


@dataclass(slots=True)
class World:
    """A fresh upstream, and what its SIDs are called."""

    upstream: Upstream
    names: Names = field(default_factory=dict)

    def __post_init__(self) -> None:
        world = self.upstream.world
        self.names |= {world.account: "account", world.service: "service"}
        self.names |= {world.role: "role", world.user_role: "user role"}
        self.names |= {sid: f"seed{nth}" for nth, sid in enumerate(self.upstream.seeds)}

    def there(self) -> Names:
        """Return what all that is there is called if no create has shown it."""
        things = (one for resource in self.upstream.world.everything() for one in resource.live.values())
        return {one.sid: _old(one.fields) for one in things}

    def ask(self, call: Call, now: int) -> Given:
        """Ask for what a call with names means here."""
        sids = {name: sid for sid, name in (self.there() | self.names).items()}
        target = NAMED.sub(lambda found: sids.get(found[1], f"XX{found[1]}"), call.target)
        pairs = [(key, NAMED.sub(lambda found: sids.get(found[1], found[1]), value)) for key, value in call.pairs]
        return self.upstream.answer(call.method, target, urlencode(pairs).encode(), now)


NAMED = re.compile("<([^<>]*)>")


def call_with(names: Names, call: Call) -> Call:
    """Return a call with names in place of SIDs."""
    pairs = tuple((name, _named(names, value)) for name, value in call.pairs)
    return Call(call.method, _named(names, call.target), pairs)


def _named(names: Names, text: str) -> str:
    return SID.sub(lambda sid: f"<{names.get(sid[0], sid[0])}>", text)


def told(names: Names, body: bytes, own: str) -> Any:
    """Return what an answer says with names in place of SIDs, and without times.

    ``own`` names what it has made; any other object that has no name gets one by its text.
    """
    if not body:
        return None
    answer = json.loads(body)
    for one in objects(answer):
        for shown, name in _roles(one):
            names.setdefault(one[shown], name)
        names.setdefault(one["sid"], own or _old(one))
    for one in answer.get("channels", ()):
        if "member_sid" in one:
            names.setdefault(one["member_sid"], "old member")
    text = DATE.sub("TIME", _named(names, body.decode()))
    return json.loads(re.sub("https?://[a-z0-9.:]+/v1", "ADDRESS", text))


def _old(one: Mapping[str, Any]) -> str:
    """Return what an object is called that no create has shown."""
    label = one.get("body") or one.get("identity") or one.get("friendly_name")
    return _SEEDED.get(f"{label}", f"old {one['sid'][:2]} {label}")


_SEEDED = {"channel user": "role", "deployment user": "user role"}
"""Roles that were there, by what they are called."""


def _roles(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields of an object that show a role, each with the name of the one that was there for such."""
    for shown in ("role_sid", "default_channel_role_sid", "default_service_role_sid"):
        if shown in one:
            is_users = shown == "default_service_role_sid" or one["sid"].startswith("US")
            yield shown, "user role" if is_users else "role"


def tolerant(answer: Any) -> Any:
    """Return an answer without places among siblings, which may be those recorded."""
    if not isinstance(answer, dict):
        return answer
    if "meta" in answer:
        key = answer["meta"]["key"]
        ordered = sorted((tolerant(one) for one in answer[key]), key=str)
        return {**answer, key: ordered}
    return {name: value for name, value in answer.items() if name != "index"}


class Judge:
    """Follows a replay with fresh upstreams that begin as the recorded one did.

    ``counts`` has how many answers were the same, how many the same except places among siblings, how many that of an
    upstream that does the writes in recorded order.
    """

    def __init__(self, recorded: Recorded, known: Names, account: str, seed: int) -> None:
        self._recorded = recorded
        self._seed = seed
        self._live: Names = {sid: name for name, sid in known.items()}
        self._live[account] = "account"
        self._fresh = self._world()
        self._done: list[tuple[int, str, Call]] = []
        self.counts: Counter[str] = Counter()

    def judge(self, log: Log) -> str | None:
        """Return the first wrong answer of a replay."""
        return next((wrong for entry in log if (wrong := self._entry(entry))), None)

    def _world(self) -> World:
        seeds = len(self._recorded.upstream.seeds)
        return World(Upstream(self._seed, self._recorded.begin, quirks=self._recorded.upstream.quirks, seeded=seeds))

    def _entry(self, entry: Entry) -> str | None:
        if entry.is_miss:
            self.counts["miss"] += 1
            return None
        own = f"{entry.op}.{entry.nth}"
        call = call_with(self._live, entry.call)
        given = self._fresh.ask(call, entry.got.moment)
        made = own if given.status == 201 else ""
        mine, theirs = told(self._live, entry.got.body, made), told(self._fresh.names, given.body, made)
        if call.method != "GET" and exchange_of(entry):
            self._done.append((exchange_of(entry), own, call))
        if entry.got.status != given.status:
            return f"wrong: {own} {call.method} {call.target} {call.pairs}: {entry.got.status}, not {given.status}"
        if mine == theirs:
            self.counts["same"] += 1
        elif tolerant(mine) == tolerant(theirs):
            self.counts["places"] += 1
        elif tolerant(mine) == tolerant(self._in_recorded_order(own, call, entry.got.moment)):
            self.counts["recorded order"] += 1
        else:
            shown, should = str(tolerant(mine)), str(tolerant(theirs))
            at = next((n for n, (a, b) in enumerate(zip(shown, should, strict=False)) if a != b), 0)
            there = slice(max(0, at - 80), at + 80)
            return f"wrong: {own} {call.method} {call.target} {call.pairs}: …{shown[there]}…, not …{should[there]}…"
        return None

    def _in_recorded_order(self, own: str, call: Call, now: int) -> Any:
        world = self._world()
        for _, name, write in sorted(self._done):
            given = world.ask(write, now)
            answer = told(world.names, given.body, name if given.status == 201 else "")
            if name == own:
                return answer
        given = world.ask(call, now)
        return told(world.there() | world.names, given.body, "")


def tells(recorded: Recorded, name: str) -> bool:
    """Tell whether an answer of a recording tells which channel has, or had, a unique name."""
    unique = f'"unique_name": {json.dumps(name)}'.encode()
    return any(
        unique in one.response.body or (f"/{name}" in one.request.target.decode() and b'"CH' in one.response.body)
        for one in recorded.exchanges
    )


# Misses

CLAIMS = {
    "never": re.compile("never recorded"),
    "used": re.compile("all ([0-9]+) recorded answers are used|the one recorded answer is used"),
    "others": re.compile("recorded only before another's change"),
    "state": re.compile("recorded only (?:after |before |in another state)"),
}
"""What misses say, by what is claimed."""


def claim(entry: Entry) -> str:
    """Return what a miss claims."""
    return next((name for name, pattern in CLAIMS.items() if pattern.search(reason(entry))), "other")


def untrue(recorded: Recorded, log: Log, known: Names) -> str | None:
    """Return the first miss of a replay whose reason is not true, as far as one can tell from outside."""
    names: Names = {sid: recorded.known[name] for name, sid in known.items()}
    keys = Counter(_key({}, _call(one.request)) for one in recorded.exchanges)
    bodies: dict[int, str] = {one.number: one.response.body.decode() for one in recorded.exchanges}
    got: Counter[object] = Counter()
    for entry in log:
        key = _key(names, entry.call)
        if not entry.is_miss:
            got[key] += 1
            pairs = zip(SID.findall(entry.got.body.decode()), SID.findall(bodies[exchange_of(entry)]), strict=False)
            names |= dict(pairs)
            continue
        what = claim(entry)
        if (what == "never" and keys[key]) or (what == "used" and not 0 < keys[key] <= got[key]):
            return (
                f"untrue: {entry.op} {entry.call.method} {entry.call.target} {entry.call.pairs}, recorded "
                f"{keys[key]} times, answered {got[key]} times: {reason(entry)}"
            )
    return None


def _call(request: Any) -> Call:
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
    return Call(request.method, request.target.decode(), tuple(pairs))


def _key(names: Names, call: Call) -> object:
    path, _, query = SID.sub(lambda sid: names.get(sid[0], sid[0]), call.target).partition("?")
    pairs = [(name, SID.sub(lambda sid: names.get(sid[0], sid[0]), value)) for name, value in call.pairs]
    asked = sorted(one for one in parse_qsl(query) if one not in DEFAULTS)
    return call.method, path, tuple(asked), tuple(sorted(pairs))


DEFAULTS = {("PageSize", "50"), ("Page", "0"), ("Order", "asc")}
