from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.matching.difference import by_name, differing

pairs = st.lists(st.sampled_from([b"a", b"a=", b"a=1", b"b=1", b"b=a=1", b"=x"])).map(tuple)


def test_values_are_grouped_by_name_in_their_order() -> None:
    assert by_name((b"b=1", b"a", b"b=", b"b=c=d"), b"=") == {b"b": [b"1", b"", b"c=d"], b"a": [None]}
    assert by_name((b"x-a: 1: 2",), b": ") == {b"x-a": [b"1: 2"]}


@given(pairs, pairs)
def test_names_differ_exactly_where_their_pairs_do(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> None:
    names = {pair.partition(b"=")[0] for pair in (*one, *other)}
    expected = sorted(name for name in names if _of(one, name) != _of(other, name))
    assert differing(by_name(one, b"="), by_name(other, b"=")) == expected


def _of(pairs: tuple[bytes, ...], name: bytes) -> list[bytes]:
    return [pair for pair in pairs if pair.partition(b"=")[0] == name]
