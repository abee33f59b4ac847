from collections.abc import Iterator
from random import Random

import pytest
from core.scenarios import exported
from core.sid_programs import (
    ACCOUNT,
    CHANNEL,
    LIVE_ACCOUNT,
    LIVE_CHANNEL,
    LIVE_SERVICE,
    RULES,
    SERVICE,
    Client,
    cassette,
    get,
    messages,
    post,
    sid,
)
from exchanges import numbered
from fixture.fixtures import read
from profiles import many
from strategies import UPSTREAM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.model import RecordedSid, Request, Response
from chatproxy.core.replay.bindings import Bindings, Choice

ONE, TWO, THREE = (sid("CH", digit) for digit in "123")
OTHER, TYPO = sid("CH", "9"), sid("CH", "8")


def shown(channel: str, text: str = "") -> str:
    return f'{{"service_sid": "{SERVICE}", "channel_sid": "{channel}", "text": "{text}"}}'


def of(channel: str, service: str = SERVICE) -> Request:
    return get(messages(service, channel))


def two(variables: dict[str, str] | None = None) -> MemoryCassette:
    """A recording of a program that reads two channels."""
    recorded = cassette(*((of(channel), shown(channel, name)) for channel, name in ((ONE, "one"), (TWO, "two"))))
    return MemoryCassette("two", list(recorded), RULES, None, variables or {})


def shared(recorded: MemoryCassette, *, anonymous: bool = False) -> MemoryCassette:
    """The same by way of a fixture."""
    document = read(exported(recorded, anonymous=anonymous), "a.json")
    return MemoryCassette(document.name, document.exchanges, RULES, document.declared)


def both(recorded: MemoryCassette) -> Iterator[MemoryCassette]:
    yield recorded
    yield shared(recorded)


def test_a_role_that_an_answer_showed_before_the_program_sent_it_is_known() -> None:
    role = sid("RL", "4")
    service = (get(f"/v1/Services/{SERVICE}"), f'{{"sid": "{SERVICE}", "default_channel_role_sid": "{role}"}}')
    for replayed in both(cassette(service, (post(messages(channel=ONE), f"RoleSid={role}"), shown(ONE)))):
        client = Client(replayed)
        assert client.ask(service[0]) == service[1]
        assert client.ask(post(messages(channel=ONE), f"RoleSid={role}")) == shown(ONE)


# What helps


def test_a_sid_that_differs_in_a_digit_or_two_from_one_that_stands_is_told_what_was_meant() -> None:
    for replayed in both(two()):
        for typo in (TWO[:-1] + "f", TWO[:10] + "e" + TWO[11:-1] + "d"):
            client = Client(replayed)
            client.ask(of(ONE))
            reason = client.ask(of(typo))
            assert f"the recorder's own SIDs were sent; did you mean {TWO}?" in reason
            assert "--bind" not in reason


def test_a_bind_that_is_written_the_wrong_way_round_or_of_another_cassette_is_named() -> None:
    for replayed in both(two()):
        for bind, said in (
            ({ONE: OTHER}, "; bind has it as a recorded SID: write LIVE=RECORDED; it may be"),
            ({OTHER: TYPO}, f"; bind names {TYPO} for it, which is not a SID of this cassette; it may be"),
        ):
            assert said in Client(replayed, Choice(bind=bind)).ask(of(OTHER, LIVE_SERVICE))


def test_the_variables_that_held_the_candidates_are_named_where_they_are_read() -> None:
    replayed = two({ONE: "FIRST", TWO: "SECOND"})
    reason = Client(replayed).ask(of(OTHER, LIVE_SERVICE))
    assert f"--bind {OTHER}=SID, or set FIRST or SECOND where chatproxy run or pytest runs" in reason


# The recorder's own


def test_law_2_a_program_with_two_configured_channels_replays_at_once_in_any_order() -> None:
    for replayed in both(two()):
        client = Client(replayed)
        assert client.ask(of(TWO)) == shown(TWO, "two")
        assert client.ask(of(ONE)) == shown(ONE, "one")
        assert client.assumed == []


def test_law_2_a_typo_is_a_miss_once_the_recorders_own_was_sent() -> None:
    for replayed in both(two()):
        client = Client(replayed)
        client.ask(of(ONE))
        reason = client.ask(of(TYPO))
        assert client.status == 424
        assert f"{TYPO} stands for no SID of cassette" in reason
        assert f"the recorder's own SIDs were sent; it may be {ONE} or {TWO}: --bind {TYPO}=SID" in reason
        client.ask(get(messages(LIVE_SERVICE, TYPO)))
        assert client.status == 424
        assert client.ask(of(TWO)) == shown(TWO, "two")


