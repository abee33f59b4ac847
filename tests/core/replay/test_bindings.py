import re

import pytest
from core.sid_programs import (
    ACCOUNT,
    CHANNEL,
    CREATE,
    CREATED,
    FETCH,
    LIVE_ACCOUNT,
    LIVE_CHANNEL,
    LIVE_SERVICE,
    MESSAGE,
    RULES,
    SERVICE,
    TOUR,
    Client,
    cassette,
    get,
    messages,
    post,
    sid,
)
from exchanges import as_sent
from hypothesis import given
from hypothesis import strategies as st
from strategies import exchanges, sids

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.model import OTHER_CREDENTIALS, LiveSid, RecordedSid, Response
from chatproxy.core.replay.bindings import Bindings, Choice, Given, Owner
from chatproxy.core.twilio.sids import SID


def bindings(choice: Choice | None = None, owner: Owner | None = None, recorded: MemoryCassette = TOUR) -> Bindings:
    return Bindings(recorded, choice, owner)


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
    answer = client.engine.on_request(get(messages()))
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


# Known SIDs


def test_law_2_known_sids_are_served_as_what_the_client_sent_in_their_place() -> None:
    client = Client()
    made = client.create(messages(LIVE_SERVICE, LIVE_CHANNEL))
    expected = CREATED.replace(SERVICE, LIVE_SERVICE).replace(CHANNEL, LIVE_CHANNEL).replace(MESSAGE, made)
    assert client.ask(get(f"{messages(LIVE_SERVICE, LIVE_CHANNEL)}/{made}")) == expected


def test_law_2_a_known_sid_that_a_list_shows_before_it_is_sent_is_served_as_recorded() -> None:
    channels = f"/v1/Services/{SERVICE}/Channels"
    recorded = cassette((get(channels), f'{{"channels": [{{"sid": "{CHANNEL}"}}]}}'), (get(messages()), CREATED))
    client = Client(recorded)
    assert CHANNEL in client.ask(get(channels))
    assert CHANNEL in client.ask(get(messages()))
    bound = Client(recorded, Choice(bind={LIVE_CHANNEL: CHANNEL}))
    assert LIVE_CHANNEL in bound.ask(get(channels))


def test_law_2_upper_case_hex_of_a_segment_is_a_sid_that_can_be_assumed() -> None:
    upper, live = sid("IM", "A"), sid("IM", "B")
    client = Client(cassette((get(f"/a/{upper}"), f'{{"message": "/a/{upper} was not found, {upper}"}}')))
    assert client.ask(get(f"/a/{live}")) == f'{{"message": "/a/{live} was not found, {upper}"}}'


def test_law_2_the_live_account_stands_for_the_recorded_one() -> None:
    client = Client()
    client.create()
    client.ask(get(messages(), LIVE_ACCOUNT))
    client.ask(get(messages(), sid("AC", "9")))
    assert client.session.sids.to_live(RecordedSid(ACCOUNT.encode())) == ACCOUNT.encode()
    client = Client()
    client.ask(get(messages(), LIVE_ACCOUNT))
    client.ask(get(messages(), sid("AC", "9")))
    assert client.session.sids.to_live(RecordedSid(ACCOUNT.encode())) == LIVE_ACCOUNT.encode()
    assert client.session.sids.to_recorded(LiveSid(LIVE_ACCOUNT.encode())) == ACCOUNT.encode()


def test_law_2_an_account_of_the_cassette_stands_for_itself() -> None:
    other = sid("AC", "b")
    client = Client(cassette((get("/"), f'{{"account_sid": "{other}", "owner_sid": "{ACCOUNT}"}}')))
    assert client.ask(get("/", other)) == f'{{"account_sid": "{other}", "owner_sid": "{ACCOUNT}"}}'


def test_law_2_what_bind_names_as_the_account_is_not_the_users() -> None:
    bound = Client(choice=Choice(bind={LIVE_ACCOUNT: ACCOUNT}))
    assert "another stands for each already" in bound.ask(get(messages(), sid("AC", "9")))
    assert bound.session.sids.to_live(RecordedSid(ACCOUNT.encode())) == LIVE_ACCOUNT.encode()
    taken = Client(choice=Choice(bind={LIVE_ACCOUNT: CHANNEL}))
    taken.ask(get(messages(), LIVE_ACCOUNT))
    assert taken.session.sids.to_live(RecordedSid(ACCOUNT.encode())) == ACCOUNT.encode()


def test_law_3_text_that_looks_like_a_sid_and_names_no_object_stays_as_it_is() -> None:
    text, other = sid("CH", "7"), sid("CH", "8")
    client = Client(cassette((post(messages(), f"Body=see+{text}"), f'{{"body": "see {text}"}}')))
    assert client.ask(post(messages(), f"Body=see+{text}")) == f'{{"body": "see {text}"}}'
    client.ask(post(messages(), f"Body=see+{other}"))
    assert client.status == 424


