from dataclasses import replace

import pytest
from exchanges import STANDING, numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import exchanges, responses, twilio_responses, users

from chatproxy.core.answers.template import Learned, Reply, compiled_reply
from chatproxy.core.cassette.codec import (
    decode_exchange,
    decode_known,
    decode_stencil,
    decode_told,
    decode_users,
    encode_exchange,
    encode_known,
    encode_reply,
    encode_told,
    encode_users,
    is_sound,
    pack,
    seal,
    unpack,
)
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import (
    NO_CREDENTIALS,
    OTHER_CREDENTIALS,
    Exchange,
    ExchangeNumber,
    InOrder,
    LiveSid,
    RecordedSid,
    Request,
    Response,
    Standing,
)
from chatproxy.core.timeline.known import Known

EXCHANGE = numbered(1, Request("GET", b"/"), Response(200), "https://chat.twilio.com", asked=1, answered=2)


@given(st.lists(st.binary(max_size=10), max_size=6))
def test_fields_come_back_from_their_record(fields: list[bytes]) -> None:
    assert unpack(pack(fields), "here") == fields


@given(exchanges)
def test_an_exchange_comes_back_from_its_record(exchange: Exchange) -> None:
    assert decode_exchange(exchange.number, encode_exchange(exchange), "here") == exchange


def compiled(response: Response) -> Reply:
    exchange = numbered(1, Request("POST", b"/v1"), response, "https://chat.twilio.com", 0, 5)
    return compiled_reply(exchange, STANDING, Learned())


@given(responses | twilio_responses)
def test_a_reply_comes_back_from_its_record(response: Response) -> None:
    reply = compiled(response)
    found = decode_stencil(encode_reply(reply))
    assert found is not None
    assert found.reply == reply


numbers = st.integers(0, 2**32 - 1)


