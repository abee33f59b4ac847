"""What two runs of a program have in common: answers except SIDs and times, and how times stand to each other."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from laws.clients import Entry, Log

SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
VOLATILE = {
    "date",
    "etag",
    "twilio-concurrent-requests",
    "twilio-request-duration",
    "twilio-request-id",
    "x-chatproxy-exchange",
    "x-chatproxy-outcome",
}


@dataclass(slots=True)
class Names:
    """Names for SIDs, by their order."""

    found: dict[str, str] = field(default_factory=dict)

    def named(self, text: str) -> str:
        """Return a text with names in place of SIDs."""
        return SID.sub(lambda sid: self.found.setdefault(sid[0], f"{sid[0][:2]}#{len(self.found)}"), text)


def header(entry: Entry, name: bytes) -> str:
    """Return the value of a header, or nothing."""
    return next((value.decode() for found, value in entry.got.headers if found.lower() == name), "")


def exchange_of(entry: Entry) -> int:
    """Return the number of the exchange that answered, 0 if none did."""
    return int(header(entry, b"x-chatproxy-exchange").rpartition("/")[2] or 0)


def reason(entry: Entry) -> str:
    """Return why an entry is a miss."""
    return str(entry.told["message"])


def lines(log: Log, address: str) -> Iterator[str]:
    """Yield each answer except its SIDs and times, with what was asked."""
    names = Names()
    for entry in log:
        headers = [
            f"{name.decode()}: {value.decode()}"
            for name, value in entry.got.headers
            if name.decode().lower() not in VOLATILE
        ]
        asked = f"{entry.op} {entry.call.method} {entry.call.target} {entry.call.pairs}"
        text = "\n".join([asked, str(entry.got.status), *headers, entry.got.body.decode()])
        yield DATE.sub("TIME", names.named(text)).replace(address, "ADDRESS")


def difference(recorded: Log, replayed: Log, address: str, live_address: str) -> str | None:
    """Return the first difference between what was recorded and what was replayed, a miss foremost."""
    for entry in replayed:
        if entry.is_miss:
            return f"miss: {entry.op} {entry.call.method} {entry.call.target}: {reason(entry)}"
    for one, other in zip_longest(lines(recorded, address), lines(replayed, live_address)):
        if one != other:
            return f"differs: {_first(one, other)}"
    return None


def _first(one: str | None, other: str | None) -> str:
    if one is None or other is None:
        return f"only {'replayed' if one is None else 'recorded'}: {(one or other or '')[:200]}"
    at = next((nth for nth, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    op = one.split("\n", 1)[0]
    return f"{op}: recorded …{one[max(0, at - 60) : at + 100]!r}, replayed …{other[max(0, at - 60) : at + 100]!r}"


# Times


@dataclass(frozen=True, slots=True)
class Shown:
    """A time in an answer: whose, in which field, recorded and served as what, in seconds.

    ``nth`` tells how many writes of the program had set it to that by then.
    """

    sid: str
    field: str
    recorded: int
    served: int
    nth: int


def seconds(text: str) -> int:
    """Return a time of a field in seconds since 1970."""
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def instants(recorded: Log, replayed: Log) -> Iterator[Shown]:
    """Yield the times in the answers of two logs that are alike."""
    often: Counter[tuple[str, str, int]] = Counter()
    for one, other in zip(recorded, replayed, strict=False):
        often.update(_own([one]) if one.call.pairs else ())
        for then, now in zip(objects(one.told), objects(other.told), strict=False):
            for name, value in then.items():
                if isinstance(value, str) and DATE.fullmatch(value) and isinstance(now.get(name), str):
                    key = then["sid"], name, seconds(value)
                    yield Shown(*key, seconds(now[name]), often[key] if name == "date_updated" else 0)


def objects(told: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects that an answer shows; what a user has joined is none."""
    if not isinstance(told, dict):
        return
    if "sid" in told:
        yield told
    elif "meta" in told:
        yield from (one for one in told[told["meta"]["key"]] if "sid" in one)


@dataclass(frozen=True, slots=True)
class Times:
    """How the times of a replay stand to the recorded ones: what must not be, and what may."""

    unstable: int
    """So many recorded ones were served as several; what several writes set to one second is one for each of them."""
    reversed: int
    """So many pairs have changed their order."""
    lost: int
    """So many pairs were apart, one of them set by others or a pause between them, and are one."""
    merged: int
    """So many pairs were apart, both set by the program without a pause, and are one; it may be."""
    aged: int
    """So many from before the recording have not kept their distance to each other, as they need not from a file."""

    def wrong(self, *, shared: bool) -> bool:
        """Tell whether anything is that must not be, in a replay; of a file, if that is ``shared``."""
        return bool(self.unstable or self.reversed or self.lost or (self.aged and not shared))


