from itertools import count

import pytest
from strategies import basic

from chatproxy.core.credentials.blanking import BLANK
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Headers
from chatproxy.core.replay.askers import Askers

ACCOUNT, PASSWORD = b"AC" + b"1" * 32, b"a password of today"
HEADERS: Headers = (basic(ACCOUNT, PASSWORD), (b"Accept", b"*/*"))


def numbered(**bounds: int) -> Askers:
    """Askers whose header lists choose a session of their own each time they are read."""
    numbers = count()
    return Askers(lambda headers: str(next(numbers)), **bounds)


def test_an_asker_has_its_session_its_user_and_its_secrets() -> None:
    asker = Askers(lambda headers: "mine").of(HEADERS)
    assert (asker.session, asker.user) == ("mine", ACCOUNT.decode())
    assert asker.blanker.text(b"<" + PASSWORD + b">") == b"<" + BLANK + b">"


@pytest.mark.parametrize(
    ("headers", "user"), [((), NO_CREDENTIALS), (((b"Authorization", b"Bearer x"),), OTHER_CREDENTIALS)]
)
def test_an_asker_without_a_user_name_tells_whether_it_has_credentials(headers: Headers, user: str) -> None:
    assert Askers(lambda headers: "mine").of(headers).user == user


def test_a_header_list_is_read_once() -> None:
    askers = numbered()
    assert askers.of(HEADERS) is askers.of(tuple(HEADERS))
    assert askers.of(HEADERS[:1]) is not askers.of(HEADERS)


@pytest.mark.parametrize(("bounds", "read"), [({"entries": 2}, 4), ({"size": 20}, 4), ({"entries": 0}, 6), ({}, 3)])
def test_only_so_much_is_remembered(bounds: dict[str, int], read: int) -> None:
    askers = numbered(**bounds)
    lists: list[Headers] = [((b"X-Number", b"1"),), ((b"X-Number", b"2"),), ((b"X-Number", b"3"),)]
    for headers in (*lists, lists[2], lists[2], lists[0]):
        last = askers.of(headers)
    assert int(last.session or "") == read - 1 or bounds == {}


def test_a_list_that_is_too_long_is_not_remembered() -> None:
    askers = numbered(size=50)
    long: Headers = ((b"X-Long", b"a" * 50),)
    assert askers.of(long) is not askers.of(long)
    assert len(askers._known) == 0