def test_law_2_a_typo_beside_the_recorders_own_in_one_request_is_a_miss() -> None:
    for replayed in both(cassette((of(ONE), shown(ONE)))):
        client = Client(replayed)
        client.ask(of(TYPO))
        assert client.status == 424


def test_law_2_the_recorders_own_is_served_before_it_is_sent() -> None:
    channels = f"/v1/Services/{SERVICE}/Channels"
    listed = (get(channels), f'{{"channels": [{{"sid": "{ONE}"}}, {{"sid": "{TWO}"}}]}}')
    for replayed in both(cassette(listed, (of(ONE), shown(ONE)))):
        client = Client(replayed)
        assert client.ask(get(channels)) == listed[1]
        assert client.ask(of(ONE)) == shown(ONE)


# Assumed


def test_law_2_an_unknown_sid_is_assumed_to_stand_for_the_only_one_and_that_is_said() -> None:
    for replayed in both(cassette((of(ONE), shown(ONE)), (post(messages(channel=ONE), "Body=a"), shown(ONE)))):
        client = Client(replayed)
        expected = shown(ONE).replace(ONE, OTHER).replace(SERVICE, LIVE_SERVICE)
        assert client.ask(of(OTHER, LIVE_SERVICE)) == expected
        assert client.assumed == [f"{LIVE_SERVICE}={SERVICE}", f"{OTHER}={ONE}"]
        assert client.engine.journal.total.assumed == {LIVE_SERVICE: SERVICE, OTHER: ONE}
        client.ask(post(messages(LIVE_SERVICE, OTHER), "Body=b"))
        assert (client.status, client.assumed) == (424, [f"{LIVE_SERVICE}={SERVICE}", f"{OTHER}={ONE}"])


def test_law_2_an_unknown_sid_for_which_there_is_more_than_one_is_a_miss_with_the_candidates() -> None:
    for replayed in both(two()):
        client = Client(replayed)
        reason = client.ask(of(OTHER, LIVE_SERVICE))
        assert f"more than one is left; it may be {ONE} or {TWO}: --bind {OTHER}=SID" in reason
        bound = Client(replayed, Choice(bind={OTHER: TWO}))
        assert bound.ask(of(OTHER, LIVE_SERVICE)) == shown(OTHER, "two").replace(SERVICE, LIVE_SERVICE)
        assert bound.ask(of(TYPO, LIVE_SERVICE)) == shown(TYPO, "one").replace(SERVICE, LIVE_SERVICE)
        bound.ask(of(THREE, LIVE_SERVICE))
        assert bound.status == 424


def test_law_2_an_unknown_sid_stands_for_one_below_its_own_parent_alone() -> None:
    second = sid("IS", "2")
    recorded = cassette((of(ONE), "one"), (of(TWO, second), "two"))
    for replayed in both(recorded):
        client = Client(replayed, Choice(bind={LIVE_SERVICE: second, sid("IS", "7"): second}))
        assert client.ask(of(OTHER, sid("IS", "6"))) == "one"
        client.ask(of(TYPO, LIVE_SERVICE))
        assert client.status == 424


def test_law_2_nothing_is_assumed_below_what_bind_or_a_variable_names() -> None:
    for replayed in both(cassette((of(ONE), shown(ONE)))):
        client = Client(replayed, Choice(bind={LIVE_SERVICE: SERVICE}))
        assert f"bind or a variable names {SERVICE} above it" in client.ask(of(OTHER, LIVE_SERVICE))
    named = MemoryCassette("a", list(cassette((of(ONE), shown(ONE)))), RULES, None, {SERVICE: "SERVICE"})
    for replayed in both(named):
        client = Client(replayed, Choice(variables={"SERVICE": LIVE_SERVICE}))
        client.ask(of(OTHER, LIVE_SERVICE))
        assert client.status == 424


def test_law_2_bind_none_assumes_nothing() -> None:
    for replayed in both(cassette((of(ONE), shown(ONE)))):
        client = Client(replayed, Choice(assumes=False))
        assert f'bind = \\"none\\"; it may be {SERVICE}: --bind {LIVE_SERVICE}={SERVICE}' in client.ask(
            of(OTHER, LIVE_SERVICE)
        )
        client.ask(of(ONE))
        assert client.status == 200


