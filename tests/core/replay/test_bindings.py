import re
from dataclasses import replace

import pytest
from exchanges import as_sent, numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, ORIGIN, UPSTREAM, basic, exchanges, sids

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import (
    NO_CREDENTIALS,
    OTHER_CREDENTIALS,
    Exchange,
    LiveSid,
    RecordedSid,
    Request,
    Response,
    header_values,
    is_read,
)
from chatproxy.core.replay.bindings import Ambiguity, Bindings, Choice, Given, Owner
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.twilio.sids import SID

RULES = Rules()


def sid(prefix: str, digit: str) -> str:
    return prefix + digit * 32


ACCOUNT, SERVICE, CHANNEL, MESSAGE = sid("AC", "a"), sid("IS", "1"), sid("CH", "2"), sid("IM", "3")
LIVE_SERVICE, LIVE_CHANNEL, LIVE_ACCOUNT = sid("IS", "d"), sid("CH", "e"), sid("AC", "f")


def messages(service: str = SERVICE, channel: str = CHANNEL) -> str:
    return f"/v1/Services/{service}/Channels/{channel}/Messages"


def get(target: str, user: str | None = None) -> Request:
    return Request("GET", target.encode(), (basic(user.encode(), b"x"),) if user else (), origin=ORIGIN)


def post(target: str, body: str) -> Request:
    return Request("POST", target.encode(), (FORM,), body.encode(), origin=ORIGIN)


def with_credentials(request: Request) -> Request:
    """Send credentials that tell no account, where there are none."""
    given = any(header_values(request.headers, b"authorization"))
    return request if given else replace(request, headers=(*request.headers, (b"Authorization", b"Bearer x")))


def cassette(*recorded: tuple[Request, str], name: str = "tour") -> MemoryCassette:
    several: list[Exchange] = []
    for place, (request, text) in enumerate(recorded, 1):
        response = Response(200, b"OK", (JSON, (b"X-Id", b"RQ%032d" % place)), text.encode())
        after = next((one.number for one in reversed(several) if not is_read(one.request.method)), 0)
        several.append(numbered(place, request, response, UPSTREAM, place, place, after, ACCOUNT))
    return MemoryCassette(name, several, RULES)


CREATED = f'{{"sid": "{MESSAGE}", "account_sid": "{ACCOUNT}", "channel_sid": "{CHANNEL}", "service_sid": "{SERVICE}"}}'
CREATE = (post(messages(), "Body=a"), CREATED)
FETCH = (get(f"{messages()}/{MESSAGE}"), CREATED)
TOUR = cassette(CREATE, FETCH, (get(messages()), f'{{"token": "PT{MESSAGE}", "a": "{{\\"b\\": \\"{MESSAGE}\\"}}"}}'))


class Client:
    """A client of one session."""

    def __init__(
        self, recorded: MemoryCassette = TOUR, choice: Choice | None = None, *, keep_urls: bool = False
    ) -> None:
        self.session = Session(recorded, RULES, sids=Bindings(recorded, RULES, choice))
        sessions = Sessions(lambda name, restarts: self.session)
        self.engine = Engine(UPSTREAM, lambda: 1, sessions=sessions, keep_urls=keep_urls)

    @property
    def ambiguities(self) -> list[Ambiguity]:
        return list(self.engine.journal.total.ambiguities)

    def ask(self, request: Request) -> str:
        answer = self.engine.on_request(with_credentials(request))
        assert isinstance(answer, Response)
        self.status = answer.status
        return answer.body.decode()

    def create(self, where: str = messages()) -> str:
        """Create the message, and return its SID."""
        found = re.search("IM[0-9a-f]{32}", self.ask(post(where, "Body=a")))
        assert found
        return found[0]


def bindings(choice: Choice | None = None, owner: Owner | None = None, recorded: MemoryCassette = TOUR) -> Bindings:
    return Bindings(recorded, RULES, choice, owner)


# Fresh SIDs


def test_law_1_a_generated_sid_is_fresh_and_the_same_in_every_answer() -> None:
    client = Client()
    made = client.create()
    assert made != MESSAGE
    assert client.ask(get(f"{messages()}/{made}")) == CREATED.replace(MESSAGE, made)
    assert client.ask(get(messages())) == f'{{"token": "PT{made}", "a": "{{\\"b\\": \\"{made}\\"}}"}}'


