import pytest

from chatproxy.core.twilio.page_tokens import IN_QUERY, means_itself


@pytest.mark.parametrize(
    ("token", "meaning"),
    [
        (b"PT50", True),
        (b"PT", False),
        (b"PT50x", False),
        (b"PAIM" + b"a" * 32, True),
        (b"PB%49M" + b"a" * 32, True),
        (b"PTMG" + b"a" * 32, False),
        (b"APMQ%3D%3D", False),
    ],
)
def test_an_offset_and_a_sid_mean_themselves(token: bytes, meaning: bool) -> None:
    assert means_itself(token) is meaning


@pytest.mark.parametrize("query", [b"PageToken=a%3D&Page=1", b"Page=1&PageToken=a%3D", b"https://x/y?PageToken=a%3D"])
def test_the_token_of_a_query_or_an_url_is_found(query: bytes) -> None:
    assert IN_QUERY.findall(query) == [b"a%3D"]
    assert IN_QUERY.findall(query.replace(b"PageToken", b"XPageToken")) == []
