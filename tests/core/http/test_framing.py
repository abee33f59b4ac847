import pytest

from chatproxy.core.http.framing import content_length, may_have_body
from chatproxy.core.model import Response


@pytest.mark.parametrize(
    ("method", "status", "body", "length", "sent"),
    [
        ("GET", 200, b"{}", 2, True),
        ("GET", 200, b"", 0, True),
        ("HEAD", 200, b"{}", 2, False),
        ("HEAD", 200, b"", None, False),
        ("DELETE", 204, b"", None, False),
        ("GET", 304, b"{}", None, False),
    ],
)
def test_an_answer_has_a_length_where_it_may_have_a_body(
    method: str, status: int, body: bytes, length: int | None, sent: bool
) -> None:
    assert content_length(Response(status, body=body), method) == length
    assert may_have_body(method, status) is sent