def test_law_1_fresh_sids_follow_from_seed_cassette_session_and_restarts() -> None:
    one = bindings().to_live(RecordedSid(MESSAGE.encode()))
    assert bindings().to_live(RecordedSid(MESSAGE.encode())) == one
    others = [
        bindings(Choice(seed=1)),
        bindings(recorded=cassette(CREATE, name="other")),
        bindings(owner=Owner("other")),
        bindings(owner=Owner("default", 1)),
    ]
    assert len({one, *(other.to_live(RecordedSid(MESSAGE.encode())) for other in others)}) == 5


def test_law_1_a_fresh_sid_is_none_of_the_cassettes() -> None:
    fresh = bindings().to_live(RecordedSid(MESSAGE.encode())).decode()
    colliding = bindings(recorded=cassette(CREATE, (get("/"), fresh)))
    assert colliding.to_live(RecordedSid(MESSAGE.encode())) not in {fresh.encode(), MESSAGE.encode()}


def test_law_1_request_ids_are_fresh_too() -> None:
    client = Client()
    client.create()
    answer = client.engine.on_request(with_credentials(get(messages())))
    assert isinstance(answer, Response)
    assert re.fullmatch(rb"RQ[0-9a-f]{32}", answer.headers[1][1])
    assert answer.headers[1][1] != b"RQ%032d" % 3


@pytest.mark.parametrize(
    "choice", [Choice(recorded=True), Choice(keep=frozenset({"IM"})), Choice(keep=frozenset({MESSAGE}))]
)
def test_law_1_sids_can_be_served_as_recorded(choice: Choice) -> None:
    client = Client(choice=choice)
    assert client.create() == MESSAGE
    assert client.ask(get(f"{messages()}/{MESSAGE}")) == CREATED


def test_law_1_sids_are_fresh_where_urls_are_kept() -> None:
    body = f'{{"sid": "{MESSAGE}", "url": "https://chat.ie1.twilio.com/{MESSAGE}"}}'
    client = Client(cassette((get("/"), body)), keep_urls=True)
    answer = client.ask(get("/"))
    assert answer == body.replace(MESSAGE, client.session.sids.to_live(RecordedSid(MESSAGE.encode())).decode())


# Supplied SIDs


def test_law_2_supplied_sids_are_served_as_what_the_client_sent_in_their_place() -> None:
    client = Client()
    made = client.create(messages(LIVE_SERVICE, LIVE_CHANNEL))
    expected = CREATED.replace(SERVICE, LIVE_SERVICE).replace(CHANNEL, LIVE_CHANNEL).replace(MESSAGE, made)
    assert client.ask(get(f"{messages(LIVE_SERVICE, LIVE_CHANNEL)}/{made}")) == expected


def test_law_2_upper_case_hex_of_a_segment_is_a_sid_that_can_be_bound() -> None:
    upper, live = sid("IM", "A"), sid("IM", "B")
    client = Client(cassette((get(f"/a/{upper}"), f'{{"message": "/a/{upper} was not found, {upper}"}}')))
    assert client.ask(get(f"/a/{live}")) == f'{{"message": "/a/{live} was not found, {upper}"}}'


def test_law_2_the_live_account_stands_for_the_recorded_one() -> None:
    client = Client()
    client.create()
    client.ask(get(messages(), LIVE_ACCOUNT))
    client.ask(get(messages(), sid("AC", "9")))
    assert client.session.sids.to_live(RecordedSid(ACCOUNT.encode())) == LIVE_ACCOUNT.encode()
    assert client.session.sids.to_recorded(LiveSid(LIVE_ACCOUNT.encode())) == ACCOUNT.encode()


def test_law_2_an_account_of_the_cassette_stands_for_itself() -> None:
    other = sid("AC", "b")
    client = Client(cassette((get("/"), f"{other} {ACCOUNT}")))
    assert client.ask(get("/", other)) == f"{other} {ACCOUNT}"
    bound = Client(choice=Choice(bind={LIVE_ACCOUNT: CHANNEL}))
    assert bound.session.sids.translation(normalize(get("/"), RULES), LIVE_ACCOUNT, lambda _: True).bound == {}


def of_accounts(*accounts: str) -> Bindings:
    recorded = [
        numbered(nth, get("/"), Response(200), UPSTREAM, nth, nth, user=account)
        for nth, account in enumerate(accounts, 1)
    ]
    return bindings(recorded=MemoryCassette("tour", recorded, RULES))


