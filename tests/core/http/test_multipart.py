import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, MULTIPART, Parts, form_parts, headers, multipart, spelled_parts

from chatproxy.core.http.multipart import (
    BOUNDARY,
    LONGEST_HEAD,
    MOST_PARTS,
    form_fields,
    is_multipart,
    one_boundary,
    read_multipart,
    valued,
)
from chatproxy.core.model import Headers

HEAD = b'Content-Disposition: form-data; name="a"'


def parts_of(body: bytes, headers: Headers = (MULTIPART,)) -> list[tuple[bytes, dict[bytes, bytes], bytes]] | None:
    form = read_multipart(headers, body)
    return None if form is None else [(part.name, dict(part.attributes), part.content) for part in form.parts]


def typed(media_type: bytes) -> Headers:
    return ((b"Content-Type", media_type),)


@given(st.binary() | st.lists(st.sampled_from([b"--b", b"--", b"\r\n", b"\n", HEAD, b"x", b" "])).map(b"".join))
def test_law_1_no_bytes_raise_and_what_is_read_comes_back(body: bytes) -> None:
    form = read_multipart((MULTIPART,), body)
    if form is not None:
        assert read_multipart((MULTIPART,), form.written()) == form


@given(headers, st.binary(max_size=20), st.binary(max_size=8))
def test_law_1_no_type_raises(others: Headers, value: bytes, body: bytes) -> None:
    read_multipart((*typed(b"multipart/form-data; boundary=" + value), *others), body)


@given(form_parts, st.data())
def test_law_2_a_form_is_its_parts_in_every_spelling(parts: Parts, data: st.DataObject) -> None:
    field, body = data.draw(spelled_parts(parts))
    read = parts_of(body, (field,))
    assert read is not None
    for name in {name for name, *_ in parts}:
        sent = [(filename, content) for one, filename, _, content in parts if one == name]
        assert [(told.get(b"filename"), content) for one, told, content in read if one == name] == sent


@given(form_parts)
def test_a_form_without_oddities_is_written_as_it_was(parts: Parts) -> None:
    body = multipart(parts, b"boundary-1")
    form = read_multipart(typed(b"multipart/form-data; boundary=boundary-1"), body)
    assert form is not None
    assert form.written() == body


@pytest.mark.parametrize(
    "media_type",
    [
        b"multipart/form-data; boundary=b",
        b'multipart/form-data; boundary="b"',
        b"Multipart/Form-Data;BOUNDARY=b;",
        b"multipart/form-data; charset=utf-8; boundary = b",
    ],
)
def test_a_boundary_is_read_quoted_or_not(media_type: bytes) -> None:
    assert parts_of(multipart([(b"a", None, None, b"1")]), typed(media_type)) == [(b"a", {}, b"1")]


@pytest.mark.parametrize(
    "media_type",
    [
        b"",
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=b; boundary=b",
        b'multipart/form-data; boundary="b',
        b"multipart/form-data; boundary=%b" % (b"b" * 71),
        b"multipart/form-data, boundary=b",
        b"multipart/mixed; boundary=b",
        b"multipart/related; boundary=b",
    ],
)
def test_without_a_boundary_or_of_another_type_it_is_no_form(media_type: bytes) -> None:
    assert parts_of(multipart([(b"a", None, None, b"1")]), typed(media_type)) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b\r\n" + HEAD + b"\r\n\r\n1\r\n",
        b"--b\r\n" + HEAD + b"\r\n\r\n1\r\n--b--x",
        b"--b\r\n" + HEAD + b"\r\n\r\n1\r\n--bc\r\n\r\n--b--",
        b"--b\r\n" + HEAD + b"\r\n1\r\n--b--",
        b"--b\r\n\r\n1\r\n--b--",
        b"--b\r\n\r\n--b--",
        b"--b\r\n--b--",
        b"--b\n" + HEAD + b"\r\n\r\n1\r\n--b--",
        b"--b\r\n" + HEAD + b"\r\nno header\r\n\r\n1\r\n--b--",
        b"--b\r\n" + HEAD + b"\r\n" + HEAD + b"\r\n\r\n1\r\n--b--",
        b"--b\r\n" + HEAD + b'; name="a"\r\n\r\n1\r\n--b--',
        b"--b\r\n" + HEAD + b"; content-type=a\r\n\r\n1\r\n--b--",
        b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--",
        b'--b\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--b--',
        b'--b\r\nContent-Disposition: form-data; name="a\r\n\r\n1\r\n--b--',
    ],
)
def test_what_has_no_certain_reading_is_no_form(body: bytes) -> None:
    assert parts_of(body) is None


