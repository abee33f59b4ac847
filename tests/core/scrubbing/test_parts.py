from core.scrubbing.test_scrub import SALT, rule, scrubs
from hypothesis import given
from hypothesis import strategies as st
from strategies import MESSAGES, MULTIPART, Parts, form_parts, multipart, spelled_parts

from chatproxy.core.http.multipart import read_multipart
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Request
from chatproxy.core.scrubbing.pseudonyms import Pseudonyms
from chatproxy.core.scrubbing.rules import Scrub
from chatproxy.core.scrubbing.scrub import scrubbed_request

SECRET = "s3cret-value"


def scrubbed(body: bytes, *rules: tuple[str, str, str]) -> bytes:
    request = Request("POST", MESSAGES, (MULTIPART,), body)
    return scrubbed_request(request, Scrub(tuple(rule(*one) for one in rules), SALT)).body


def lines(*texts: bytes) -> bytes:
    return b"\r\n".join(texts)


@given(form_parts, st.data(), scrubs)
def test_law_1_scrubbing_a_form_again_changes_nothing(parts: Parts, data: st.DataObject, scrub: Scrub) -> None:
    field, body = data.draw(spelled_parts(parts))
    once = scrubbed_request(Request("POST", MESSAGES, (field,), body), scrub)
    assert scrubbed_request(once, scrub) == once
    assert read_multipart(once.headers, once.body) is not None


@given(form_parts, st.data(), scrubs)
def test_law_2_all_spellings_of_a_form_have_one_key_when_scrubbed(
    parts: Parts, data: st.DataObject, scrub: Scrub
) -> None:
    keys = set()
    for _ in range(2):
        field, body = data.draw(spelled_parts(parts))
        request = scrubbed_request(Request("POST", MESSAGES, (field,), body), scrub)
        keys.add(normalize(request, Rules()).key)
    assert len(keys) == 1


@given(
    st.sampled_from(["drop", "pseudonym", "x"]),
    st.sampled_from([b"%b", b"a %b b", b'{"a": "%b"}', b"\xff%b"]),
    st.sampled_from([None, b"%b.png"]),
    st.data(),
)
def test_law_1_a_value_that_a_rule_scrubs_is_in_no_byte(
    put: str, content: bytes, filename: bytes | None, data: st.DataObject
) -> None:
    secret = SECRET.encode()
    parts: Parts = [
        (b"From", filename and filename.replace(b"%b", secret), None, content.replace(b"%b", secret)),
        (b"a", None, None, b"kept"),
    ]
    field, body = data.draw(spelled_parts(parts))
    by_name = scrubbed_request(
        Request("POST", MESSAGES, (field,), body), Scrub((rule("parameter", "From", put),), SALT)
    )
    by_pattern = scrubbed_request(
        Request("POST", MESSAGES, (field,), body), Scrub((rule("pattern", SECRET, put.replace("drop", "")),), SALT)
    )
    for request in (by_name, by_pattern):
        assert secret not in request.body
        assert b"kept" in request.body


def test_a_rule_for_a_parameter_holds_for_the_parts_of_its_name() -> None:
    parts: Parts = [(b"From", None, None, b"alice"), (b"Body", None, None, b"alice"), (b"From", None, None, b"bob")]
    assert scrubbed(multipart(parts), ("parameter", "From", "drop")) == multipart(parts[1:2])
    assert scrubbed(multipart(parts), ("parameter", "From", "x")) == multipart(
        [(b"From", None, None, b"x"), parts[1], (b"From", None, None, b"x")]
    )


def test_a_name_with_percent_escapes_is_found_by_the_name_that_it_means() -> None:
    part = multipart([(b"caf%C3%A9", None, None, b"alice")])
    assert b"alice" not in scrubbed(part, ("parameter", "caf\u00e9", "x"))
    assert b"alice" not in scrubbed(part, ("parameter", "caf%C3%A9", "x"))


