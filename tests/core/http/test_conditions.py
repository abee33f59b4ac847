import pytest

from chatproxy.core.http.conditions import conditions, is_of_one_run, opaque, tags_sent_back


def test_conditions_are_found_by_their_names_in_any_case() -> None:
    names = ("If-Match", "IF-NONE-MATCH", "if-modified-since", "If-Unmodified-Since", "If-Range", "range")
    headers = tuple((name.encode(), b"x") for name in ("Accept", *names, "Idempotency-Key", "Referer", ""))
    assert conditions(headers) == [name.lower().encode() for name in names]


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (b'"a"', [b"a"]),
        (b'W/"a", "b,c"', [b"a", b"b,c"]),
        (b"eabf3dc4 , 00", [b"eabf3dc4", b"00"]),
        (b"*", [b"*"]),
        (b"", []),
    ],
)
def test_entity_tags_are_read_with_and_without_quotes(value: bytes, tags: list[bytes]) -> None:
    for name in (b"If-None-Match", b"if-match", b"IF-RANGE"):
        assert list(tags_sent_back(((b"Accept", b'"z"'), (name, value)))) == tags


def test_weak_and_strong_tags_compare_alike() -> None:
    assert {opaque(tag) for tag in (b'W/"a"', b'"a"', b"a", b" a ")} == {b"a"}


def test_a_range_is_the_same_in_each_run() -> None:
    assert not is_of_one_run(b"range")
    assert all(map(is_of_one_run, (b"if-none-match", b"if-modified-since", b"if-range")))
