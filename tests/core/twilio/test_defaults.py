import pytest

from chatproxy.core.twilio.defaults import Defaults, defaults_of

MESSAGES = b"/v1/Services/IS1/Channels/CH1/Messages"
LIST = Defaults(query=frozenset({b"PageSize=50", b"Page=0", b"Order=asc"}))
CREATE = Defaults(form=frozenset({b"From=system"}))


@pytest.mark.parametrize(
    ("method", "path", "defaults"),
    [
        ("GET", MESSAGES, LIST),
        ("HEAD", MESSAGES, LIST),
        ("POST", MESSAGES, CREATE),
        ("DELETE", MESSAGES, Defaults()),
        ("GET", MESSAGES + b"/IM1", Defaults()),
        ("POST", MESSAGES + b"/IM1", Defaults()),
        ("GET", b"/v1/Services/IS1/Channels", Defaults()),
    ],
)
def test_defaults_are_those_of_the_collection(method: str, path: bytes, defaults: Defaults) -> None:
    assert defaults_of(method, path) == defaults