@given(exchanges, st.data())
def test_any_flipped_bits_are_found_out_with_the_place(exchange: Exchange, data: st.DataObject) -> None:
    record = bytearray(encode_exchange(exchange))
    record[data.draw(st.integers(0, len(record) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CassetteError, match=r"^a/1: is damaged; record it again, or import its fixture$"):
        decode_exchange(ExchangeNumber(1), bytes(record), "a/1")


@given(exchanges, st.data())
def test_a_record_cut_short_or_gone_on_is_found_out(exchange: Exchange, data: st.DataObject) -> None:
    record = encode_exchange(exchange)
    cut = data.draw(st.integers(0, len(record) - 1))
    rest = data.draw(st.binary(min_size=1, max_size=8))
    for damaged in (record[:cut], record + rest):
        with pytest.raises(CassetteError, match="a/1: is damaged"):
            decode_exchange(ExchangeNumber(1), damaged, "a/1")


@given(exchanges, st.binary(max_size=9), st.binary(max_size=9))
def test_a_record_under_the_key_of_another_one_is_found_out(exchange: Exchange, key: bytes, other: bytes) -> None:
    record = encode_exchange(exchange, key)
    assert decode_exchange(exchange.number, record, "here", key) == exchange
    if key not in (other, b""):
        with pytest.raises(CassetteError, match="a/1: is damaged"):
            decode_exchange(exchange.number, record, "a/1", other)


@given(exchanges, st.binary(max_size=9))
def test_a_record_of_before_checksums_covered_keys_is_read(exchange: Exchange, key: bytes) -> None:
    assert decode_exchange(exchange.number, encode_exchange(exchange), "here", key) == exchange


def test_what_is_compiled_is_read_under_its_own_key_only() -> None:
    reply = compiled(Response(200))
    assert decode_stencil(encode_reply(reply, b"a"), b"a") is not None
    assert decode_stencil(encode_reply(reply, b"a"), b"b") is None
    assert decode_stencil(encode_reply(reply), b"b") is None


@given(st.binary(max_size=9), st.binary(max_size=9), st.data())
def test_a_sealed_value_is_sound_as_it_was_sealed_and_under_its_key(
    value: bytes, key: bytes, data: st.DataObject
) -> None:
    sealed = seal(value, key)
    assert is_sound(sealed, key)
    assert not is_sound(sealed, key + b"x")
    broken = bytearray(sealed)
    broken[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    assert not is_sound(bytes(broken), key)


@given(twilio_responses, st.data())
def test_a_damaged_reply_is_found_out(response: Response, data: st.DataObject) -> None:
    record = bytearray(encode_reply(compiled(response)))
    record[data.draw(st.integers(0, len(record) - 1))] ^= data.draw(st.integers(1, 255))
    assert decode_stencil(bytes(record)) is None


def test_an_empty_reply_is_found_out() -> None:
    for record in (b"", bytes(4), bytes(8)):
        assert decode_stencil(record) is None


def test_the_number_of_an_exchange_is_its_key_and_not_in_its_record() -> None:
    assert decode_exchange(ExchangeNumber(7), encode_exchange(EXCHANGE), "here").number == 7


def test_no_user_comes_back_as_none() -> None:
    assert decode_exchange(ExchangeNumber(1), encode_exchange(EXCHANGE), "here").user is None


@pytest.mark.parametrize("user", [NO_CREDENTIALS, OTHER_CREDENTIALS, "AC" + "1" * 32, "SK" + "1" * 32])
@pytest.mark.parametrize("status", [200, 401])
def test_who_sent_a_request_comes_back(user: str, status: int) -> None:
    one = replace(EXCHANGE, user=user, response=Response(status))
    assert decode_exchange(ExchangeNumber(1), encode_exchange(one), "here") == one


@pytest.mark.parametrize(("status", "user"), [(200, None), (403, None), (401, NO_CREDENTIALS)])
def test_a_record_of_an_older_format_that_does_not_tell_who_was_answered_401_had_no_credentials(
    status: int, user: str | None
) -> None:
    record = encode_exchange(replace(EXCHANGE, user="AC" + "1" * 32, response=Response(status)))
    fields = unpack(record, "here")
    older = pack([one.replace(b"AC" + b"1" * 32, b"") for one in fields])
    assert older != record
    assert decode_exchange(ExchangeNumber(1), older, "here").user == user


@pytest.mark.parametrize("status", [200, 401])
def test_credentials_that_are_not_known_stay_so_whatever_was_answered(status: int) -> None:
    one = replace(EXCHANGE, user=None, response=Response(status))
    assert decode_exchange(ExchangeNumber(1), encode_exchange(one), "here") == one


@given(st.dictionaries(users, st.booleans(), max_size=4))
def test_users_come_back_from_their_record_in_their_order_with_whether_each_was_admitted(
    several: dict[str | None, bool],
) -> None:
    assert [*decode_users(encode_users(several)).items()] == [*several.items()]


_paths = st.binary(max_size=9).map(lambda path: b"/" + path)


@given(exchanges, st.builds(Standing, numbers, st.lists(st.tuples(_paths, numbers), max_size=2).map(tuple)))
def test_where_an_exchange_is_said_to_stand_comes_back_from_its_record(exchange: Exchange, standing: Standing) -> None:
    said = replace(exchange, standing=standing)
    assert decode_exchange(exchange.number, encode_exchange(said), "here") == said


_numbers = st.lists(numbers, max_size=3).map(tuple)
_in_order = st.builds(InOrder, _numbers, _numbers, st.booleans(), st.booleans())


@given(exchanges, st.none() | _in_order, st.booleans())
def test_what_a_fixture_says_of_a_state_and_who_gave_up_come_back_from_a_record(
    exchange: Exchange, said: InOrder | None, abandoned: bool
) -> None:
    one = replace(exchange, in_order=said, abandoned=abandoned)
    assert decode_exchange(exchange.number, encode_exchange(one), "here") == one


@given(st.dictionaries(numbers, _in_order))
def test_what_there_is_to_tell_comes_back_from_its_record(told: dict[ExchangeNumber, InOrder]) -> None:
    assert decode_told(encode_told(told)) == told


def test_known_sids_come_back_from_their_record() -> None:
    known = (Known(RecordedSid(b"CH1"), RecordedSid(b"IS1"), LiveSid(b"CH2"), "CHANNEL"), Known(RecordedSid(b"IS1")))
    assert decode_known(encode_known(known)) == known