def times(recorded: Log, replayed: Log, begin: int, pauses: Sequence[int] = ()) -> Times:
    """Compare the times of two logs that are alike.

    ``begin`` is that of the recording, and ``pauses`` are the ends of those without any request, in the service's
    seconds.
    """
    found = list(instants(recorded, replayed))
    served: dict[tuple[str, str, int, int], set[int]] = {}
    for one in found:
        served.setdefault((one.sid, one.field, one.recorded, one.nth), set()).add(one.served)
    own = set(_own(recorded))
    all_of = sorted((key[2], min(values), key[:3] in own) for key, values in served.items())
    old = {then - now for then, now, _ in all_of if then < begin}
    new = [one for one in all_of if one[0] >= begin]
    backwards, lost, merged = _pairs(new, pauses)
    for (sid, name, then, nth), values in served.items():
        backwards += min(values) < max(served.get((sid, name, then, nth - 1), {min(values)}))
    return Times(sum(len(values) > 1 for values in served.values()), backwards, lost, merged, max(len(old) - 1, 0))


def _pairs(new: Sequence[tuple[int, int, bool]], pauses: Sequence[int]) -> tuple[int, int, int]:
    backwards = lost = merged = 0
    for nth, (then, now, own) in enumerate(new):
        for later, later_now, later_own in new[nth + 1 :]:
            if later > then and later_now < now:
                backwards += 1
            elif later > then and later_now == now:
                near = own and later_own and not any(then < end <= later for end in pauses)
                lost, merged = (lost, merged + 1) if near else (lost + 1, merged)
    return backwards, lost, merged


def _own(log: Log) -> Iterator[tuple[str, str, int]]:
    """Yield the times that answers to writes show for the first time at what they wrote."""
    for entry in log:
        if entry.call.method == "POST" and entry.got.status in {200, 201}:
            told = entry.told
            for name, value in told.items():
                if isinstance(value, str) and DATE.fullmatch(value):
                    yield told["sid"], name, seconds(value)


# Going back


Seen = dict[tuple[str, str], tuple[int, Any]]


def versions(log: Log, numbers: Iterable[int]) -> dict[int, dict[tuple[str, str], int]]:
    """Return for each exchange how often each field of each object that it shows had changed by then.

    ``numbers`` are those of the exchanges of a log. A deleted object, or one that is missing in a whole list, is one
    whose presence has changed.
    """
    last: Seen = {}
    members: dict[str, set[str]] = {}
    found: dict[int, dict[tuple[str, str], int]] = {}
    for number, entry in zip(numbers, log, strict=True):
        put = _put(entry, members)
        for key, value in put.items():
            version, before = last.get(key, (0, value))
            last[key] = (version + (before != value), value)
        found[number] = {key: last[key][0] for key in put}
    return found


def _put(entry: Entry, members: dict[str, set[str]]) -> dict[tuple[str, str], Any]:
    """Return what an answer says: each field of each object but its times, and which objects are there."""
    put: dict[tuple[str, str], Any] = {}
    path = entry.call.target.partition("?")[0]
    told = entry.told
    shown = list(objects(told)) if entry.got.status in {200, 201} else []
    for one in shown:
        put[one["sid"], ""] = True
        put |= {(one["sid"], name): json.dumps(value) for name, value in one.items() if "date" not in name}
        collection = str(one["url"]).rpartition("/")[0].partition("/v1/")[2]
        members.setdefault(collection, set()).add(one["sid"])
    if told and "meta" in told and told["meta"]["next_page_url"] is None and told["meta"]["page"] == 0:
        there = {one["sid"] for one in shown}
        put |= {(sid, ""): False for sid in members.get(path.partition("/v1/")[2], set()) - there}
    if (entry.got.status == 404 and entry.call.method == "GET") or entry.got.status == 204:
        put[path.rpartition("/")[2], ""] = False
    return put


def backwards(log: Log, known: dict[int, dict[tuple[str, str], int]]) -> str | None:
    """Return the first answer of a replay that shows something as it was before an earlier answer showed it."""
    seen: dict[tuple[str, str], tuple[int, int]] = {}
    for entry in log:
        number = exchange_of(entry)
        for key, version in known.get(number, {}).items():
            if version < seen.get(key, (0, 0))[0]:
                return f"back: {entry.op}: exchange {number} shows {key} as before exchange {seen[key][1]}"
            seen[key] = version, number
    return None
