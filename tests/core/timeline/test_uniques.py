import pytest
from core.timeline.recordings import CHANNEL, CHANNELS, MEMBERS, SERVICE

from chatproxy.core.timeline.uniques import field_of, is_value, path_by_value, value_in_path


def test_an_empty_value_is_none() -> None:
    assert [is_value(pair) for pair in (b"UniqueName=a", b"UniqueName=", b"")] == [True, False, False]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{CHANNELS}/general", b"UniqueName=general"),
        (f"{CHANNELS}/a%2fb", b"UniqueName=a/b"),
        (f"{CHANNELS}/a&b", b"UniqueName=a%26b"),
        (f'{CHANNELS}/{{"b": 1, "a": 2}}', b'UniqueName={"a":2,"b":1}'),
        (f"{SERVICE}/Users/zed", b"Identity=zed"),
        (CHANNEL, b""),
        (f"{MEMBERS}/zed", b""),
    ],
)
def test_a_name_in_a_path_is_a_value_as_a_form_has_it(path: str, value: bytes) -> None:
    assert value_in_path(path.encode()) == value


def test_a_value_is_the_name_of_its_member() -> None:
    assert path_by_value(CHANNELS.encode(), b"UniqueName=a/b%26c") == f"{CHANNELS}/a%2fb&c".encode()


def test_a_parameter_sets_the_field_of_its_name() -> None:
    assert [field_of(name) for name in ("FriendlyName", "Limits.ChannelMembers")] == ["friendly_name", "limits"]
