import json
from collections.abc import Container
from dataclasses import replace

import pytest
from core.recordings import Given as Otherwise
from core.recordings import recorded, sid, where
from core.recordings import session as recorded_session
from exchanges import numbered
from strategies import FORM, JSON, MESSAGES, MULTIPART, UPSTREAM, basic, multipart

from chatproxy.core.cassette.cassette import first_numbers
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import (
    NO_CREDENTIALS,
    OTHER_CREDENTIALS,
    Exchange,
    ExchangeNumber,
    Headers,
    RecordedSid,
    Request,
    Response,
    is_read,
)
from chatproxy.core.replay.bindings import Bindings, Given, Owner
from chatproxy.core.replay.explain import behind_reason, explain, miss_reason
from chatproxy.core.replay.gaps import held_back
from chatproxy.core.replay.nearness import Near
from chatproxy.core.replay.player import play_request
from chatproxy.core.replay.session import Session
from chatproxy.core.timeline.standing import Role, Step

RULES = Rules(("x-a",))
MESSAGE = MESSAGES + b"/IM" + b"3" * 32


def form(request: Request) -> NormalForm:
    return normalize(request, RULES)


def post(body: bytes, path: bytes = MESSAGES, headers: Headers = (FORM,)) -> Request:
    return Request("POST", path, headers, body)


def reason_of(replay: Session, live: Request) -> str:
    reason, _ = miss_reason(replay, play_request(replay, live, NO_CREDENTIALS))
    return reason


def session(*recorded: Request) -> Session:
    exchanges = [numbered(place, request, Response(200), UPSTREAM, 0, 0) for place, request in enumerate(recorded, 1)]
    return Session(MemoryCassette("tour", exchanges, RULES), RULES)


# Reasons


def test_law_12_a_miss_names_the_nearest_recorded_request_and_what_differs() -> None:
    replay = session(post(b"Body=a&From=me&Attributes={}"), post(b"Body=b&From=me"), Request("GET", MESSAGES))
    assert reason_of(replay, post(b"Body=c&From=me")) == (
        "never recorded; nearest is tour/2, where form field 'Body' is 'b' where this has 'c'"
    )


def test_law_12_a_request_of_the_same_shape_can_be_the_nearest() -> None:
    replay = session(Request("GET", MESSAGE))
    assert reason_of(replay, Request("GET", MESSAGE.replace(b"3", b"4"))) == (
        f"never recorded; nearest is tour/1, where the segment after 'Messages' is 'IM{'3' * 32}' "
        f"where this has 'IM{'4' * 32}'"
    )


def test_law_12_several_differences_are_listed() -> None:
    replay = session(Request("GET", MESSAGES + b"?Page=1&PageToken=a"))
    reason = reason_of(replay, Request("GET", MESSAGES + b"?Page=2"))
    assert reason == (
        "never recorded; nearest is tour/1, where query parameter 'Page' is '1' where this has '2'; "
        "query parameter 'PageToken' is 'a' where this has absent"
    )


def test_law_12_a_path_of_which_nothing_was_recorded() -> None:
    replay = session(Request("GET", MESSAGES), post(b"Body=a"))
    for live in (Request("DELETE", MESSAGES), Request("GET", b"/v1/Services")):
        never = f"never recorded, nor was any {live.method} of such a path in cassette 'tour'"
        assert miss_reason(replay, play_request(replay, live, OTHER_CREDENTIALS))[0] == never
        assert reason_of(replay, live) == never


FIRST, AGAIN, NEXT = post(b"Body=a"), post(b"Body=a"), post(b"Body=b")
LIST = Request("GET", MESSAGES)
SECOND_RUN = "if the program runs a second time, it needs DELETE /__chatproxy/sessions/default before it"


