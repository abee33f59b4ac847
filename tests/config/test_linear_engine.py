import sys
from pathlib import Path
from time import process_time

import pytest

from chatproxy.config.linear_engine import linear
from chatproxy.config.settings import load
from chatproxy.core.errors import ConfigError
from chatproxy.core.scrubbing.patterns import patterned
from chatproxy.core.scrubbing.rules import Scrub

RULE = '[{"pattern": "(a+)+$", "replace": "x"}]'


def test_a_pattern_that_can_take_for_ever_is_searched_in_linear_time(tmp_path: Path) -> None:
    scrub = Scrub(load({"scrub": RULE}, {}, tmp_path).scrub)
    begin = process_time()
    assert patterned("a" * 10_000 + "é", scrub, lambda rule, text: rule.text) == "a" * 10_000 + "é"
    assert patterned("é" + "a" * 10_000, scrub, lambda rule, text: rule.text) == "éx"
    assert process_time() - begin < 5
    assert patterned("\udc80b", scrub, lambda rule, text: rule.text) == "\udc80b"


def test_without_the_extra_such_a_pattern_is_refused_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(
        ConfigError, match=r"rule 1: '\(a\+\)\+\$' can take for ever: .* pip install 'google-re2>=1\.1'$"
    ):
        load({"scrub": RULE}, {}, tmp_path)
    assert load({"scrub": RULE.replace("(a+)+$", "a+b")}, {}, tmp_path).scrub


def test_what_neither_engine_searches_soon_is_refused() -> None:
    with pytest.raises(ValueError, match=r"can take for ever: write it without repetitions that overlap$"):
        linear(r"(.*)\1")