def test_what_no_rule_touches_stays_byte_for_byte() -> None:
    body = lines(b"before", b"--b \t", b"content-disposition:form-data;name=a", b"", b"1", b"--b-- ", b"after")
    assert scrubbed(body, ("parameter", "From", "drop"), ("pattern", "nothing", "x")) == body


def test_patterns_are_searched_in_all_parts_and_around_them() -> None:
    body = lines(
        b"s3cret",
        b"--b",
        b'Content-Disposition: form-data; name="a"; filename="s3cret%2Dfile.png"; size="s3cret"',
        b'Content-Type: image/png; name="s3cret"; charset=s3cret',
        b"X-Note: of s3cret",
        b"Content-Transfer-Encoding: binary",
        b"",
        b"kept",
        b"--b--",
        b"s3cret",
    )
    assert scrubbed(body, ("pattern", "s3cret", "x")) == lines(
        b"x",
        b"--b",
        b'Content-Disposition: form-data; name="a"; filename="x-file.png"; size="x"',
        b'Content-Type: image/png; name="x"; charset="s3cret"',
        b"X-Note: of x",
        b"Content-Transfer-Encoding: binary",
        b"",
        b"kept",
        b"--b--",
        b"x",
    )


def test_a_rule_for_a_header_holds_for_the_lines_of_a_part_that_say_nothing_of_it() -> None:
    body = lines(b"--b", b'Content-Disposition: form-data; name="a"', b"X-A: 1", b"", b"1", b"--b--")
    assert scrubbed(body, ("header", "*", "drop"), ("parameter", "z", "drop")) == multipart(
        [(b"a", None, None, b"1")]
    ).removesuffix(b"\r\n")


def test_what_tells_of_a_content_goes_with_it() -> None:
    body = lines(
        b"--b",
        b'Content-Disposition: form-data; name="From"; filename="alice.png"',
        b"Content-Type: image/png; name=alice.png",
        b"Content-Length: 5",
        b"Content-MD5: x",
        b"",
        b"alice",
        b"--b--",
    )
    pseudonym = Pseudonyms(SALT)
    name = pseudonym.of_text("alice.png").encode()
    assert scrubbed(body, ("parameter", "From", "pseudonym")) == lines(
        b"--b",
        b'Content-Disposition: form-data; name="From"; filename="%b"' % name,
        b'Content-Type: image/png; name="%b"' % name,
        b"",
        pseudonym.of_text("alice").encode(),
        b"--b--",
    )


def test_an_empty_file_name_stays() -> None:
    assert b'filename=""' in scrubbed(multipart([(b"From", b"", None, b"alice")]), ("parameter", "From", "x"))


def test_a_type_that_cannot_be_read_is_a_text() -> None:
    body = lines(b"--b", b'Content-Disposition: form-data; name="a"', b"Content-Type: s3cret; =", b"", b"1", b"--b--")
    assert b"Content-Type: x; =" in scrubbed(body, ("pattern", "s3cret", "x"))


def test_what_is_put_in_breaks_no_form() -> None:
    form = multipart([(b"From", None, None, b"alice"), (b"a", None, None, b"1")])
    assert scrubbed(form, ("parameter", "From", "--b--")) == multipart(
        [(b"From", None, None, b""), (b"a", None, None, b"1")]
    )
    body = lines(b"--b", b'Content-Disposition: form-data; name="a"', b"X-A: 1", b"", b"alice", b"--b--", b"")
    assert scrubbed(body, ("header", "X-A", "1\r\nX-B: 2")) == body
    assert scrubbed(body, ("header", "X-A", "1\r\nX-B: 2"), ("field", "z", "x")) == multipart(
        [(b"a", None, None, b"alice")]
    )


def test_json_in_a_part_counts_as_json() -> None:
    body = multipart([(b"Attributes", None, None, b'{"phone": "1", "b": [2]}')])
    assert scrubbed(body, ("field", "phone", "x")) == multipart(
        [(b"Attributes", None, None, b'{"phone": "x", "b": [2]}')]
    )
