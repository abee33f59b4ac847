from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.sandbox.messages import ApiError
from chatproxy.sandbox.paging import Page, meta, page_asked

BASE = "http://localhost/v1/Messages"


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ({}, Page(size=50, number=0, offset=0)),
        ({"PageSize": "1"}, Page(size=1)),
        ({"PageSize": "1000"}, Page(size=1000)),
        ({"PageSize": "5000"}, Page(size=1000)),
        ({"Order": "asc"}, Page(order="asc")),
        ({"Order": "desc"}, Page(order="desc")),
        ({"PageSize": "50", "Page": "1", "PageToken": "PT50"}, Page(number=1, offset=50)),
        ({"Page": "7"}, Page(number=7, offset=0)),
        ({"Unknown": "x"}, Page()),
    ],
)
def test_what_a_query_asks_for(query: dict[str, str], page: Page) -> None:
    assert page_asked(query) == page


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"PageSize": "0"}, 20001, "Invalid PageSize."),
        ({"PageSize": "-1"}, 20001, "Invalid PageSize."),
        ({"PageSize": "ten"}, 20001, "Invalid PageSize."),
        ({"PageSize": ""}, 20001, "Invalid PageSize."),
        ({"PageSize": "1" + "0" * 5000}, 20001, "Invalid PageSize."),
        ({"PageSize": "\u0663"}, 20001, "Invalid PageSize."),
        ({"Page": "-1"}, 20001, "Invalid Page."),
        ({"Page": "1.0"}, 20001, "Invalid Page."),
        ({"Order": "DESC"}, 20001, "Invalid Order."),
        ({"Order": ""}, 20001, "Invalid Order."),
        ({"PageToken": ""}, 21481, "Invalid PageToken"),
        ({"PageToken": "50"}, 21481, "Invalid PageToken"),
        ({"PageToken": "PT-1"}, 21481, "Invalid PageToken"),
        ({"PageToken": "PT" + "9" * 5000}, 21481, "Invalid PageToken"),
        ({"PageToken": "PT1\n"}, 21481, "Invalid PageToken"),
    ],
)
def test_a_value_that_is_none_is_refused(query: dict[str, str], code: int, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        page_asked(query)
    assert (caught.value.status, caught.value.code, str(caught.value)) == (400, code, message)


def test_urls_have_twilios_shape() -> None:
    assert Page().url(BASE) == f"{BASE}?PageSize=50&Page=0"
    assert Page().next.url(BASE) == f"{BASE}?PageSize=50&Page=1&PageToken=PT50"
    assert Page(size=1, order="desc").url(BASE) == f"{BASE}?Order=desc&PageSize=1&Page=0"


def test_meta_of_a_page_in_the_middle() -> None:
    page = Page(size=10, number=2, offset=20, order="asc")
    assert list(meta(page, BASE, more=True).items()) == [
        ("page", 2),
        ("page_size", 10),
        ("first_page_url", f"{BASE}?Order=asc&PageSize=10&Page=0"),
        ("previous_page_url", f"{BASE}?Order=asc&PageSize=10&Page=1&PageToken=PT10"),
        ("url", f"{BASE}?Order=asc&PageSize=10&Page=2&PageToken=PT20"),
        ("next_page_url", f"{BASE}?Order=asc&PageSize=10&Page=3&PageToken=PT30"),
        ("key", "messages"),
    ]


def test_the_only_page_leads_nowhere() -> None:
    only = meta(Page(), BASE, more=False)
    assert only["previous_page_url"] is only["next_page_url"] is None


pages = st.builds(
    Page,
    size=st.integers(1, 1000),
    number=st.integers(0, 10**6),
    offset=st.integers(0, 10**6),
    order=st.sampled_from([None, "asc", "desc"]),
)


@given(pages)
def test_a_pages_url_asks_for_that_page(page: Page) -> None:
    assert page_asked(dict(parse_qsl(urlsplit(page.url(BASE)).query))) == page


@given(pages, st.integers(1, 20))
def test_the_way_back_leads_over_the_same_pages(page: Page, steps: int) -> None:
    way = [page.first]
    for _ in range(steps):
        way.append(way[-1].next)
    assert all(after.previous == before for before, after in pairwise(way))
    assert page.first.previous is None


def test_the_page_before_an_odd_place_begins_no_earlier_than_the_list() -> None:
    assert Page(size=50, number=0, offset=30).previous == Page(size=50, number=0, offset=0)