def test_law_2_the_assumed_one_stands_for_nothing_once_the_recorders_own_came() -> None:
    for replayed in both(cassette((of(ONE), shown(ONE)))):
        client = Client(replayed)
        client.ask(of(OTHER, LIVE_SERVICE))
        assert client.ask(of(ONE)) == shown(ONE)
        reason = client.ask(of(OTHER))
        assert f"{OTHER} was assumed to stand for {ONE}, and stands for nothing since {SERVICE} was sent" in reason
        client.ask(of(ONE, LIVE_SERVICE))
        assert client.status == 424


def test_law_2_where_nothing_of_its_type_is_known_an_unknown_sid_is_just_never_recorded() -> None:
    client = Client(cassette((of(ONE), shown(ONE))))
    assert "never recorded" in client.ask(get(f"{messages(channel=ONE)}/{sid('IM', '9')}"))


def test_law_2_a_sid_beside_the_path_is_assumed_too() -> None:
    role = sid("RL", "1")
    recorded = cassette((post(messages(channel=ONE), f"Body=a&RoleSid={role}"), f'{{"role_sid": "{role}"}}'))
    for replayed in both(recorded):
        client = Client(replayed)
        live = sid("RL", "2")
        asked = post(messages(LIVE_SERVICE, OTHER), f"Body=a&RoleSid={live}")
        assert client.ask(asked) == f'{{"role_sid": "{live}"}}'


# Variables


def test_law_2_the_value_of_the_variable_stands_for_what_it_held() -> None:
    for replayed in both(two({ONE: "ONE", TWO: "TWO", SERVICE: "SERVICE"})):
        client = Client(replayed, Choice(variables={"ONE": OTHER, "TWO": TYPO, "SERVICE": LIVE_SERVICE}))
        assert client.ask(of(TYPO, LIVE_SERVICE)) == shown(TYPO, "two").replace(SERVICE, LIVE_SERVICE)
        assert client.ask(of(OTHER, LIVE_SERVICE)) == shown(OTHER, "one").replace(SERVICE, LIVE_SERVICE)
        assert client.assumed == []
        client.ask(of(THREE, LIVE_SERVICE))
        assert client.status == 424
        swapped = Client(replayed, Choice(variables={"ONE": TWO, "TWO": ONE}))
        assert swapped.ask(of(ONE)) == shown(ONE, "two")


def test_law_2_a_variable_that_is_another_now_leaves_the_recorders_own_a_miss() -> None:
    for replayed in both(two({ONE: "ONE"})):
        client = Client(replayed, Choice(variables={"ONE": OTHER}))
        assert client.ask(of(TWO)) == shown(TWO, "two")
        assert f"{ONE} stands for itself, but {OTHER} stands for it already" in client.ask(of(ONE))
        assert client.ask(of(OTHER)) == shown(OTHER, "one")


def test_law_2_a_variable_as_it_was_is_the_recorders_own() -> None:
    for replayed in both(two({ONE: "ONE"})):
        client = Client(replayed, Choice(variables={"ONE": ONE}))
        assert client.ask(of(ONE)) == shown(ONE, "one")
        assert client.ask(of(TWO)) == shown(TWO, "two")
        client.ask(of(TYPO))
        assert client.status == 424


@pytest.mark.parametrize("value", ["", "no", sid("IS", "9"), sid("CH", "A"), f" {OTHER}"])
def test_law_2_a_variable_that_is_no_sid_of_the_type_says_nothing(value: str) -> None:
    for replayed in both(two({ONE: "ONE"})):
        client = Client(replayed, Choice(variables={"ONE": value}))
        assert client.ask(of(ONE)) == shown(ONE, "one")


def test_law_2_two_variables_with_one_value_are_a_miss_that_names_both() -> None:
    for replayed in both(two({ONE: "ONE", TWO: "TWO"})):
        client = Client(replayed, Choice(variables={"ONE": OTHER, "TWO": OTHER}))
        reason = client.ask(of(OTHER))
        assert client.status == 424
        assert f"{ONE} by the variable ONE and {TWO} by the variable TWO" in reason
        assert "stands for itself, but bind or a variable names another" in client.ask(of(ONE))


def test_law_2_a_variable_with_the_value_of_another_known_sid_is_a_miss() -> None:
    for replayed in both(two({ONE: "ONE"})):
        client = Client(replayed, Choice(variables={"ONE": TWO}))
        assert f"{ONE} by the variable ONE and {TWO} by the recorder" in client.ask(of(TWO))


