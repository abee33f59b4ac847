from dataclasses import asdict
from json import dumps

import pytest

from chatproxy.core.cassette.codec import pack
from chatproxy.core.errors import CassetteError
from chatproxy.core.timeline.known import Declared, Known
from chatproxy.store.records import Record, check_name, order_of, packed, unpacked, whole_of


def test_a_record_comes_back_with_what_a_fixture_declared() -> None:
    sid = "IS" + "0" * 32
    plain = Record(3, 5, interim=True, title="a", variables={sid: "SERVICE"})
    for declared in (
        None,
        Declared.of_supplied("AC" + "0" * 32, (sid,)),
        Declared("AC" + "0" * 32, (Known.of(sid, None, "IS" + "1" * 32, "SERVICE"),)),
    ):
        record = plain.saying(declared)
        again = unpacked(packed(record, "a"), "a", "here")
        assert again.declared == record.declared == declared
        assert again.variables == {sid: "SERVICE"}


def test_a_record_of_before_fixtures_declared_anything_is_read() -> None:
    old = {
        name: value
        for name, value in asdict(Record(1, 2)).items()
        if name not in {"account", "supplied", "known", "variables"}
    }
    record = unpacked(pack([dumps(old).encode()]), "a", "here")
    assert record == Record(1, 2)
    assert record.declared is None


def test_a_damaged_record_is_found_out() -> None:
    with pytest.raises(CassetteError, match="here: is damaged"):
        unpacked(packed(Record(1, 2), "a")[:-1], "a", "here")


def test_a_record_under_another_name_is_found_out() -> None:
    with pytest.raises(CassetteError, match="here: is damaged"):
        unpacked(packed(Record(1, 2), "a"), "b", "here")


@pytest.mark.parametrize("name", ["", "a/b", "a.partial", "a" * 101, ".a"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(CassetteError, match="is no name for a cassette"):
        check_name(name)


def test_names_of_interrupted_recordings_are_sorted_by_their_numbers() -> None:
    names = ["b", "a.partial-x", "a.partial-10", "a.partial-2", "a.partial", "a"]
    assert sorted(names, key=order_of) == names[::-1]


@pytest.mark.parametrize(("name", "whole"), [("a", "a"), ("a.partial", "a"), ("a.b.partial-12", "a.b")])
def test_a_partial_cassette_was_begun_for_a_whole_name(name: str, whole: str) -> None:
    assert whole_of(name) == whole