def test_a_form_may_have_no_parts() -> None:
    assert parts_of(b"--b--") == parts_of(b"--b--\r\n") == []


def test_what_stands_around_the_parts_does_not_count() -> None:
    body = multipart([(b"a", None, None, b"1")])
    assert parts_of(b"before\r\n" + body + b"after\r\n--b\r\n") == parts_of(b"\r\n" + body) == [(b"a", {}, b"1")]


def test_lines_that_end_in_lf_alone_are_told() -> None:
    crlf, lf = (multipart([(b"a", None, None, b"1\r\n2\n")], newline=newline) for newline in (b"\r\n", b"\n"))
    forms = [read_multipart((MULTIPART,), body) for body in (crlf, lf)]
    assert [form and form.parts[0].content for form in forms] == [b"1\r\n2\n", b"1\r\n2\n"]
    assert [form and form.has_bare_newlines for form in forms] == [False, True]


def test_a_folded_head_is_one_line() -> None:
    body = b'--b\r\nContent-Disposition: form-data;\r\n\tname="a"\r\n\r\n1\r\n--b--'
    assert parts_of(body) == [(b"a", {}, b"1")]


def test_law_4_names_are_read_as_browsers_and_libraries_write_them() -> None:
    def name_of(written: bytes) -> bytes | None:
        read = parts_of(b"--b\r\nContent-Disposition: form-data; name=%b\r\n\r\n1\r\n--b--" % written)
        return read[0][0] if read else None

    assert name_of(rb'"a\"b"') == b'a"b'
    assert name_of(b'"a;b=c"') == b"a;b=c"
    assert name_of(rb'"C:\a"') == rb"C:\a"
    assert name_of(rb'"a\"; filename="x"') == b"a\\"
    assert name_of(b'"a%22"') == b"a%22"
    assert name_of(b"a") == b"a"
    assert name_of(b'""') == b""


def test_a_name_means_itself_with_and_without_escapes() -> None:
    form = read_multipart((MULTIPART,), multipart([(b"caf%C3%A9", None, None, b"1")]))
    assert form is not None
    assert form.parts[0].names == (b"caf%C3%A9", b"caf\xc3\xa9")


def test_law_3_what_counts_beside_name_and_content() -> None:
    def attributes(*lines: bytes) -> dict[bytes, bytes] | None:
        read = parts_of(b"\r\n".join((b"--b", HEAD + lines[0], *lines[1:], b"", b"1", b"--b--")))
        return read[0][1] if read else None

    assert attributes(b'; filename="x"; filename*=y') == {b"filename": b"x", b"filename*": b"y"}
    types = (b"Text/PLAIN;CharSet=UTF-8", b'text/plain ; charset="utf-8"')
    assert [attributes(b"", b"Content-Type: " + one) for one in types] == [
        {b"content-type": b'text/plain; charset="utf-8"'}
    ] * 2
    assert attributes(b"", b"Content-Type: a/b; name=X") == {b"content-type": b'a/b; name="X"'}
    assert attributes(b"", b"Content-Type: a/b; =") == {b"content-type": b"a/b; ="}
    assert attributes(b"", b"Content-Transfer-Encoding: BASE64") == {b"content-transfer-encoding": b"base64"}
    assert attributes(b"", b"Content-Transfer-Encoding: 8bit", b"Content-ID: x", b"X-A: y") == {}


