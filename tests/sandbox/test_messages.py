from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.sandbox.messages import (
    ATTRIBUTES_LIMIT,
    AUTHOR_LIMIT,
    BODY_LIMIT,
    ApiError,
    ChannelKey,
    Message,
    Messages,
    make_sid,
)

ACCOUNT = "AC" + "a" * 32
SERVICE = "IS" + "b" * 32
NOON = datetime(2016, 3, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=5)


def created(messages: Messages, key: ChannelKey, body: str = "Hello", author: str | None = None) -> Message:
    return messages.create(key, NOON, body, author, None)


def bodies(messages: Messages, key: ChannelKey, offset: int, size: int, descending: bool = False) -> list[str]:
    return [message.body for message in messages.page(key, offset, size, descending=descending)[0]]


@pytest.fixture
def messages() -> Messages:
    return Messages(seed=0)


@pytest.fixture
def general(messages: Messages) -> ChannelKey:
    return messages.channel(ACCOUNT, SERVICE, "general")


def test_a_new_message_has_twilios_defaults(messages: Messages, general: ChannelKey) -> None:
    message = created(messages, general)
    assert (message.author, message.attributes, message.was_edited, message.index) == ("system", "{}", False, 0)
    assert message.date_created == message.date_updated == NOON


def test_an_empty_body_is_a_body_and_an_empty_author_is_none(messages: Messages, general: ChannelKey) -> None:
    message = created(messages, general, body="", author="")
    assert (message.body, message.author) == ("", "system")


def test_attributes_stay_as_they_were_sent(messages: Messages, general: ChannelKey) -> None:
    message = messages.create(general, NOON, "Hello", None, ' {"b":1,  "a": "\u00e9"} ')
    assert message.attributes == ' {"b":1,  "a": "\u00e9"} '