def test_law_2_bind_goes_before_the_variable_and_the_recorders_own() -> None:
    for replayed in both(two({ONE: "ONE"})):
        client = Client(replayed, Choice(variables={"ONE": TYPO}, bind={OTHER: ONE}))
        assert client.ask(of(OTHER)) == shown(OTHER, "one")
        client.ask(of(TYPO))
        assert client.status == 424
        swapped = Client(replayed, Choice(bind={TWO: ONE, ONE: TWO}))
        assert swapped.ask(of(TWO)) == shown(TWO, "one")


def test_law_2_what_bind_gives_away_is_no_other_ones_name() -> None:
    channels = f"/v1/Services/{SERVICE}/Channels"
    listed = (get(channels), f'{{"channels": [{{"sid": "{ONE}"}}, {{"sid": "{TWO}"}}]}}')
    client = Client(cassette(listed, (of(ONE), shown(ONE))), Choice(bind={TWO: ONE}))
    answer = client.ask(get(channels))
    assert answer.count(TWO) == 1
    assert ONE not in answer


# Bind


def test_law_2_of_several_bound_to_one_the_first_that_is_sent_stands_for_it() -> None:
    for replayed in both(two()):
        client = Client(replayed, Choice(bind={OTHER: ONE, TYPO: ONE, TWO: TWO}))
        assert client.ask(of(TYPO)) == shown(TYPO, "one")
        assert f"{OTHER} stands for {ONE} by bind, and so does {TYPO}" in client.ask(of(OTHER))
        assert client.ask(of(TWO)) == shown(TWO, "two")
        own = Client(replayed, Choice(bind={OTHER: ONE, ONE: ONE}))
        assert own.ask(of(ONE)) == shown(ONE, "one")
        assert own.ask(of(TWO)) == shown(TWO, "two")


def test_law_2_what_is_kept_is_served_as_recorded_before_all_else() -> None:
    for replayed in both(two({ONE: "ONE"})):
        for keep in ({"CH"}, {ONE}):
            client = Client(replayed, Choice(keep=frozenset(keep), bind={OTHER: ONE}, variables={"ONE": OTHER}))
            assert client.ask(of(ONE)) == shown(ONE, "one")
            client.ask(of(OTHER))
            assert client.status == 424


def test_law_2_sids_are_served_as_recorded_from_a_fixture_too() -> None:
    for replayed in both(two()):
        client = Client(replayed, Choice(recorded=True))
        assert client.ask(of(TWO)) == shown(TWO, "two")


def test_canonical_sids_of_either_form_are_understood_in_bind_and_keep() -> None:
    for replayed in both(two()):
        for written in ("CH" + "0" * 31 + "2", "CHca765a4cadaca3670000000000000002"):
            client = Client(replayed, Choice(bind={OTHER: written}))
            assert client.ask(of(OTHER)) == shown(OTHER, "two")
            kept = Client(replayed, Choice(keep=frozenset({written}), bind={OTHER: TWO}))
            assert kept.ask(of(TWO)) == shown(TWO, "two")


# The account


def test_law_2_the_users_account_goes_before_the_variable_that_held_it() -> None:
    recorded = MemoryCassette(
        "a", list(cassette((of(ONE), f'{{"account_sid": "{ACCOUNT}"}}'))), RULES, None, {ACCOUNT: "A"}
    )
    for replayed in both(recorded):
        client = Client(replayed, Choice(variables={"A": sid("AC", "7")}))
        assert client.ask(get(messages(channel=ONE), LIVE_ACCOUNT)) == f'{{"account_sid": "{LIVE_ACCOUNT}"}}'
        by_key = Client(replayed, Choice(variables={"A": LIVE_ACCOUNT}))
        assert by_key.ask(get(messages(channel=ONE), sid("SK", "7"))) == f'{{"account_sid": "{LIVE_ACCOUNT}"}}'


# Anonymous


