import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from mitm.captured import FORM_TYPE, TARGET, flow, response
from mitmproxy import contentviews, http
from mitmproxy.test.tflow import ttcpflow

from chatproxy.mitm.view import NAME, TwilioMessage, add_view, remove_view

MESSAGE = json.dumps({"sid": "IM1", "body": "Hello", "attributes": '{"a": 1}'}).encode()
SHOWN = ["sid         IM1", "body        Hello", "attributes  {", '              "a": 1', "            }"]
META = {"key": "messages", "page": 0, "page_size": 50, "previous_page_url": None, "next_page_url": None}
LIST = json.dumps({"meta": META, "messages": [{"sid": "IM1"}]}).encode()
LIST_SHOWN = ["page 0; 1 message, 50 at most; no previous page; no next page", "", "sid  IM1"]
ERROR = json.dumps({"code": 20404, "status": 404}).encode()

CONTENTVIEWS: Any = contentviews
"""Without types, since mitmproxy 11 and 12 have other names in it."""

legacy = pytest.mark.skipif(hasattr(contentviews, "registry"), reason="mitmproxy 12 has another interface")


def asked_for(of: object, content_type: str | None = "application/json") -> SimpleNamespace:
    """Return what mitmproxy 12 tells a view of a body, as far as ours asks for it."""
    return SimpleNamespace(flow=of, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "shown"),
    [(MESSAGE, SHOWN), (LIST, LIST_SHOWN), (ERROR, ["code    20404", "status  404"])],
)
def test_it_lays_out_messages_lists_and_errors(body: bytes, shown: list[str]) -> None:
    assert TwilioMessage().prettify(body, asked_for(flow())).split("\n") == shown


def test_it_lays_out_forms() -> None:
    form = urlencode({"Body": "a&b", "Attributes": '{"a": 1}'}).encode()
    text = TwilioMessage().prettify(form, asked_for(flow("POST"), FORM_TYPE[1].decode()))
    assert text.split("\n") == ["Body        a&b", "Attributes  {", '              "a": 1', "            }"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<html>", b"\xff"])
def test_it_lays_out_nothing_else(body: bytes) -> None:
    with pytest.raises(ValueError, match="is no message, list or form of the Message resource"):
        TwilioMessage().prettify(body, asked_for(flow()))


@pytest.mark.parametrize("target", [TARGET, f"{TARGET}?PageSize=2", f"{TARGET}/IM1"])
@pytest.mark.parametrize("body", [MESSAGE, LIST, ERROR])
def test_it_comes_first_for_bodies_of_the_message_resource(target: str, body: bytes) -> None:
    assert TwilioMessage().render_priority(body, asked_for(flow(target=target))) > 1


@pytest.mark.parametrize("target", ["/", "/v1/Services/IS1", f"{TARGET}/IM1/Media", f"/x{TARGET}", "/api?a={}"])
def test_it_never_comes_up_for_other_resources(target: str) -> None:
    assert TwilioMessage().render_priority(MESSAGE, asked_for(flow(target=target))) < 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<html>"])
def test_it_never_comes_up_for_broken_json(body: bytes) -> None:
    assert TwilioMessage().render_priority(body, asked_for(flow())) < 0


@pytest.mark.parametrize("other", [None, ttcpflow()])
def test_it_never_comes_up_for_what_is_no_http(other: object) -> None:
    assert TwilioMessage().render_priority(MESSAGE, asked_for(other, None)) < 0


def test_views_sort_by_name() -> None:
    assert TwilioMessage() < SimpleNamespace(name="XML")
    assert not TwilioMessage() < SimpleNamespace(name="JSON")


@pytest.fixture
def added() -> Iterator[None]:
    add_view()
    yield
    remove_view()


@legacy
@pytest.mark.usefixtures("added")
def test_mitmproxy_shows_bodies_of_the_message_resource_by_it() -> None:
    one = flow(response=response(MESSAGE))
    assert one.response is not None
    description, lines, error = CONTENTVIEWS.get_message_content_view("auto", one.response, one)
    assert (description, error) == (NAME, None)
    assert ["".join(text for _, text in line) for line in lines] == SHOWN


@legacy
@pytest.mark.usefixtures("added")
def test_mitmproxy_shows_forms_of_the_message_resource_by_it() -> None:
    one = flow("POST", body=b"Body=a%26b")
    description, lines, _ = CONTENTVIEWS.get_message_content_view("auto", one.request, one)
    assert description == NAME
    assert [[text for _, text in line] for line in lines] == [["Body  a&b"]]


@legacy
@pytest.mark.usefixtures("added")
def test_mitmproxy_shows_all_else_by_its_own_views() -> None:
    for one in (flow(target="/x", response=response(MESSAGE)), flow(response=response(b"{broken"))):
        assert isinstance(one.response, http.Response)
        description, _, error = CONTENTVIEWS.get_message_content_view("auto", one.response, one)
        assert NAME not in description
        assert error is None


@legacy
def test_it_is_added_once_and_can_be_added_again() -> None:
    for _ in range(2):
        add_view()
        add_view()
        assert [view.name for view in CONTENTVIEWS.views].count(NAME) == 1
        remove_view()
        remove_view()
        assert CONTENTVIEWS.get(NAME) is None
