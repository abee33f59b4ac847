import json
from dataclasses import replace

from exchanges import numbered

from chatproxy.core.model import Exchange, ExchangeNumber, InOrder, RecordedSid, Request, Response, Standing
from chatproxy.core.time.instants import UNKNOWN, Instants, Times
from chatproxy.core.time.timestamps import CANONICAL_BEGIN, SECOND, Spelling, spell_instant

BEGIN = CANONICAL_BEGIN
SID, OTHER = "IM" + "4" * 32, "IM" + "5" * 32
PATH = f"/v1/Services/IS{'1' * 32}/Channels/CH{'2' * 32}/Messages"

CREATE, LIST = Request("POST", PATH.encode()), Request("GET", PATH.encode())


def text(second: float) -> str:
    return spell_instant(BEGIN + int(second * SECOND), Spelling(0)).decode()


class Recorded:
    """A recording by hand: each exchange with the second in which it was sent, and answered half a second later."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def add(self, request: Request, second: float, body: object, status: int = 200, ahead: int = 0) -> None:
        asked = BEGIN + int(second * SECOND)
        date = spell_instant(asked + ahead * SECOND, Spelling(1))
        headers = ((b"Content-Type", b"application/json"), (b"Date", date))
        response = Response(status, b"", headers, json.dumps(body).encode())
        number = len(self.exchanges) + 1
        self.exchanges.append(numbered(number, request, response, "https://x", asked, asked + SECOND // 2))

    def create(self, second: float, sid: str = SID, shown: float | None = None) -> None:
        then = text(second if shown is None else shown)
        self.add(CREATE, second, {"sid": sid, "date_created": then, "date_updated": then})

    def update(self, second: float, shown: float, created: float = 0, form: bytes = b"Body=a") -> None:
        body = {"sid": SID, "date_created": text(created), "date_updated": text(shown)}
        self.add(Request("POST", f"{PATH}/{SID}".encode(), body=form), second, body)

    def show(self, second: float, **messages: tuple[float, float]) -> None:
        shown = [
            {"sid": sid, "date_created": text(created), "date_updated": text(updated)}
            for sid, (created, updated) in messages.items()
        ]
        self.add(LIST, second, {"meta": {"page": 0}, "messages": shown})

    def settled(self) -> Instants:
        instants = Instants()
        for exchange in self.exchanges:
            instants.learn(exchange)
        instants.settle()
        return instants


def rank(instants: Instants, second: float, field: bytes = b"date_created", sid: str = SID) -> tuple[int, bool]:
    found = instants.of((RecordedSid(sid.encode()), field, BEGIN + int(second * SECOND)))
    assert found is not UNKNOWN
    return found.rank, found.own


def test_law_7_what_a_create_shows_of_its_object_is_own_wherever_it_is_shown() -> None:
    recorded = Recorded()
    recorded.show(0)
    recorded.create(1)
    recorded.show(2, **{SID: (1, 1), OTHER: (1, 1)})
    instants = recorded.settled()
    assert rank(instants, 1) == rank(instants, 1, b"date_updated") == (0, True)
    assert rank(instants, 1, sid=OTHER) == (0, False)


def test_law_7_an_update_sets_all_but_the_instant_of_the_create() -> None:
    recorded = Recorded()
    recorded.show(0)
    recorded.update(5, 5, created=2)
    instants = recorded.settled()
    assert rank(instants, 2) == (0, False)
    assert rank(instants, 5, b"date_updated") == (1, True)


def test_law_7_an_update_that_sends_nothing_did_not_set_what_was_shown_before_it_was_sent() -> None:
    recorded = Recorded()
    recorded.show(0)
    recorded.show(3, **{SID: (1, 2)})
    recorded.update(5, 2, created=1, form=b"")
    assert rank(recorded.settled(), 2, b"date_updated") == (1, False)


def test_law_7_what_several_writes_set_to_one_value_is_an_instant_of_each() -> None:
    recorded = Recorded()
    recorded.show(0)
    recorded.create(1)
    recorded.show(1.51, **{SID: (1, 1)})
    recorded.update(1.52, 1, created=1)
    recorded.show(2.1, **{SID: (1, 1)})
    for number, after in ((3, 2), (4, 2), (5, 4)):
        recorded.exchanges[number - 1] = replace(recorded.exchanges[number - 1], after=ExchangeNumber(after))
    for said in (None, InOrder()):
        recorded.exchanges = [replace(one, in_order=said) for one in recorded.exchanges]
        instants = recorded.settled()
        value = (RecordedSid(SID.encode()), b"date_updated", BEGIN + SECOND)
        assert not instants.is_settled(value)
        found = [instants.of(value, one).number for one in recorded.exchanges]
        assert [one - instants.of(value).number for one in found] == [0, 0, 0, 1, 1]
        assert instants.is_settled((value[0], b"date_created", value[2]))
        if said is None:
            assert instants.modified(value[2], recorded.exchanges[4]).number == found[4]


def test_law_7_an_update_by_a_unique_name_sets_the_object_of_its_answer() -> None:
    recorded = Recorded()
    recorded.update(5, 5, created=2)
    (exchange,) = recorded.exchanges
    named = replace(exchange, request=Request("POST", PATH.encode() + b"/lobby"))
    recorded.exchanges = [named]
    instants = recorded.settled()
    assert rank(instants, 5, b"date_updated")[1]
    assert not rank(instants, 2)[1]


def test_law_7_a_write_that_failed_shows_no_object_or_was_given_up_sets_nothing() -> None:
    recorded = Recorded()
    recorded.add(CREATE, 0, {"sid": SID, "date_created": text(0)}, status=500)
    recorded.add(CREATE, 1, {"date_created": text(1)})
    recorded.create(2)
    recorded.exchanges[2] = replace(recorded.exchanges[2], abandoned=True)
    instants = recorded.settled()
    assert not any(rank(instants, second, sid=sid)[1] for second, sid in ((0, SID), (1, ""), (2, SID)))


def test_law_7_own_seconds_are_told_apart_by_a_pause_and_others_always() -> None:
    recorded = Recorded()
    recorded.create(0.8, SID)
    recorded.create(1.4, OTHER)
    recorded.update(2.1, 2, created=0.8)
    recorded.update(4.1, 4, created=0.8)
    instants = recorded.settled()
    assert [rank(instants, 0, sid=SID)[0], rank(instants, 1, sid=OTHER)[0]] == [0, 0]
    assert [rank(instants, second, b"date_updated")[0] for second in (2, 4)] == [0, 1]
    recorded.show(5, **{"IM" + "6" * 32: (1, 1)})
    instants = recorded.settled()
    assert [rank(instants, 0)[0], rank(instants, 1, sid=OTHER)[0], rank(instants, 2, b"date_updated")[0]] == [0, 1, 2]


def test_law_7_what_is_older_than_the_recording_keeps_its_distance_to_its_begin() -> None:
    recorded = Recorded()
    recorded.show(0.5, **{SID: (-90, -1), OTHER: (-90, 0)})
    instants = recorded.settled()
    assert instants.times == Times(BEGIN // SECOND, BEGIN // SECOND)
    assert rank(instants, -90) == (-90, False)
    assert instants.of((RecordedSid(SID.encode()), b"date_created", BEGIN - 90 * SECOND)) == instants.of(
        (RecordedSid(OTHER.encode()), b"date_created", BEGIN - 90 * SECOND)
    )
    assert rank(instants, -1, b"date_updated") == (-1, False)
    assert rank(instants, 0, b"date_updated", OTHER) == (0, False)


def test_law_7_the_upstreams_clock_counts_which_creates_tell_before_dates_do() -> None:
    recorded = Recorded()
    recorded.add(LIST, 0, {}, ahead=5)
    assert recorded.settled().times.begin == BEGIN // SECOND + 5 - 1
    recorded.create(1)
    assert recorded.settled().times.begin == BEGIN // SECOND
    behind = Recorded()
    behind.show(0, **{OTHER: (-3600, -3599)})
    behind.create(2, shown=-3598)
    instants = behind.settled()
    assert instants.times.begin == BEGIN // SECOND - 3599
    assert rank(instants, -3598) == (1, True)
    assert rank(instants, -3599, b"date_updated", OTHER) == (0, False)
    assert rank(instants, -3600, sid=OTHER) == (-1, False)


def test_law_7_no_own_write_is_older_than_the_recording() -> None:
    recorded = Recorded()
    for second, shown in ((0.9, -1), (2, 2), (3, 5)):
        recorded.create(second, shown=shown)
    instants = recorded.settled()
    assert rank(instants, -1) == (0, True)


def test_law_7_in_fixtures_without_moments_seconds_are_ranks_or_say_which_write_came_before() -> None:
    recorded = Recorded()
    begin = (CANONICAL_BEGIN - BEGIN) // SECOND
    recorded.create(begin, shown=begin + 3)
    recorded.create(begin, OTHER, shown=begin + 9)
    recorded.show(begin, **{SID: (begin - 90, begin + 12)})
    for standing, said, expected in ((Standing(0), None, [0, 0, 1]), (None, InOrder(), [3, 9, 12])):
        recorded.exchanges = [replace(one, standing=standing, in_order=said) for one in recorded.exchanges]
        instants = recorded.settled()
        assert instants.times.begin == CANONICAL_BEGIN // SECOND
        found = [
            rank(instants, begin + 3),
            rank(instants, begin + 9, sid=OTHER),
            rank(instants, begin + 12, b"date_updated"),
        ]
        assert [one for one, _ in found] == expected
        assert rank(instants, begin - 90) == (-90, False)


def test_what_was_never_learnt_is_unknown() -> None:
    assert Instants().of((RecordedSid(b""), b"date_created", 0)) == UNKNOWN
    Instants().settle()


def test_a_last_modified_that_is_no_time_is_no_instant() -> None:
    recorded = Recorded()
    recorded.show(0)
    (exchange,) = recorded.exchanges
    for text, known in ((b"never", 0), (b"Thu, 01 Jan 2026 00:00:01 GMT", 1)):
        headers = (*exchange.response.headers, (b"Last-Modified", text))
        recorded.exchanges = [replace(exchange, response=replace(exchange.response, headers=headers))]
        assert recorded.settled().modified(BEGIN + SECOND, recorded.exchanges[0]).number == known
