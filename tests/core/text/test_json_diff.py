import json

from hypothesis import given
from strategies import Json, json_containers

from chatproxy.core.text.json_diff import Difference, json_differences, json_value


@given(json_containers, json_containers)
def test_two_values_differ_somewhere_exactly_if_they_are_not_the_same(one: Json, other: Json) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (not list(json_differences(one, other))) == same


@given(json_containers, json_containers)
def test_each_pointer_leads_to_what_stands_there(one: Json, other: Json) -> None:
    for found in json_differences(one, other):
        assert {found.one, found.other} != {"absent"}
        for value, shown in ((one, found.one), (other, found.other)):
            assert shown == "absent" or json.dumps(_at(value, found.pointer)) == shown


def _at(value: object, pointer: str) -> object:
    for name in pointer.split("/")[1:]:
        plain = name.replace("~1", "/").replace("~0", "~")
        value = value[int(plain)] if isinstance(value, list) else value[plain]  # type: ignore[index]
    return value


def test_names_are_escaped_and_what_is_missing_is_absent() -> None:
    found = list(json_differences({"a/b": {"~": [1, 2]}}, {"a/b": {"~": [1]}, "c": None}))
    assert found == [Difference("/a~1b/~0/1", "2", "absent"), Difference("/c", "absent", "null")]


def test_only_objects_and_arrays_are_values_here() -> None:
    texts = (b'{"a": 1}', b"[1]", b"1", b"{", b"\xff", b"[" * 10**5)
    assert [json_value(text) for text in texts] == [{"a": 1}, [1], None, None, None, None]
