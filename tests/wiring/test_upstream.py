import os
from dataclasses import fields
from pathlib import Path

import pytest
from servers import settings

from chatproxy.config.addresses import ProxyAddress
from chatproxy.wiring.upstream import passed_over, upstream_settings


def test_the_upstream_is_asked_by_what_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    given = settings(
        tmp_path,
        upstream="http://127.0.0.1:1",
        upstream_ca=tmp_path / "authority.pem",
        upstream_proxy=ProxyAddress("http://127.0.0.1:2", "me", "secret"),
        max_body=2,
        connect_timeout=3.0,
        upstream_timeout=4.0,
        max_connections=5,
    )
    asked = upstream_settings(given)
    assert {field.name: getattr(asked, field.name) for field in fields(asked)} == {
        "origin": "http://127.0.0.1:1",
        "ca_file": tmp_path / "authority.pem",
        "max_body": 2,
        "connect_timeout": 3.0,
        "timeout": 4.0,
        "max_connections": 5,
        "proxy": "http://127.0.0.1:2",
        "proxy_login": ("me", "secret"),
        "passed_over": None,
    }
    assert "secret" not in repr(asked)


def test_a_proxy_without_a_user_is_asked_without_one(tmp_path: Path) -> None:
    asked = upstream_settings(settings(tmp_path, upstream_proxy=ProxyAddress("http://127.0.0.1:2")))
    assert (asked.proxy, asked.proxy_login) == ("http://127.0.0.1:2", None)


TWILIO = "https://chat.twilio.com"


@pytest.mark.parametrize(
    ("origin", "environ", "variable"),
    [
        (TWILIO, {}, None),
        (TWILIO, {"HTTPS_PROXY": "http://proxy:1"}, "HTTPS_PROXY"),
        (TWILIO, {"https_proxy": "http://proxy:1", "all_proxy": "http://proxy:2"}, "https_proxy"),
        (TWILIO, {"ALL_PROXY": "http://proxy:1"}, "ALL_PROXY"),
        (TWILIO, {"HTTPS_PROXY": ""}, None),
        (TWILIO, {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "localhost, .twilio.com"}, None),
        (TWILIO, {"HTTPS_PROXY": "http://proxy:1", "no_proxy": "Chat.Twilio.com"}, None),
        (TWILIO, {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "*"}, None),
        (TWILIO, {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "twilio.co,"}, "HTTPS_PROXY"),
        ("http://127.0.0.1:1", {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "localhost,127.0.0.1"}, None),
    ],
)
def test_a_proxy_of_the_environment_is_passed_over_unless_the_host_is_exempt(
    origin: str, environ: dict[str, str], variable: str | None
) -> None:
    assert passed_over(origin, environ) == variable