def stands_for(several: Bindings, *live: str) -> list[str]:
    """Let requests of these users be answered one after the other, and return which accounts they stand for then."""
    for user in live:
        expected = several.recorded_user(user)
        several.keep(several.translation(normalize(get("/"), RULES), user, lambda _: True))
        assert several.recorded_user(user) == expected
    return [several.to_recorded(LiveSid(user.encode())).decode() for user in live]


def test_law_2_a_second_account_stands_for_the_second_one_that_recorded_and_a_third_for_none() -> None:
    one, two = ACCOUNT, sid("AC", "b")
    first, second, third = (sid("AC", digit) for digit in "789")
    assert stands_for(of_accounts(one, two), first, second, third) == [one, two, third]
    assert stands_for(of_accounts(one, two), first, first, second) == [one, one, two]
    assert stands_for(of_accounts(one, two), one, second) == [one, two]
    assert stands_for(of_accounts(one, two), two, first) == [two, one]
    assert stands_for(of_accounts(one, two), first, two) == [one, two]


def test_law_2_which_of_several_recorded_accounts_a_second_one_stands_for_is_not_guessed() -> None:
    one, two, three = (sid("AC", digit) for digit in "abc")
    first, second = sid("AC", "8"), sid("AC", "9")
    assert stands_for(of_accounts(one, two, three), first, second) == [one, second]


@pytest.mark.parametrize("other", [sid("SK", "1"), NO_CREDENTIALS, OTHER_CREDENTIALS])
def test_law_2_who_is_no_account_stands_for_itself(other: str) -> None:
    several = of_accounts(ACCOUNT, sid("AC", "b"))
    assert several.recorded_user(other) == other
    assert stands_for(several, LIVE_ACCOUNT, other) == [ACCOUNT, other]


def test_law_2_accounts_served_as_recorded_are_those_who_recorded() -> None:
    kept = of_accounts(ACCOUNT, sid("AC", "b"))
    kept = Bindings(kept._cassette, RULES, Choice(keep=frozenset({"AC"})))
    assert kept.recorded_user(LIVE_ACCOUNT) == LIVE_ACCOUNT


def test_law_2_a_recorded_supplied_sid_stands_for_itself_unless_another_does() -> None:
    client = Client()
    client.create()
    client.ask(get(messages()))
    assert client.status == 200
    taken = Client()
    taken.create(messages(channel=LIVE_CHANNEL))
    reason = taken.ask(get(messages()))
    assert f"{CHANNEL} stands for itself, but {LIVE_CHANNEL} stands for it already" in reason
    assert taken.status == 424


def test_law_2_an_unknown_sid_binds_to_the_first_supplied_one_that_makes_a_hit_and_ambiguity_is_remembered() -> None:
    one, two, three = (sid("CH", digit) for digit in "123")
    recorded = cassette(*((get(f"/a/{channel}"), channel) for channel in (one, two)), (get(f"/b/{three}"), three))
    client = Client(recorded)
    assert client.ask(get(f"/b/{LIVE_CHANNEL}")) == LIVE_CHANNEL
    assert client.session.sids.to_live(RecordedSid(three.encode())) == LIVE_CHANNEL.encode()
    assert client.ambiguities == []
    other = sid("CH", "9")
    assert client.ask(get(f"/a/{other}")) == other
    assert client.session.sids.to_live(RecordedSid(one.encode())) == other.encode()
    assert client.ambiguities == [
        Ambiguity((LiveSid(other.encode()),), [(RecordedSid(one.encode()),), (RecordedSid(two.encode()),)])
    ]


def test_law_2_an_unknown_sid_never_stands_for_a_generated_one() -> None:
    client = Client(cassette((get(messages()), f'{{"sid": "{MESSAGE}"}}'), FETCH))
    client.ask(get(f"{messages()}/{sid('IM', '9')}"))
    assert client.status == 424
    client.ask(get(f"{messages()}/{MESSAGE}"))
    assert client.status == 200


def test_law_2_equal_requests_are_one_thing_to_bind_to() -> None:
    client = Client(cassette(CREATE, CREATE))
    client.create(messages(channel=LIVE_CHANNEL))
    assert client.ambiguities == []