@pytest.mark.parametrize(
    ("recorded", "missed", "reason"),
    [
        (
            [FIRST, NEXT],
            FIRST,
            "the one recorded answer is used: the first recorded request came again; "
            f"{SECOND_RUN}, a session name of its own or --on-exhausted restart",
        ),
        (
            [FIRST, AGAIN],
            FIRST,
            "all 2 recorded answers are used: the first recorded request came again; "
            f"{SECOND_RUN}, a session name of its own or --on-exhausted restart",
        ),
        (
            [FIRST, NEXT],
            NEXT,
            "the one recorded answer is used; record again, "
            "or for a second run DELETE /__chatproxy/sessions/default or use a new session name",
        ),
        (
            [LIST, LIST, FIRST, NEXT],
            FIRST,
            "the one recorded answer is used: the first recorded write came again; "
            f"{SECOND_RUN} or a session name of its own",
        ),
        (
            [LIST] * 200 + [FIRST],
            FIRST,
            "the one recorded answer is used; record again, "
            "or for a second run DELETE /__chatproxy/sessions/default or use a new session name",
        ),
    ],
)
def test_law_12_a_write_that_is_used_up_says_what_helps_and_whether_the_recording_began_so(
    recorded: list[Request], missed: Request, reason: str
) -> None:
    replay = session(*recorded)
    for live in recorded:
        assert play_request(replay, live, NO_CREDENTIALS).number
    assert reason_of(replay, missed) == reason


def test_law_12_where_no_other_session_can_be_chosen_none_is_named() -> None:
    cassette = session(FIRST, NEXT).cassette
    replay = Session(cassette, RULES, tied=True)
    for live in (FIRST, NEXT):
        assert play_request(replay, live, NO_CREDENTIALS).number
    assert reason_of(replay, FIRST).endswith(f"; {SECOND_RUN} or --on-exhausted restart")
    assert reason_of(replay, NEXT).endswith("; record again, or for a second run DELETE /__chatproxy/sessions/default")
    behind_reads = Session(session(LIST, FIRST).cassette, RULES, tied=True)
    play_request(behind_reads, FIRST, NO_CREDENTIALS)
    assert reason_of(behind_reads, FIRST).endswith(f"; {SECOND_RUN}")


def test_law_12_a_first_read_that_a_write_has_changed_says_what_a_second_run_needs() -> None:
    exchanges = [
        numbered(number, request, Response(200), UPSTREAM, number, number, number - 1)
        for number, request in enumerate([LIST, FIRST], 1)
    ]
    replay = Session(MemoryCassette("tour", exchanges, RULES), RULES)
    play_request(replay, FIRST, NO_CREDENTIALS)
    assert reason_of(replay, LIST) == (
        f"recorded only before tour/2 POST {MESSAGES.decode()}, which may have changed it; "
        f"{SECOND_RUN}, a session name of its own or --on-exhausted restart"
    )


def test_law_12_a_read_of_another_state_names_the_first_write_and_counts_the_others() -> None:
    made, other = (post(b"Body=a"), 201, sid("IM", 1)), (post(b"Body=b"), 201, sid("IM", 2))
    replay = recorded_session(LIST, made, other, Request("GET", MESSAGES + b"?PageSize=1"))
    first, second = (f"tour/{number} POST {MESSAGES.decode()}" for number in (2, 3))
    late = Request("GET", MESSAGES + b"?PageSize=1")
    assert reason_of(replay, late) == f"recorded only after {first} (and 1 more), which this session has not made"
    play_request(replay, made[0], NO_CREDENTIALS)
    assert reason_of(replay, late) == f"recorded only after {second}, which this session has not made"
    changed = f"recorded only before {first}, which may have changed it; {SECOND_RUN}"
    assert reason_of(replay, LIST).startswith(changed)


def test_law_12_a_read_that_shows_a_skipped_write_says_how_it_is_answered() -> None:
    other = post(b"Body=b")
    replay = recorded_session(post(b"Body=a"), other, LIST)
    play_request(replay, other, NO_CREDENTIALS)
    assert reason_of(replay, LIST) == (
        f"recorded only after tour/1 POST {MESSAGES.decode()}, which this session has not made; "
        "--skipped done answers it as recorded"
    )