def test_law_2_from_an_anonymous_fixture_what_stands_for_nothing_is_fresh_and_can_be_sent_back() -> None:
    channels = f"/v1/Services/{SERVICE}/Channels"
    listed = (get(channels), f'{{"channels": [{{"sid": "{ONE}"}}]}}')
    replayed = shared(cassette(listed, (of(ONE), shown(ONE, "one"))), anonymous=True)
    assert all(known.own is None for known in replayed.known)
    client = Client(replayed)
    answer = client.ask(get(f"/v1/Services/{LIVE_SERVICE}/Channels"))
    fresh = answer.partition('"sid": "')[2][:34]
    assert fresh not in {ONE, known_sid(replayed, "CH")}
    assert client.ask(of(OTHER, LIVE_SERVICE)) == shown(OTHER, "one").replace(SERVICE, LIVE_SERVICE)
    assert client.ask(of(fresh, LIVE_SERVICE)) == shown(fresh, "one").replace(SERVICE, LIVE_SERVICE)
    assert f"{OTHER} was assumed to stand for" in client.ask(of(OTHER, LIVE_SERVICE))
    again = Client(replayed, Choice(bind={OTHER: known_sid(replayed, "CH"), TYPO: known_sid(replayed, "CH")}))
    again.ask(get(f"/v1/Services/{LIVE_SERVICE}/Channels"))
    again.ask(of(OTHER, LIVE_SERVICE))
    assert f"{fresh} stands for itself, but {OTHER} stands for it already" in again.ask(of(fresh, LIVE_SERVICE))
    kept = Client(replayed, Choice(keep=frozenset({"CH", "IS"})))
    assert known_sid(replayed, "CH") in kept.ask(get(f"/v1/Services/{known_sid(replayed, 'IS')}/Channels"))


def known_sid(replayed: MemoryCassette, prefix: str) -> str:
    return next(known.sid.decode() for known in replayed.known if known.sid.startswith(prefix.encode()))


def test_law_2_one_service_and_one_channel_replay_for_anyone() -> None:
    recorded = cassette((of(CHANNEL), shown(CHANNEL)))
    for replayed in (recorded, shared(recorded), shared(recorded, anonymous=True)):
        client = Client(replayed)
        answer = client.ask(get(messages(LIVE_SERVICE, LIVE_CHANNEL), LIVE_ACCOUNT))
        assert answer == shown(LIVE_CHANNEL).replace(SERVICE, LIVE_SERVICE)


# Programs


def random_program(draw: Random) -> list[tuple[Request, str]]:
    """Return reads and creates in two channels, in any order; each answer tells by a word which channel it is of."""
    program = []
    for channel in [ONE, TWO, *draw.choices((ONE, TWO), k=draw.randrange(5))]:
        word = WORDS[channel]
        if draw.random() < 0.5:
            program.append((get(f"{messages(channel=channel)}?PageSize={draw.randrange(3) + 1}"), shown(channel, word)))
        else:
            made = f"IM{draw.getrandbits(128):032x}"
            content = f'{{"sid": "{made}", "channel_sid": "{channel}", "text": "{word}"}}'
            program.append((post(messages(channel=channel), f"Body={draw.randrange(2)}"), content))
    draw.shuffle(program)
    return program


WORDS = {ONE: "one", TWO: "two"}


def test_law_2_channels_are_never_swapped_whatever_the_order_and_the_sids() -> None:
    draw, hits = Random(7), 0
    for _ in range(many(600)):
        program = random_program(draw)
        variables = draw.choice([{}, {ONE: "ONE"}, {ONE: "ONE", TWO: "TWO"}])
        recorded = MemoryCassette("a", list(cassette(*program)), RULES, None, variables)
        replayed = draw.choice([recorded, shared(recorded), shared(recorded, anonymous=True)])
        live = {channel: f"CH{draw.getrandbits(128):032x}" for channel in WORDS}
        if draw.random() < 0.5:
            live = {ONE: ONE, TWO: TWO}
        values = {name: live[channel] for channel, name in variables.items()} if draw.random() < 0.5 else {}
        bind = {live[TWO]: known_number(recorded, TWO)} if draw.random() < 0.3 else {}
        client = Client(replayed, Choice(bind=bind, variables=values, assumes=draw.random() < 0.8))
        draw.shuffle(program)
        for request, _ in program:
            channel = ONE if ONE.encode() in request.target else TWO
            target = request.target.replace(channel.encode(), live[channel].encode())
            served = client.ask(Request(request.method, target, request.headers, request.body, request.origin))
            if client.status != 424:
                hits += 1
                assert live[channel] in served
                assert WORDS[channel] in served
    assert hits > many(600)


def known_number(recorded: MemoryCassette, channel: str) -> str:
    """Return the canonical SID of a channel."""
    numbers = [known.sid.decode() for known in recorded.known if known.sid.startswith(b"CH")]
    return f"CHca765a4cadaca367{numbers.index(channel) + 1:016d}"


# Users