def test_a_transfer_encoding_is_told() -> None:
    encoded = b"--b\r\n" + HEAD + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--b--"
    forms = [read_multipart((MULTIPART,), body) for body in (encoded, multipart([(b"a", None, None, b"1")]))]
    assert [form and form.parts[0].is_encoded for form in forms] == [True, False]


def test_a_content_with_the_boundary_does_not_fit() -> None:
    form = read_multipart((MULTIPART,), b"--b--")
    assert form is not None
    assert [form.fitting(content) for content in (b"--b", b"a\r\n--bc", b"a--b", b"")] == [b"", b"", b"a--b", b""]


def test_fields_of_either_form_and_of_nothing_else() -> None:
    body = multipart([(b"a", None, None, b"1+1"), (b"a", b"f", None, b"2")])
    assert list(form_fields((MULTIPART,), body)) == [(b"a", b"1+1"), (b"a", b"2")]
    assert list(form_fields((FORM,), b"a=1+1")) == [(b"a", b"1 1")]
    assert list(form_fields((), body)) == []


def test_any_multipart_type_is_told() -> None:
    assert [is_multipart(typed(one)) for one in (b" Multipart/mixed", b"multipart/form-data", b"text/plain")] == [
        True,
        True,
        False,
    ]


@given(form_parts, st.data())
def test_with_one_boundary_all_recordings_of_a_form_are_one(parts: Parts, data: st.DataObject) -> None:
    parts = [(name, filename, media_type, content) for name, filename, media_type, content in parts]
    spelled = [multipart(parts, boundary) for boundary in (b"boundary-1", b"boundary-2")]
    one, other = (
        one_boundary(((b"X-A", b"1"), *typed(b"multipart/form-data; boundary=boundary-%d" % nth)), body)
        for nth, body in enumerate(spelled, 1)
    )
    assert one == other
    assert one_boundary(*one) == one
    assert one[0] == ((b"X-A", b"1"), (b"Content-Type", b"multipart/form-data; boundary=" + BOUNDARY))


def test_the_one_boundary_stands_in_no_part() -> None:
    parts = [(b"a", None, None, b"x " + BOUNDARY + b" " + BOUNDARY + b"-2")]
    fields, body = one_boundary((MULTIPART,), multipart(parts))
    assert fields == typed(b"multipart/form-data; boundary=chatproxy-boundary-3")
    assert parts_of(body, fields) == [(b"a", {}, parts[0][3])]
    assert one_boundary(fields, body) == (fields, body)


def test_other_parameters_of_the_type_stay() -> None:
    fields, _ = one_boundary(typed(b"multipart/form-data;charset=utf-8;boundary=b"), multipart([]))
    assert fields == typed(b'multipart/form-data; charset="utf-8"; boundary=chatproxy-boundary')


def test_without_a_form_there_is_no_boundary_to_put() -> None:
    assert one_boundary((FORM,), b"--b--") == ((FORM,), b"--b--")


def test_a_value_with_parameters_of_another_form_is_none() -> None:
    assert valued(b"a; b") is None
    assert valued(b"a; b=1; B=2") is None
    assert valued(b" a ;; ") is not None


def test_law_5_a_form_of_more_parts_or_with_a_longer_head_is_none() -> None:
    part = b"--b\r\n" + HEAD + b"\r\n\r\nx\r\n"
    parts = parts_of(part * MOST_PARTS + b"--b--")
    assert parts is not None
    assert len(parts) == MOST_PARTS
    assert parts_of(part * (MOST_PARTS + 1) + b"--b--") is None
    padding = b"\r\nX: " + b"a" * (LONGEST_HEAD - len(HEAD) - 5)
    assert parts_of(b"--b\r\n" + HEAD + padding + b"\r\n\r\nx\r\n--b--") is not None
    assert parts_of(b"--b\r\n" + HEAD + padding + b"a\r\n\r\nx\r\n--b--") is None
