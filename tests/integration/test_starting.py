"""What a replay loads until it has answered: every start takes the time for it, and every process the memory."""

import re
from pathlib import Path

import pytest
from integration.asking import ask
from integration.processes import Workplace

pytestmark = pytest.mark.process

DEMO = Path(__file__).parents[2] / "cassettes" / "demo.json"

_PARTS = {
    "chatproxy": "cassettes cli clock config core environment files serve store upstream wiring outside",
    "chatproxy.cassettes": "names",
    "chatproxy.cli": "main options streams",
    "chatproxy.config": "addresses linear_engine scrub_rules setting settings sources values",
    "chatproxy.core": """
        answers cassette credentials engine errors http matching model products record replay report scrubbing
        text time timeline twilio
    """,
    "chatproxy.core.answers": "echoes stand_ins stencil template",
    "chatproxy.core.cassette": "cassette codec history naming records",
    "chatproxy.core.credentials": "blanking carried encodings linear",
    "chatproxy.core.http": "admission codings conditions forms grammar headers multipart",
    "chatproxy.core.matching": "normal_form placed rules users",
    "chatproxy.core.products": "chat client_headers edge_headers every product sid_types",
    "chatproxy.core.record": "recorder",
    "chatproxy.core.replay": """
        askers bindings fetches fresh gaps journal known live marks numbers pairs player progress rendered
        session sessions
    """,
    "chatproxy.core.report": "report",
    "chatproxy.core.scrubbing": "engines parts patterns pseudonyms rules scrub",
    "chatproxy.core.text": "excerpts json_edit json_text",
    "chatproxy.core.time": "dates instants ladder ranks sent_back session_clock stamps timestamps upstream_clock",
    "chatproxy.core.timeline": "elsewhere holders known numbering places sent sights standing states traces uniques",
    "chatproxy.core.twilio": "canonical_sids defaults fields objects origins page_tokens paths sids urls visitors",
    "chatproxy.serve": "accepting bound connection control control_token fast_path hosting listen proxy wire",
    "chatproxy.store": """
        cassettes chunks commit compiled environment exchanges folder inspection layout locks progress reasons
        recording records room use
    """,
    "chatproxy.wiring": "assembly forwarding sessions upstream",
}
MAY_LOAD = {"chatproxy"} | {f"{package}.{name}" for package, names in _PARTS.items() for name in names.split()}
"""The modules of chatproxy; what else there is, is for compiling, recording, fixtures, misses and other commands."""

NEVER = {"mitmproxy", "pytest", "twilio", "openapi_schema_validator", "jsonschema"}
"""What no replay needs of others."""


def loaded(log: str) -> set[str]:
    """Return the modules that a process says to have loaded."""
    return set(re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", log, re.MULTILINE))


def test_a_replay_loads_what_it_needs_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Workplace(tmp_path, fresh=True)
    place.run("import", DEMO)
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with place.replay("demo") as server:
        service, channel = (f"{kind}{1:032}" for kind in ("IS", "CH"))
        sent = {"Body": "Hello", "From": "alice", "Attributes": '{"nested": {"list": [1, 2.5, null]}}'}
        answer = ask(server.url, "POST", f"/v1/Services/{service}/Channels/{channel}/Messages", sent)
        found = loaded(server.stop())
    assert answer.outcome == "hit"
    own = {module for module in found if module.split(".")[0] == "chatproxy"}
    more = sorted(own - MAY_LOAD)
    assert not more, f"replay loads {more}: import them where they are needed, or put them into MAY_LOAD"
    assert not sorted(MAY_LOAD - own), "replay does not load these any more: take them out of MAY_LOAD"
    assert not {module.split(".")[0] for module in found} & NEVER