def test_law_2_bind_settles_what_stands_for_what() -> None:
    one, two = sid("CH", "1"), sid("CH", "2")
    recorded = cassette((get(f"/a/{one}"), f"one {one}"), (get(f"/a/{two}"), f"two {two}"))
    assert Client(recorded).ask(get(f"/a/{LIVE_CHANNEL}")) == f"one {LIVE_CHANNEL}"
    assert Client(recorded, Choice(bind={LIVE_CHANNEL: two})).ask(get(f"/a/{LIVE_CHANNEL}")) == f"two {LIVE_CHANNEL}"
    as_recorded = Client(recorded, Choice(recorded=True, bind={LIVE_CHANNEL: two}))
    assert "never recorded" in as_recorded.ask(get(f"/a/{LIVE_CHANNEL}"))


def test_law_2_a_used_up_write_is_no_hit_to_bind_to() -> None:
    one, two = sid("CH", "1"), sid("CH", "2")
    client = Client(cassette((post(f"/{one}", "a=1"), one), (post(f"/{two}", "a=1"), two)))
    client.ask(post(f"/{one}", "a=1"))
    assert client.ask(post(f"/{LIVE_CHANNEL}", "a=1")) == LIVE_CHANNEL
    assert client.session.sids.to_recorded(LiveSid(LIVE_CHANNEL.encode())) == two.encode()


def test_law_2_unknown_sids_of_a_request_bind_together_or_not_at_all() -> None:
    client = Client(cassette((get(messages()), ""), (get(messages(sid("IS", "5"), sid("CH", "6"))), "")))
    client.ask(get(f"{messages(LIVE_SERVICE, LIVE_CHANNEL)}?a=1", LIVE_ACCOUNT))
    for live in (LIVE_SERVICE, LIVE_CHANNEL, LIVE_ACCOUNT):
        assert client.session.sids.to_recorded(LiveSid(live.encode())) == live.encode()
    client.ask(get(messages(SERVICE, LIVE_CHANNEL)))
    assert client.session.sids.to_recorded(LiveSid(LIVE_CHANNEL.encode())) == CHANNEL.encode()
    assert client.ask(get(messages(sid("IS", "7"), sid("IS", "7")))).count("never recorded") == 1
    assert client.ask(get(messages(sid("IS", "7"), sid("CH", "7")))) == ""


def test_law_2_only_so_many_exchanges_are_looked_at() -> None:
    channels = [f"CH{number:032x}" for number in range(1001)]
    recorded = cassette(*((post(f"/{channel}", "a=1"), "") for channel in channels))
    client = Client(recorded)
    for channel in channels[:1000]:
        client.ask(post(f"/{channel}", "a=1"))
    assert "never recorded" in client.ask(post(f"/{LIVE_CHANNEL}", "a=1"))


# SIDs that stand for nothing


def test_law_2_a_fresh_sid_of_another_session_is_a_miss_with_just_that_reason() -> None:
    given = Given()
    one, other = (Bindings(TOUR, RULES, None, Owner(name), given) for name in ("one", "other"))
    fresh = one.to_live(RecordedSid(MESSAGE.encode())).decode()
    translation = other.translation(normalize(get(f"{messages()}/{fresh}"), RULES), OTHER_CREDENTIALS, lambda _: True)
    assert translation.refusal == f"{fresh} was given to another session, 'one'; each has SIDs of its own"


def test_law_2_a_fresh_sid_of_the_session_before_it_was_begun_anew_is_a_miss_that_says_so() -> None:
    given = Given()
    before, anew = (Bindings(TOUR, RULES, None, Owner("one", restarts), given) for restarts in (0, 1))
    fresh = before.to_live(RecordedSid(MESSAGE.encode())).decode()
    translation = anew.translation(normalize(get(f"{messages()}/{fresh}"), RULES), OTHER_CREDENTIALS, lambda _: True)
    assert translation.refusal == f"{fresh} was given before session 'one' was begun anew; it has fresh SIDs since"


def test_of_the_sids_given_the_oldest_are_forgotten() -> None:
    given = Given(bound=2)
    for fresh in (b"a", b"b", b"c"):
        given.note(LiveSid(fresh), Owner())
    assert [given.owner(LiveSid(fresh)) for fresh in (b"a", b"b", b"c")] == [None, Owner(), Owner()]


def test_law_2_a_fresh_sid_never_given_is_a_miss_with_just_that_reason() -> None:
    fresh, client = bindings().to_live(RecordedSid(MESSAGE.encode())).decode(), Client()
    assert f"{fresh} was never given; this session has not yet replayed what would show it" in client.ask(
        get(f"{messages()}/{fresh}")
    )
    client.create()
    client.ask(get(f"{messages()}/{fresh}"))
    assert client.status == 200