def test_law_12_a_write_that_another_session_has_made_is_said_to_be_so() -> None:
    replay = recorded_session(FIRST, LIST)
    other = Session(replay.cassette, RULES, "other")
    play_request(other, FIRST, NO_CREDENTIALS)
    reason, _ = miss_reason(replay, play_request(replay, LIST, NO_CREDENTIALS), [other])
    assert reason.endswith(
        "which this session has not made, but session 'other' has; a program that uses several users needs "
        "--sessions one"
    )


def test_law_12_a_change_by_others_names_what_showed_it() -> None:
    place = where(MESSAGES).place
    change = Otherwise(
        changes={2: lambda one: one._replace(step=ExchangeNumber(2))},
        given={place: [Step(ExchangeNumber(2), (where(MESSAGE).place,))]},
    )
    replay = recorded_session(Request("GET", MESSAGE), LIST, given=change)
    play_request(replay, LIST, NO_CREDENTIALS)
    reason = "recorded only before another's change, which tour/2 showed"
    assert reason_of(replay, Request("GET", MESSAGE)) == reason


def test_law_12_what_is_in_doubt_names_what_was_in_flight() -> None:
    doubtful = Otherwise(changes={2: lambda one: one._replace(role=Role.DOUBTFUL, states=())})
    exchanges = recorded(FIRST, LIST)
    exchanges[1] = replace(exchanges[1], asked=exchanges[0].asked)
    replay = Session(MemoryCassette("tour", exchanges, RULES, learnt=doubtful), RULES)
    flight = f"tour/1 POST {MESSAGES.decode()} was in flight"
    assert reason_of(replay, LIST) == f"its answer is in doubt: at tour/2, {flight}"
    play_request(replay, FIRST, NO_CREDENTIALS)
    assert reason_of(replay, LIST) == "its answer is in doubt: at tour/2, another write to it was in flight"


def test_law_12_a_state_that_no_write_explains_is_another() -> None:
    other = Otherwise(changes={1: lambda one: one._replace(states=(7,))})
    assert reason_of(recorded_session(LIST, given=other), LIST) == "recorded only in another state of what it asks for"


def test_what_is_not_put_to_the_upstream_names_what_it_has_behind_it() -> None:
    replay = recorded_session(FIRST, LIST)
    behind = held_back(replay, form(Request("GET", MESSAGES + b"?PageSize=1")), is_ahead=True)
    assert behind is not None
    for has_changed, began in ((False, "not recorded"), (True, "changed by this run")):
        assert behind_reason(replay, behind, has_changed=has_changed) == (
            f"{began}, and not put to the upstream, which has tour/1 POST {MESSAGES.decode()} behind it: "
            "this session has not made that; make it first, "
            "or record anew with --replace (pytest: --record-mode=rewrite)"
        )


def test_what_an_earlier_session_of_this_run_has_changed_is_not_put_to_the_upstream() -> None:
    replay = recorded_session(LIST)
    ahead = held_back(replay, form(Request("GET", MESSAGES + b"?PageSize=1")), is_ahead=True)
    assert ahead is not None
    assert behind_reason(replay, ahead, has_changed=False) == (
        "not recorded, and not put to the upstream, which has a write of session 'default' behind it: it was begun "
        "anew since; restart chatproxy, or record anew with --replace (pytest: --record-mode=rewrite)"
    )


# Explanations


def test_law_12_the_three_nearest_are_named_the_most_alike_first() -> None:
    replay = session(*(post(body) for body in (b"a=2&b=2&c=2", b"a=1&b=2", b"a=1&b=1&c=2", b"a=1&b=1&c=1&d=1")))
    found = explain(replay, post(b"a=1&b=1&c=1"))
    assert [near.number for near in found.nearest] == [3, 4, 2]
    assert (found.number, found.ignorable) == (None, ["c"])
    assert found.reason == "never recorded; nearest is tour/3, where form field 'c' is '2' where this has '1'"


