from dataclasses import fields
from pathlib import Path

from servers import settings

from chatproxy.wiring.upstream import upstream_settings


def test_the_upstream_is_asked_by_what_the_settings_say(tmp_path: Path) -> None:
    given = settings(
        tmp_path,
        upstream="http://127.0.0.1:1",
        upstream_ca=tmp_path / "authority.pem",
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
    }