def of_users(*users: str) -> Bindings:
    request = Request("GET", messages().encode())
    recorded = [numbered(n, request, Response(200), UPSTREAM, n, n, user=user) for n, user in enumerate(users, 1)]
    return Bindings(MemoryCassette("a", recorded, RULES))


def refusal(sids: Bindings, user: str) -> str | None:
    return sids.translation(normalize(get(messages()), RULES), user).refusal


@pytest.mark.parametrize("letters", ["AC", "SK"])
def test_users_are_known_and_a_live_one_stands_for_the_only_one_of_its_type(letters: str) -> None:
    sids, other = of_users(sid(letters, "1")), sid(letters, "2")
    assert refusal(sids, other) is refusal(sids, other) is None
    assert sids.recorded_user(other) == sid(letters, "1")


def test_where_several_users_of_a_type_recorded_a_live_one_is_told_the_candidates() -> None:
    one, two, live = (sid("AC", digit) for digit in "123")
    sids = of_users(one, two)
    assert refusal(sids, live) == (
        f"{live} stands for no SID of cassette 'a': more than one user is left; it may be {one} or {two}: "
        f"--bind {live}=SID"
    )
    assert refusal(sids, two) is None
    assert refusal(sids, live) is None
    assert (sids.recorded_user(two), sids.recorded_user(live)) == (two, one)


def test_two_live_users_never_stand_for_one_recorded_user() -> None:
    one, live, other = (sid("SK", digit) for digit in "123")
    sids = of_users(one)
    assert refusal(sids, live) is None
    taken = refusal(sids, other)
    assert taken is not None
    assert taken.startswith(f"{other} stands for no SID of cassette 'a': another stands for each already; it may be")
    assert refusal(sids, one) == f"{one} stands for itself, but {live} stands for it already"


def test_a_user_of_a_type_that_did_not_record_need_not_stand_for_one() -> None:
    key, account = sid("SK", "1"), sid("AC", "1")
    for recorded, live in ((account, key), (key, account)):
        sids = of_users(recorded)
        assert refusal(sids, live) is None
        assert sids.recorded_user(live) == live


def test_bind_names_what_a_user_stands_for_and_no_other_does() -> None:
    one, live, other = (sid("AC", digit) for digit in "123")
    request = Request("GET", messages().encode())
    recorded = MemoryCassette("a", [numbered(1, request, Response(200), UPSTREAM, 1, 1, user=one)], RULES)
    sids = Bindings(recorded, Choice(bind={live: one}))
    assert refusal(sids, live) is None
    assert sids.recorded_user(live) == one
    assert refusal(sids, one) == f"{one} stands for itself, but {live} stands for it already"
    assert refusal(sids, other) is not None


def test_a_kept_user_is_served_as_recorded_whoever_asks() -> None:
    one, live = sid("AC", "1"), sid("AC", "2")
    request = Request("GET", messages().encode())
    recorded = MemoryCassette("a", [numbered(1, request, Response(200), UPSTREAM, 1, 1, user=one)], RULES)
    sids = Bindings(recorded, Choice(keep=frozenset({"AC"})))
    assert refusal(sids, live) is None
    assert sids.recorded_user(live) == live


def test_of_several_that_bind_names_for_a_user_the_first_one_that_is_sent_stands_for_it() -> None:
    one, live, other = (sid("AC", digit) for digit in "123")
    request = Request("GET", messages().encode())
    recorded = MemoryCassette("a", [numbered(1, request, Response(200), UPSTREAM, 1, 1, user=one)], RULES)
    sids = Bindings(recorded, Choice(bind={live: one, other: one}))
    assert refusal(sids, one) == f"{one} stands for itself, but bind or a variable names another for it"
    assert refusal(sids, other) is None
    assert sids.recorded_user(other) == one
    taken = refusal(sids, live)
    assert taken is not None
    assert taken.endswith(f"by bind, and so does {other}, which this session sent before it")


def test_a_user_that_stands_for_what_is_no_user_need_not_stand_for_one() -> None:
    one, live = sid("AC", "1"), sid("AC", "2")
    request = Request("GET", messages().encode())
    recorded = MemoryCassette("a", [numbered(1, request, Response(200), UPSTREAM, 1, 1, user=one)], RULES)
    sids = Bindings(recorded, Choice(bind={live: CHANNEL}))
    assert "another stands for each already" not in (refusal(sids, live) or "")
    assert sids.to_live(RecordedSid(one.encode())) == one.encode()