def test_law_2_a_recorded_generated_sid_sent_first_is_served_as_itself_from_then_on() -> None:
    client = Client(cassette((get(messages()), MESSAGE), FETCH))
    assert client.ask(get(f"{messages()}/{MESSAGE}")) == CREATED
    assert client.ask(get(messages())) == MESSAGE


def test_law_2_a_recorded_generated_sid_sent_after_the_fresh_one_is_a_miss_that_names_the_settings() -> None:
    client = Client()
    made = client.create()
    reason = client.ask(get(f"{messages()}/{MESSAGE}"))
    assert client.status == 424
    for part in (f"{MESSAGE} is a recorded SID, in whose place {made} was given", "--sids recorded", "keep = ["):
        assert part in reason


def test_law_2_a_miss_binds_nothing() -> None:
    client = Client()
    client.ask(get(f"{messages()}/{MESSAGE}?a=1", LIVE_ACCOUNT))
    assert client.status == 424
    assert client.create() != MESSAGE
    assert client.session.sids.to_live(RecordedSid(ACCOUNT.encode())) == ACCOUNT.encode()


# Both ways

_cassettes = st.lists(exchanges, max_size=4, unique_by=lambda one: one.number).map(
    lambda found: MemoryCassette("any", sorted(found, key=lambda one: one.number), RULES)
)
_choices = st.builds(
    Choice,
    seed=st.integers(0, 3),
    recorded=st.booleans(),
    keep=st.frozensets(st.sampled_from(["IM", "CH", "RQ"]), max_size=2),
)


def recorded_sids(recorded: MemoryCassette) -> list[bytes]:
    return list(recorded._numbered)


@given(_cassettes, _choices, sids())
def test_law_3_the_map_leads_back_to_where_it_began(recorded: MemoryCassette, choice: Choice, other: str) -> None:
    both = Bindings(recorded, RULES, choice)
    for one in [*recorded_sids(recorded), other.encode()]:
        assert both.to_recorded(both.to_live(RecordedSid(one))) == one


@given(_cassettes)
def test_law_3_no_generated_recorded_sid_is_in_a_replayed_byte_unless_the_client_sent_it(
    recorded: MemoryCassette,
) -> None:
    generated = {one for one in recorded_sids(recorded) if not recorded._numbered[RecordedSid(one)].supplied}
    client, sent = Client(recorded), set[bytes]()
    for number in sorted(recorded._exchanges):
        request = as_sent(recorded.exchange(number))
        answer = client.engine.on_request(request)
        assert isinstance(answer, Response)
        if (b"x-chatproxy-outcome", b"hit") in answer.headers:
            sent |= set(normalize(request, RULES).sids)
            served = b"\n".join([*(text for header in answer.headers for text in header), answer.body])
            assert {found[0] for found in SID.finditer(served)} & generated <= sent


@given(_cassettes)
def test_law_1_two_sessions_never_share_a_fresh_sid_and_one_seed_gives_the_same(recorded: MemoryCassette) -> None:
    generated = [one for one in recorded_sids(recorded) if not recorded._numbered[RecordedSid(one)].supplied]
    one, same, other = (Bindings(recorded, RULES, None, Owner(name)) for name in ("a", "a", "b"))
    assert [one.to_live(RecordedSid(each)) for each in generated] == [
        same.to_live(RecordedSid(each)) for each in generated
    ]
    fresh = {each.to_live(RecordedSid(it)) for each in (one, other) for it in generated}
    assert len(fresh) == 2 * len(generated)
    assert not fresh & set(recorded_sids(recorded))


def test_law_2_of_many_fresh_sids_the_oldest_are_forgotten_each_as_quickly() -> None:
    given = Given(bound=2)
    for name in (b"IM1", b"IM2", b"IM1", b"IM3"):
        given.note(LiveSid(name), Owner(name.decode()))
    assert [given.owner(LiveSid(name)) for name in (b"IM1", b"IM2", b"IM3")] == [None, Owner("IM2"), Owner("IM3")]


def test_what_is_served_as_recorded_is_looked_up_once_and_only_so_much_of_it_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatproxy.core.replay.bindings._UNBOUND", 2)
    supplied = [RecordedSid(one.encode()) for one in (SERVICE, CHANNEL, ACCOUNT)]
    several = bindings()
    for recorded in (*supplied, *supplied, *supplied):
        assert several.to_live(recorded) == LiveSid(recorded)
        assert len(several._unbound) <= 2
    assert several.all_live(supplied) == list(map(LiveSid, supplied))
