import pytest
from core.scrubbing.test_scrub import SALT, rule
from exchanges import numbered
from strategies import FORM, JSON, MESSAGES, MULTIPART, UPSTREAM, multipart

from chatproxy.core.model import Headers, Request, Response
from chatproxy.core.scrubbing.limits import out_of_reach
from chatproxy.core.scrubbing.rules import Scrub

MIXED = (b"Content-Type", b"multipart/mixed; boundary=b")
TEXT = (b"Content-Type", b"text/plain")
ANSWER = Response(200)
PLAIN = multipart([(b"Body", None, None, b"alice")])
ENCODED = (
    b'--b\r\nContent-Disposition: form-data; name="Body"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--b--'
)
UNREAD = "the body of its request is of a multipart type, and no form whose parts can be read"
HIDDEN = "the body of its request has the part 'Body' in a transfer encoding, in which nothing is found"
UNTYPED = "no type says that the body of its request is a form, which the rule for 'Body' needs"


def reason(headers: Headers, body: bytes, *rules: tuple[str, str, str], answer: Response = ANSWER) -> str | None:
    exchange = numbered(1, Request("POST", MESSAGES, headers, body), answer, UPSTREAM, 0, 0)
    return out_of_reach(exchange, Scrub(tuple(rule(*one) for one in rules), SALT))


@pytest.mark.parametrize("one", [("parameter", "Body", "drop"), ("pattern", "alice", "x"), ("field", "a", "drop")])
@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ((MULTIPART,), b"--b\r\nbroken", UNREAD),
        (((b"content-type", b"multipart/form-data"),), PLAIN, UNREAD),
        ((MIXED,), PLAIN, UNREAD),
        ((MULTIPART,), PLAIN, None),
        ((MULTIPART,), b"", None),
        ((FORM,), b"Body=alice", None),
        ((JSON,), b'{"Body": "a=1&Body=b"}', None),
        ((), b"{}", None),
        ((TEXT,), b"any text", None),
        ((), b"", None),
    ],
)
def test_a_multipart_body_that_cannot_be_read_is_out_of_reach(
    headers: Headers, body: bytes, said: str | None, one: tuple[str, str, str]
) -> None:
    assert reason(headers, body, one) == said


@pytest.mark.parametrize("headers", [(), (TEXT,), (JSON,)])
@pytest.mark.parametrize("body", [b"Body=alice", b"a=1&B%6Fdy=alice", b"Body", PLAIN, PLAIN.replace(b"\r\n", b"\n")])
def test_a_parameter_in_a_body_that_no_type_says_to_be_a_form_is_out_of_reach(headers: Headers, body: bytes) -> None:
    assert reason(headers, body, ("parameter", "Body", "drop")) == UNTYPED
    assert reason(headers, body, ("parameter", "From", "drop"), ("pattern", "alice", "x")) is None


def test_what_a_transfer_encoding_hides_is_out_of_reach_but_for_a_rule_of_its_name() -> None:
    assert reason((MULTIPART,), ENCODED, ("pattern", "a", "x")) == HIDDEN
    assert reason((MULTIPART,), ENCODED, ("pattern", "a", "x"), ("parameter", "Body", "drop")) is None
    assert reason((MULTIPART,), ENCODED, ("parameter", "From", "drop")) is None


def test_an_answer_that_cannot_be_read_is_out_of_reach() -> None:
    answer = Response(200, b"OK", (MIXED,), PLAIN)
    assert reason((), b"", ("pattern", "a", "x"), answer=answer) == UNREAD.replace("request", "answer")


def test_without_rules_for_bodies_nothing_is_out_of_reach() -> None:
    assert reason((MIXED,), PLAIN) is None
    assert reason((MIXED,), PLAIN, ("header", "X-A", "drop")) is None


@pytest.mark.parametrize(
    ("headers", "body"),
    [((FORM,), b"a=&" * 10_000), ((FORM,), b"a=" + b"%41" * 500_001), ((JSON,), b"[" + b"1," * 100_000 + b"1]")],
)
def test_what_is_more_than_is_read_is_out_of_reach(headers: Headers, body: bytes) -> None:
    said = "the body of its request has more parameters, escapes or values than are read"
    assert reason(headers, body, ("field", "a", "drop")) == said
    assert reason(headers, body, ("header", "a", "drop")) is None