@pytest.mark.parametrize(
    ("body", "author", "attributes", "code"),
    [
        (None, None, None, 50503),
        ("x" * (BODY_LIMIT + 1), None, None, 50504),
        ("\u00e9" * (BODY_LIMIT // 2) + "x", None, None, 50504),
        ("x", "a" * (AUTHOR_LIMIT + 1), None, 50310),
        ("x", None, '"' + "x" * (ATTRIBUTES_LIMIT - 1) + '"', 50303),
        ("x", None, "", 50304),
        ("x", None, "{'a': 1}", 50304),
        ("x", None, '{"a": NaN}', 50304),
        ("x", None, "[" * ATTRIBUTES_LIMIT, 50304),
    ],
)
def test_what_is_missing_too_long_or_no_json_is_refused(
    *, messages: Messages, general: ChannelKey, body: str | None, author: str | None, attributes: str | None, code: int
) -> None:
    with pytest.raises(ApiError) as caught:
        messages.create(general, NOON, body, author, attributes)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert messages.page(general, 0, 50, descending=False) == ([], False)


def test_each_limit_can_be_reached(messages: Messages, general: ChannelKey) -> None:
    attributes = '"' + "x" * (ATTRIBUTES_LIMIT - 2) + '"'
    body = "\u00e9" * (BODY_LIMIT // 2)
    message = messages.create(general, NOON, body, "\u00e9" * AUTHOR_LIMIT, attributes)
    assert (message.body, message.attributes) == (body, attributes)


def test_a_new_body_is_an_edit(messages: Messages, general: ChannelKey) -> None:
    updated = messages.update(created(messages, general), LATER, "", None)
    assert (updated.body, updated.was_edited, updated.date_created, updated.date_updated) == ("", True, NOON, LATER)
    assert messages.fetch(general, updated.sid) == updated


def test_new_attributes_are_no_edit_and_do_not_undo_one(messages: Messages, general: ChannelKey) -> None:
    message = created(messages, general)
    updated = messages.update(message, LATER, None, "[]")
    assert (updated.body, updated.attributes, updated.was_edited, updated.date_updated) == ("Hello", "[]", False, LATER)
    edited = messages.update(updated, LATER, "New", None)
    assert messages.update(edited, LATER, None, "{}").was_edited


def test_an_update_of_nothing_changes_nothing(messages: Messages, general: ChannelKey) -> None:
    message = created(messages, general)
    assert messages.update(message, LATER, None, None) == message


def test_a_refused_update_changes_nothing(messages: Messages, general: ChannelKey) -> None:
    message = created(messages, general)
    with pytest.raises(ApiError, match="Attributes not valid JSON"):
        messages.update(message, LATER, "New", "{")
    assert messages.fetch(general, message.sid) == message


def test_a_deleted_message_leaves_a_gap(messages: Messages, general: ChannelKey) -> None:
    first, second = created(messages, general), created(messages, general)
    messages.delete(second)
    assert messages.fetch(general, second.sid) is None
    third = created(messages, general)
    assert (first.index, third.index) == (0, 2)
    assert third.sid != second.sid


@given(st.lists(st.none() | st.integers(0, 9), max_size=40))
def test_index_and_sid_are_given_once_and_order_is_by_index(script: list[int | None]) -> None:
    """None adds a message, a number deletes the message at that place, if there is one."""
    messages = Messages(seed=0)
    key = messages.channel(ACCOUNT, SERVICE, "general")
    made: list[Message] = []
    alive: list[Message] = []
    for step in script:
        if step is None:
            made.append(created(messages, key))
            alive.append(made[-1])
        elif step < len(alive):
            messages.delete(alive.pop(step))
    assert [message.index for message in made] == list(range(len(made)))
    assert len({message.sid for message in made}) == len(made)
    assert messages.page(key, 0, 50, descending=False) == (alive, False)
    assert messages.page(key, 0, 50, descending=True) == (alive[::-1], False)


def test_pages_in_both_directions(messages: Messages, general: ChannelKey) -> None:
    for body in "abcde":
        created(messages, general, body=body)
    assert bodies(messages, general, 0, 2) == ["a", "b"]
    assert bodies(messages, general, 4, 2) == ["e"]
    assert bodies(messages, general, 2, 2, descending=True) == ["c", "b"]
    assert bodies(messages, general, 9, 2) == []
    assert messages.page(general, 3, 2, descending=False)[1] is False
    assert messages.page(general, 2, 2, descending=False)[1] is True


def test_a_channel_is_reached_by_its_name_and_by_its_sid(messages: Messages, general: ChannelKey) -> None:
    assert messages.channel(ACCOUNT, SERVICE, general.channel_sid) == general
    assert general.channel_sid.startswith("CH")
    assert messages.channel(ACCOUNT, SERVICE, "CH" + "X" * 32).channel_sid != "CH" + "X" * 32


def test_services_and_accounts_are_apart(messages: Messages, general: ChannelKey) -> None:
    message = created(messages, general)
    for account, service in [("AC" + "c" * 32, SERVICE), (ACCOUNT, "IS" + "c" * 32)]:
        other = messages.channel(account, service, general.channel_sid)
        assert messages.fetch(other, message.sid) is None
        assert created(messages, other).sid != message.sid
        assert messages.channel(account, service, "general") != general


def test_the_same_seed_makes_the_same_sids_whatever_other_channels_do() -> None:
    one, two, other = Messages(seed=1), Messages(seed=1), Messages(seed=2)
    created(two, two.channel(ACCOUNT, SERVICE, "busy"))
    sids = [created(each, each.channel(ACCOUNT, SERVICE, "general")).sid for each in (one, two, other)]
    assert sids[0] == sids[1] != sids[2]


def test_a_sid_is_a_prefix_and_32_lower_case_hexadecimal_digits() -> None:
    sid = make_sid("IM", 0, "any", "\udc80")
    assert sid[:2] == "IM"
    assert len(sid) == 34
    assert set(sid[2:]) <= set("0123456789abcdef")
    assert sid[2:] != make_sid("CH", 0, "any", "\udc80")[2:]