def test_law_3_a_sid_of_the_cassette_is_replaced_in_texts() -> None:
    link = cassette(CREATE, (post(messages(), f"Body=see+{MESSAGE}"), f'{{"body": "see {MESSAGE}"}}'))
    client = Client(link)
    made = client.create()
    assert client.ask(post(messages(), f"Body=see+{made}")) == f'{{"body": "see {made}"}}'


# SIDs that stand for nothing


def test_law_2_a_fresh_sid_of_another_session_is_a_miss_with_just_that_reason() -> None:
    given = Given()
    one, other = (Bindings(TOUR, None, Owner(name), given) for name in ("one", "other"))
    fresh = one.to_live(RecordedSid(MESSAGE.encode())).decode()
    translation = other.translation(normalize(get(f"{messages()}/{fresh}"), RULES), OTHER_CREDENTIALS)
    assert translation.refusal == f"{fresh} was given to another session, 'one'; each has SIDs of its own"


def test_law_2_a_fresh_sid_of_the_session_before_it_was_begun_anew_is_a_miss_that_says_so() -> None:
    given = Given()
    before, anew = (Bindings(TOUR, None, Owner("one", restarts), given) for restarts in (0, 1))
    fresh = before.to_live(RecordedSid(MESSAGE.encode())).decode()
    translation = anew.translation(normalize(get(f"{messages()}/{fresh}"), RULES), OTHER_CREDENTIALS)
    assert translation.refusal == f"{fresh} was given before session 'one' was begun anew; it has fresh SIDs since"


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
    both = Bindings(recorded, choice)
    for one in [*recorded_sids(recorded), other.encode()]:
        assert both.to_recorded(both.to_live(RecordedSid(one))) == one


@given(_cassettes)
def test_law_3_no_generated_recorded_sid_is_in_a_replayed_byte_unless_the_client_sent_it(
    recorded: MemoryCassette,
) -> None:
    generated = {one for one in recorded_sids(recorded) if not recorded._numbered[RecordedSid(one)].is_known}
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
    generated = [one for one in recorded_sids(recorded) if not recorded._numbered[RecordedSid(one)].is_known]
    one, same, other = (Bindings(recorded, None, Owner(name)) for name in ("a", "a", "b"))
    assert [one.to_live(RecordedSid(each)) for each in generated] == [
        same.to_live(RecordedSid(each)) for each in generated
    ]
    fresh = {each.to_live(RecordedSid(it)) for each in (one, other) for it in generated}
    assert len(fresh) == 2 * len(generated)
    assert not fresh & set(recorded_sids(recorded))


def test_what_is_served_as_recorded_is_looked_up_once_and_only_so_much_of_it_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatproxy.core.replay.bindings._UNBOUND", 2)
    known_sids = [RecordedSid(one.encode()) for one in (SERVICE, CHANNEL, ACCOUNT)]
    several = bindings()
    for recorded in (*known_sids, *known_sids, *known_sids):
        assert several.to_live(recorded) == LiveSid(recorded)
        assert len(several._unbound) <= 2
    assert several.all_live(known_sids) == list(map(LiveSid, known_sids))
    assert several.all_live(known_sids[:1]) == several.all_live(known_sids[:1])


def test_law_2_what_is_assumed_is_bound_to_nothing_for_good() -> None:
    client = Client()
    client.create(messages(LIVE_SERVICE, LIVE_CHANNEL))
    sids = client.session.sids
    assert sids.to_recorded(LiveSid(LIVE_CHANNEL.encode())) == CHANNEL.encode()
    assert sids.bound(LiveSid(LIVE_CHANNEL.encode())) is None
    assert sids.all_bound([LIVE_CHANNEL.encode()], ACCOUNT) is None
    own = Client()
    own.create()
    assert own.session.sids.all_bound([CHANNEL.encode()], ACCOUNT) == {}
    assert own.session.sids.all_bound([CHANNEL.encode()], LIVE_ACCOUNT) is None
    assert own.session.sids.bound(LiveSid(CHANNEL.encode())) == CHANNEL.encode()


def test_law_2_what_a_phone_made_is_served_fresh_and_understood() -> None:
    listed = f'{{"messages": [{{"sid": "{MESSAGE}"}}]}}'
    client = Client(cassette((get(messages()), listed), FETCH))
    shown = client.ask(get(messages()))
    fresh = shown.partition('"sid": "')[2][:34]
    assert fresh != MESSAGE
    assert client.ask(get(f"{messages()}/{fresh}")) == CREATED.replace(MESSAGE, fresh)


def test_sids_of_a_type_of_which_none_is_known_are_looked_at_once() -> None:
    bound = bindings()
    known = normalize(post(messages(LIVE_SERVICE, LIVE_CHANNEL), ""), RULES)
    bound.translation(known, LIVE_ACCOUNT)
    others = [f"RL{nth:032x}" for nth in range(50_000)]
    found = bound.translation(
        normalize(post(messages(LIVE_SERVICE, LIVE_CHANNEL), ",".join(others)), RULES), LIVE_ACCOUNT
    )
    assert found.refusal is None
    assert [sid for sid in found.form.sids if sid[:2] == b"RL"] == list(map(str.encode, others))