def test_law_12_a_body_of_the_same_kind_is_nearer_than_another_kind_however_much_differs_in_it() -> None:
    as_json = post(json.dumps(dict.fromkeys("abcdefgh", 1)).encode(), headers=(JSON,))
    replay = session(post(b"x=1"), as_json, post(b"", headers=()))
    reason = reason_of(replay, post(json.dumps(dict.fromkeys("abcdefgh", 2)).encode(), headers=(JSON,)))
    assert reason.startswith("never recorded; nearest is tour/2, where body at /a is 1 where this has 2; body at /b is")
    assert "nearest is tour/1," in reason_of(session(post(b"x=1"), as_json), post(b"", headers=()))


def test_law_12_a_hit_is_explained_by_its_exchange() -> None:
    found = explain(session(post(b"a=1")), post(b"a=1"))
    assert (found.number, found.reason, found.ignorable) == (1, None, [])
    assert found.nearest == [Near(ExchangeNumber(1), [])]


@pytest.mark.parametrize(
    ("recorded", "live", "names"),
    [
        (post(b"a=1"), post(b""), ["a"]),
        (post(b"a=1", MESSAGES + b"?b=1"), post(b"a=2", MESSAGES + b"?b=2"), ["b", "a"]),
        (post(b"a=1"), post(b"a=2", MESSAGE), []),
        (post(b"a", headers=()), post(b"b", headers=()), []),
        (post(b"a=1"), post(b"a=2", headers=(FORM, (b"x-a", b"1"))), []),
        (post(b"a=[1,1]&b=1"), post(b"a=[2,2]&b=2"), ["a", "b"]),
    ],
)
def test_law_12_parameters_are_named_that_could_be_ignored(recorded: Request, live: Request, names: list[str]) -> None:
    assert explain(session(recorded), live).ignorable == names


def test_law_12_the_sid_of_another_session_is_the_reason() -> None:
    message, given = b"IM" + b"3" * 32, Given()
    created = numbered(1, post(b"a=1"), Response(201, b"", (), message), UPSTREAM, 1, 1)
    cassette = MemoryCassette(
        "tour", [created, numbered(2, Request("GET", MESSAGE), Response(200), UPSTREAM, 2, 2, 1)], RULES
    )
    one, other = (
        Session(cassette, RULES, name, sids=Bindings(cassette, None, Owner(name), given)) for name in ("one", "other")
    )
    fresh = one.sids.to_live(RecordedSid(message))
    found = explain(other, Request("GET", MESSAGE.replace(message, fresh)))
    assert found.reason == f"{fresh.decode()} was given to another session, 'one'; each has SIDs of its own"


def test_parts_in_which_alone_a_request_differs_can_be_ignored() -> None:
    recorded, live = (
        post(multipart([(b"File", name, None, name), (b"a", None, None, b"1")]), headers=(MULTIPART,))
        for name in (b"x", b"y")
    )
    assert explain(session(recorded), live).ignorable == ["File"]


# Users

ONE, TWO, THREE, KEY = "AC" + "1" * 32, "AC" + "2" * 32, "AC" + "3" * 32, "SK" + "1" * 32


def of_users(*recorded: tuple[Request, str | None], refused: Container[int] = ()) -> MemoryCassette:
    """Return a cassette of requests that these users made one after another; those of the numbers were refused."""
    exchanges: list[Exchange] = []
    for number, (request, user) in enumerate(recorded, 1):
        after = max((one.number for one in exchanges if not is_read(one.request.method)), default=0)
        response = Response(401 if number in refused else 200)
        exchanges.append(numbered(number, request, response, UPSTREAM, number, number, after, user))
    return MemoryCassette("tour", exchanges, RULES)


def asked_by(user: str, *recorded: tuple[Request, str | None], live: Request = LIST) -> str:
    replay = Session(of_users(*recorded), RULES)
    return miss_reason(replay, play_request(replay, live, user))[0]


