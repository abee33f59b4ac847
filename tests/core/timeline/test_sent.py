import pytest
from strategies import FORM, JSON

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Headers, Request
from chatproxy.core.timeline.sent import fields_sent, objects_sent, unique_value

SERVICE, RL = f"/v1/Services/IS{'1' * 32}", "RL" + "2" * 32
CHANNELS = f"{SERVICE}/Channels"
MULTIPART = ((b"content-type", b"multipart/form-data; boundary=x"),)


def part(name: str, value: str) -> bytes:
    return f'--x\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--x--\r\n'.encode()


def sent(path: str, body: bytes, headers: Headers = (FORM,)) -> tuple[list[str], bytes, list[str]]:
    form = normalize(Request("POST", path.encode(), headers, body), Rules())
    return list(fields_sent(form)), unique_value(form), [one.decode() for one in objects_sent(form)]


@pytest.mark.parametrize(
    ("path", "body", "headers", "told"),
    [
        (CHANNELS, b"UniqueName=a%3Bb%26c", (FORM,), (["unique_name"], b"UniqueName=a;b%26c", [])),
        (CHANNELS, part("UniqueName", "a;b&c"), MULTIPART, (["unique_name"], b"UniqueName=a;b%26c", [])),
        (CHANNELS, b'{"UniqueName": "a"}', (JSON,), (["unique_name"], b"", [])),
        (CHANNELS, b"[1]", (JSON,), ([], b"", [])),
        (CHANNELS, b"FriendlyName=a", (FORM,), (["friendly_name"], b"", [])),
        (f"{CHANNELS}/a/Invites", b"Identity=a", (FORM,), (["identity"], b"Identity=a", [])),
        (f"{CHANNELS}/a/Messages", b"Body=a", (FORM,), (["body"], b"", [])),
        ("/v1/Unknown", b"Identity=a", (FORM,), (["identity"], b"", [])),
        (f"{SERVICE}/Users", f"RoleSid={RL}".encode(), (FORM,), (["role_sid"], b"", [f"{SERVICE}/Roles/{RL}"])),
        (f"{SERVICE}/Users/a", part("RoleSid", RL), MULTIPART, (["role_sid"], b"", [f"{SERVICE}/Roles/{RL}"])),
        (
            SERVICE,
            f"DefaultChannelRoleSid={RL}".encode(),
            (FORM,),
            (["default_channel_role_sid"], b"", [f"{SERVICE}/Roles/{RL}"]),
        ),
        (f"{SERVICE}/Users", b"RoleSid=none", (FORM,), (["role_sid"], b"", [])),
    ],
)
def test_what_a_form_tells(path: str, body: bytes, headers: Headers, told: tuple[list[str], bytes, list[str]]) -> None:
    assert sent(path, body, headers) == told
