import re

import pytest
from core.leaks.samples import Made

from chatproxy.core.leaks.services import SERVICES, Service, key_spans

made = Made(7)
KEYS = [
    f"AAAA{made.url_safe(7)}:APA91b{made.url_safe(134)}",
    f"AIza{made.url_safe(35)}",
    f"GOCSPX-{made.url_safe(28)}",
    f"ya29.{made.url_safe(100)}",
    f"xoxb-{made.hex(12)}-{made.letters(24)}",
    f"xapp-1-{made.capitals(11)}-{made.hex(64)}",
    f"hooks.slack.com/services/T{made.capitals(8)}/B{made.capitals(8)}/{made.letters(24)}",
    *(f"gh{one}_{made.letters(36)}" for one in "pousr"),
    f"github_pat_{made.letters(22)}_{made.letters(59)}",
    f"glpat-{made.url_safe(20)}",
    *(f"{begin}{made.of('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}" for begin in ("AKIA", "ASIA", "ABIA", "ACCA")),
    f"sk_live_{made.letters(24)}",
    f"whsec_{made.letters(32)}",
    f"SG.{made.url_safe(22)}.{made.url_safe(43)}",
    f"key-{made.hex(32)}",
    f"{made.hex(32)}-us12",
    f"npm_{made.letters(36)}",
    f"pypi-{made.url_safe(120)}",
    f"sk-proj-{made.url_safe(40)}",
    f"shpat_{made.hex(32)}",
    f"{made.of('0123456789', 10)}:AA{made.url_safe(33)}",
    f"dop_v1_{made.hex(64)}",
    f"hf_{made.letters(34)}",
    f"dckr_pat_{made.url_safe(27)}",
    f"hvs.{made.url_safe(90)}",
]


@pytest.mark.parametrize(("service", "key"), list(zip(SERVICES, KEYS, strict=True)), ids=map(str, range(len(KEYS))))
def test_a_key_is_found_by_how_it_begins_and_what_fills_its_place_is_not(service: Service, key: str) -> None:
    spans = key_spans(service.pattern)
    for text in (key, f'"{key}"', f"a={key}&b"):
        assert [text[start:end] for start, end in spans(text.encode())] == [key]
        assert service.sign in text.lower().encode()
    assert list(spans(f"x{key}".encode())) == []
    assert list(spans(re.sub("(?<=.{8})[0-9A-Za-z]", "2", key).encode())) == []


def test_a_key_that_is_named_an_example_is_none() -> None:
    (amazon, *_) = (service for service in SERVICES if service.sign == b"akia")
    assert list(key_spans(amazon.pattern)(b"AKIAIOSFODNN7EXAMPLE")) == []