@pytest.mark.parametrize(
    ("recorded", "live", "line"),
    [
        ([ONE], NO_CREDENTIALS, "credentials were sent, while this was sent without credentials"),
        ([OTHER_CREDENTIALS], NO_CREDENTIALS, "credentials were sent, while this was sent without credentials"),
        ([NO_CREDENTIALS], ONE, "no credentials were sent, while this was sent with credentials"),
        ([NO_CREDENTIALS], OTHER_CREDENTIALS, "no credentials were sent, while this was sent with credentials"),
        ([ONE], TWO, f"another user sent it, {ONE}"),
    ],
)
def test_law_12_who_sent_a_request_is_named_where_nothing_else_differs(
    recorded: list[str], live: str, line: str
) -> None:
    others = [(FIRST, ONE), (FIRST, TWO)]  # of several accounts none is given what another was
    assert (
        asked_by(live, *((LIST, one) for one in recorded), *others)
        == f"never recorded; nearest is tour/1, where {line}"
    )


def test_law_12_who_sent_a_request_is_named_before_what_else_differs() -> None:
    assert asked_by(NO_CREDENTIALS, (FIRST, ONE), live=NEXT) == (
        "never recorded; nearest is tour/1, where credentials were sent, while this was sent without credentials; "
        "form field 'Body' is 'a' where this has 'b'"
    )
    assert asked_by(ONE, (FIRST, None), live=NEXT).endswith("where form field 'Body' is 'a' where this has 'b'")


def test_law_12_of_equal_requests_that_of_who_asks_is_the_nearest() -> None:
    found = asked_by(TWO, (FIRST, ONE), (FIRST, NO_CREDENTIALS), (FIRST, TWO), live=NEXT)
    assert found == "never recorded; nearest is tour/3, where form field 'Body' is 'a' where this has 'b'"


def test_law_12_no_parameter_is_named_to_be_ignored_where_the_user_is_another() -> None:
    found = explain(Session(of_users((FIRST, ONE)), RULES), NEXT)
    assert (found.number, found.ignorable) == (None, [])
    assert explain(Session(of_users((FIRST, NO_CREDENTIALS)), RULES), NEXT).ignorable == ["Body"]


def test_a_request_is_explained_with_its_key_in_the_space_of_who_asks() -> None:
    cassette = of_users((LIST, ONE), (LIST, NO_CREDENTIALS))
    with_credentials = Request("GET", MESSAGES, (basic(ONE.encode(), b"x"),))
    found = [explain(Session(cassette, RULES), live) for live in (with_credentials, LIST)]
    assert [one.number for one in found] == [1, 2]
    assert [[*first_numbers(cassette, one.key)] for one in found] == [[1], [2]]


def test_a_request_that_was_refused_for_want_of_credentials_is_explained_with_the_key_of_its_shape() -> None:
    cassette = of_users((LIST, NO_CREDENTIALS), (LIST, ONE), refused={1})
    replay = Session(cassette, RULES)
    other = Request("GET", MESSAGES.replace(b"CH" + b"2" * 32, b"CH" + b"9" * 32))
    for live in (LIST, other):
        found = explain(replay, live)
        assert (found.number, [*first_numbers(cassette, found.key)]) == (1, [1])
    write = explain(replay, FIRST)
    assert (write.number, [*first_numbers(cassette, write.key)]) == (None, [])


def test_law_12_a_second_run_is_told_of_by_who_came_first_and_what_asked_for_credentials_was_no_beginning() -> None:
    cassette = of_users((FIRST, NO_CREDENTIALS), (FIRST, ONE), (NEXT, TWO), (FIRST, TWO), (LIST, ONE), refused={1})
    replay = Session(cassette, RULES)
    assert replay.opening == (2,)
    for live, user in ((FIRST, ONE), (NEXT, TWO), (FIRST, TWO)):
        assert play_request(replay, live, user).number
    again, other = (miss_reason(replay, play_request(replay, FIRST, user))[0] for user in (ONE, TWO))
    assert again.startswith(f"the one recorded answer is used: the first recorded request came again; {SECOND_RUN}")
    assert other == (
        "the one recorded answer is used; record again, "
        "or for a second run DELETE /__chatproxy/sessions/default or use a new session name"
    )


