import re

import pytest

from chatproxy.core.products.every import (
    CREATED,
    DATES,
    HOST_PATTERNS,
    HOSTS,
    LISTS,
    MEANING,
    MESSAGE_PATH,
    PRODUCTS,
    SID_FIELD,
    TWILIO_HOST,
    TWILIO_ORIGIN,
    URL_SUFFIXES,
    WRITTEN,
    WRITTEN_FIELDS,
    path_pattern,
)


@pytest.mark.parametrize("host", ["chat.twilio.com", "ip-messaging.twilio.com", "chat.dublin.ie1.twilio.com"])
def test_the_hosts_of_products_in_any_edge_and_region(host: str) -> None:
    assert re.fullmatch(HOSTS, host)


@pytest.mark.parametrize(
    "host", ["api.twilio.com", "chat.twilio.com.example", "chatXtwilio.com", "chat.a.b.c.twilio.com"]
)
def test_other_hosts_are_others(host: str) -> None:
    assert not re.fullmatch(HOSTS, host)


def test_the_host_and_the_origin_of_today() -> None:
    assert (TWILIO_HOST, TWILIO_ORIGIN) == ("chat.twilio.com", "https://chat.twilio.com")


@pytest.mark.parametrize("name", ["date_created", "date_updated", "last_consumption_timestamp", "timestamp"])
def test_fields_with_instants(name: str) -> None:
    assert re.fullmatch(DATES, name)


@pytest.mark.parametrize("name", ["body", "update", "datecreated", "timestamps"])
def test_fields_without_instants(name: str) -> None:
    assert not re.fullmatch(DATES, name)


def test_what_parameters_and_fields_users_write() -> None:
    assert WRITTEN == {
        b"Body": b"body",
        b"Attributes": b"attributes",
        b"FriendlyName": b"friendly_name",
        b"From": b"from",
        b"LastUpdatedBy": b"last_updated_by",
    }
    assert set(WRITTEN.values()) == WRITTEN_FIELDS


def test_a_path_matches_with_any_member_in_its_places() -> None:
    assert re.fullmatch(MESSAGE_PATH, b"/v1/Services/IS1/Channels/by-name/Messages")
    assert not re.fullmatch(MESSAGE_PATH, b"/v1/Services/IS1/Channels/a/b/Messages")
    assert path_pattern("/v1.x/{}") == rb"/v1\.x/[^/]+"


def test_the_meaning_has_every_table() -> None:
    for word in ("ip-messaging", "FriendlyName", "channel_sid", "x-amz-cf-", "twilio-request-id", "PT\\\\d+", '"RQ"'):
        assert word in MEANING


def test_what_is_read_from_one_table_is_the_same_in_all() -> None:
    assert {product.lists for product in PRODUCTS} == {LISTS}
    assert {product.sid.encode() for product in PRODUCTS} == {SID_FIELD}
    assert {product.created.encode() for product in PRODUCTS} == {CREATED}
    assert len(HOST_PATTERNS) == len({product.host for product in PRODUCTS})


def test_no_table_says_otherwise_than_another() -> None:
    for product in PRODUCTS:
        assert {name.encode(): field.encode() for name, field in product.written.items()}.items() <= WRITTEN.items()
        assert {
            name.encode(): end.encode() for name, end in product.urls.suffixes.items()
        }.items() <= URL_SUFFIXES.items()
