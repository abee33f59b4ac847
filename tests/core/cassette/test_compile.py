from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from core.programs import Listed
from exchanges import numbered, users_of
from fixture.fixtures import read
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, MESSAGES, ORIGIN, UPSTREAM, exchanges

from chatproxy.core.answers.template import as_recorded
from chatproxy.core.cassette.compile import compile_exchanges, keys_of
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import ANY, NONE, REFUSED, spaced
from chatproxy.core.model import NO_CREDENTIALS, Exchange, ExchangeNumber, Request, Response
from chatproxy.core.timeline.numbering import Numbering
from chatproxy.core.timeline.standing import Role

RULES = Rules()


@given(st.lists(exchanges, max_size=4))
def test_each_exchange_is_compiled_by_the_one_function_for_keys(several: list[Exchange]) -> None:
    several = [replace(one, number=ExchangeNumber(number)) for number, one in enumerate(several, 1)]
    compiled = list(compile_exchanges(Listed(several), RULES))
    forms, users = [normalize(one.request, RULES) for one in several], users_of(several)
    assert sorted(one.number for one in compiled) == [exchange.number for exchange in several]
    assert sorted((one.number, one.keys, one.shape, one.route) for one in compiled) == [
        (exchange.number, keys_of(exchange, form, users), form.shape, form.route)
        for exchange, form in zip(several, forms, strict=True)
    ]


@given(st.lists(exchanges, max_size=3))
def test_compiling_again_gives_the_same(several: list[Exchange]) -> None:
    several = [replace(one, number=ExchangeNumber(number)) for number, one in enumerate(several, 1)]
    assert list(compile_exchanges(Listed(several), RULES)) == list(compile_exchanges(Listed(several), RULES))


def test_other_rules_make_other_keys() -> None:
    request = Request("GET", MESSAGES, ((b"X-A", b"1"),))
    exchange = numbered(1, request, Response(200), UPSTREAM, 0, 0)
    (one,), (other,) = (list(compile_exchanges(Listed([exchange]), rules)) for rules in (RULES, Rules(("x-a",))))
    assert one.keys != other.keys
    assert one.route == other.route


def test_law_10_our_own_address_is_turned_from_the_exchange_on_that_sent_it() -> None:
    answer = Response(200, b"OK", (JSON,), b'{"body": "http://127.0.0.1:8765/x"}')
    read = Request("GET", MESSAGES, origin=ORIGIN)
    create = Request("POST", MESSAGES, (FORM,), b"Body=http%3A%2F%2F127.0.0.1:8765/x", ORIGIN)
    several = [
        numbered(number, request, answer, UPSTREAM, number, number, number - 1)
        for number, request in ((1, read), (2, create), (3, read))
    ]
    bodies = [one.reply.render(as_recorded("http://h:1")).body for one in compile_exchanges(Listed(several), RULES)]
    assert bodies == [answer.body, b'{"body": "http://h:1/x"}', b'{"body": "http://h:1/x"}']


DEMO = Path(__file__).parents[3] / "cassettes" / "demo.json"
AS_COMPILED = "7a57e2f2ff5c7978b61c3fee79881b6d"


def test_what_the_demo_compiles_to() -> None:
    """A digest of all that compiling yields, so that no change of it goes unseen.

    Where it is another now, stores have what the code before compiled. If the change is in ``core/products``, the
    rules' fingerprint has changed with it: change the digest here alone, as where the demo was recorded anew. Otherwise
    raise ``COMPILE_VERSION`` in ``chatproxy/core/matching/rules.py`` too.
    """
    document = read(DEMO.read_bytes())
    numbering = Numbering(document.declared)
    compiled = list(compile_exchanges(Listed(list(document.exchanges)), RULES, numbering))
    yielded = repr([compiled, numbering.account, sorted(numbering.numbered().items()), list(numbering.users)])
    assert blake2b(yielded.encode(), digest_size=16).hexdigest() == AS_COMPILED, "read this test's docstring"


def test_an_exchange_has_a_key_in_each_of_its_spaces_and_a_challenge_repeats_as_a_read() -> None:
    account, key = "AC" + "1" * 32, "SK" + "1" * 32
    create = Request("POST", MESSAGES, (FORM,), b"Body=a")
    recorded = [
        numbered(1, create, Response(201), UPSTREAM, 1, 1, 0, account),
        numbered(2, create, Response(201), UPSTREAM, 2, 2, 1, key),
        numbered(3, create, Response(401), UPSTREAM, 3, 3, 2, NO_CREDENTIALS),
    ]
    form, numbering = normalize(create, RULES), Numbering()
    compiled = {one.number: one for one in compile_exchanges(Listed(recorded), RULES, numbering)}
    assert [*numbering.users] == [account, key, NO_CREDENTIALS]
    assert [compiled[ExchangeNumber(number)].keys for number in (1, 2, 3)] == [
        tuple(spaced(form.key, space) for space in (ANY, account, "AC")),
        tuple(spaced(form.key, space) for space in (ANY, key, "SK")),
        (spaced(form.shape, REFUSED),),
    ]
    assert compiled[ExchangeNumber(3)].standing.role is Role.CHALLENGE


@given(st.lists(exchanges, max_size=4))
def test_an_exchange_is_found_by_its_key_in_its_spaces_and_what_asks_for_credentials_by_its_shape(
    several: list[Exchange],
) -> None:
    users = users_of(several)
    for one in several:
        form = normalize(one.request, RULES)
        spaces = [spaced(form.key, space) for space in users.spaces_of(one)]
        asks = one.user == NO_CREDENTIALS and one.response.status == 401
        assert [*keys_of(one, form, users)] == ([spaced(form.shape, REFUSED)] if asks else spaces)


def test_credentials_are_asked_for_by_the_shape_alone_and_without_them_all_else_is_found_by_its_key() -> None:
    paths = [MESSAGES + b"/IM" + digit * 32 for digit in (b"1", b"2")]
    recorded = [
        numbered(number, Request("GET", path), Response(status), UPSTREAM, number, number, 0, NO_CREDENTIALS)
        for number, (path, status) in enumerate([(path, status) for status in (401, 403) for path in paths], 1)
    ]
    forms, users = [normalize(one.request, RULES) for one in recorded], users_of(recorded)
    keys = [keys_of(one, form, users) for one, form in zip(recorded, forms, strict=True)]
    assert keys[0] == keys[1] == (spaced(forms[0].shape, REFUSED),)
    assert keys[2:] == [(spaced(form.key, NONE),) for form in forms[2:]]


def test_a_user_that_was_admitted_but_once_is_one_of_those_who_recorded() -> None:
    account, other, refused = ("AC" + digit * 32 for digit in "123")
    answers = [(account, 401), (account, 200), (other, 200), (other, 401), (refused, 401), (refused, 401)]
    recorded = [
        numbered(number, Request("GET", MESSAGES), Response(status), UPSTREAM, number, number, 0, user)
        for number, (user, status) in enumerate(answers, 1)
    ]
    numbering = Numbering()
    compiled = {one.number: one for one in compile_exchanges(Listed(recorded), RULES, numbering)}
    assert numbering.users == {account: True, other: True, refused: False}
    key = normalize(recorded[0].request, RULES).key
    assert [compiled[ExchangeNumber(number)].keys for number in (1, 4, 5)] == [
        tuple(spaced(key, space) for space in spaces) for spaces in ((account, "AC"), (other, "AC"), (refused,))
    ]