def test_law_12_where_what_is_looked_at_only_asked_for_credentials_nothing_came_first() -> None:
    replay = Session(of_users(*[(LIST, NO_CREDENTIALS)] * 200, (FIRST, ONE), refused=range(1, 201)), RULES)
    assert replay.opening == ()
    assert play_request(replay, FIRST, ONE).number == 201
    assert miss_reason(replay, play_request(replay, FIRST, ONE))[0].startswith(
        "the one recorded answer is used; record again, "
    )


def test_law_12_of_a_user_who_was_only_refused_no_program_of_several_users_is_told() -> None:
    cassette = of_users((FIRST, ONE), (LIST, TWO), refused={2})
    one, other = Session(cassette, RULES, ONE), Session(cassette, RULES, THREE)
    assert SEVERAL_USERS not in miss_reason(other, play_request(other, NEXT, THREE), [one])


SEVERAL_USERS = "a program that uses several users needs --sessions one"


def test_law_12_where_another_session_made_the_write_it_is_named_with_what_helps() -> None:
    cassette = of_users((FIRST, ONE), (LIST, KEY))
    one, other, idle = (Session(cassette, RULES, name) for name in (ONE, "default", "idle"))
    assert play_request(one, FIRST, ONE).number == 1
    early = f"recorded only after tour/1 POST {MESSAGES.decode()}, which this session has not made"
    played = play_request(other, LIST, KEY)
    assert miss_reason(other, played, [idle, one])[0] == f"{early}, but session {ONE!r} has; {SEVERAL_USERS}"
    assert miss_reason(other, played, [idle])[0] == f"{early}; {SEVERAL_USERS}"
    assert miss_reason(other, played)[0] == early


def test_law_12_what_another_user_may_have_done_says_what_helps_for_a_recording_of_several_users() -> None:
    cassette = of_users((LIST, KEY), (FIRST, ONE), (NEXT, KEY))
    one, other = (Session(cassette, RULES, name) for name in (ONE, "default"))
    play_request(one, FIRST, ONE)
    again = miss_reason(one, play_request(one, FIRST, ONE), [other])[0]
    assert again.startswith("the one recorded answer is used: ")
    assert again.endswith(f"; {SEVERAL_USERS}")
    assert SEVERAL_USERS not in miss_reason(one, play_request(one, FIRST, NO_CREDENTIALS), [other])[0]
    alone = Session(of_users((FIRST, ONE)), RULES, ONE)
    play_request(alone, FIRST, ONE)
    assert SEVERAL_USERS not in miss_reason(alone, play_request(alone, FIRST, ONE), [other])[0]


def test_law_12_where_another_session_was_given_the_sid_it_says_what_helps() -> None:
    message, given = b"IM" + b"3" * 32, Given()
    created = numbered(1, FIRST, Response(201, b"", (), message), UPSTREAM, 1, 1, user=ONE)
    fetched = numbered(2, Request("GET", MESSAGE), Response(200), UPSTREAM, 2, 2, 1, user=KEY)
    cassette = MemoryCassette("tour", [created, fetched], RULES)
    one, other = (
        Session(cassette, RULES, name, sids=Bindings(cassette, None, Owner(name), given)) for name in (ONE, "default")
    )
    fresh = one.sids.to_live(RecordedSid(message))
    played = play_request(other, Request("GET", MESSAGE.replace(message, fresh)), KEY)
    elsewhere = f"{fresh.decode()} was given to another session, {ONE!r}; each has SIDs of its own"
    assert (played.refusal, played.elsewhere) == (elsewhere, ONE)
    assert miss_reason(other, played, [one])[0] == f"{elsewhere}; {SEVERAL_USERS}"
    assert miss_reason(other, played)[0] == elsewhere
