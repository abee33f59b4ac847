import logging

import pytest
from mitm.masters import Master
from mitmproxy import ctx
from mitmproxy.options import Options

from chatproxy.core.model import Mode
from chatproxy.mitm.flows import Target
from chatproxy.mitm.own_options import OwnOptions, misled, say_what_is_left_alone

TWILIO = Target("https", "chat.twilio.com", 443)
STAND_IN = Target("http", "127.0.0.1", 8766)


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> Options:
    options = Master().options
    monkeypatch.setattr(ctx, "options", options, raising=False)
    return options


def test_mitmproxy_connects_nowhere_before_there_is_an_answer_whatever_is_set(options: Options) -> None:
    own = OwnOptions()
    own.note(set())
    own.set(Mode.REPLAY)
    assert (options.connection_strategy, options.keep_host_header, options.upstream_cert) == ("lazy", True, False)
    options.update(connection_strategy="eager", keep_host_header=False, upstream_cert=True)
    own.note({"connection_strategy", "keep_host_header", "upstream_cert"})
    own.set(Mode.RECORD)
    assert (options.connection_strategy, options.keep_host_header, options.upstream_cert) == ("lazy", True, False)


@pytest.mark.parametrize("shows", [True, False])
def test_how_a_person_sets_them_is_remembered(options: Options, shows: bool) -> None:
    own = OwnOptions()
    options.update(keep_host_header=True, upstream_cert=shows)
    own.note(set())
    own.set(Mode.REPLAY)
    assert not own.rewrites_host
    own.set(Mode.PASSTHROUGH)
    assert options.upstream_cert == shows
    options.update(keep_host_header=False)
    own.note({"keep_host_header"})
    own.set(Mode.PASSTHROUGH)
    assert own.rewrites_host
    assert options.keep_host_header


@pytest.mark.parametrize(
    "modes",
    [
        [],
        ["regular"],
        ["reverse:https://chat.twilio.com"],
        ["reverse:https://chat.dublin.ie1.twilio.com"],
        ["reverse:http://127.0.0.1:8766", "upstream:http://127.0.0.1:9"],
    ],
)
def test_what_leads_to_the_cassettes_host_or_is_no_reverse_proxy_is_let_be(options: Options, modes: list[str]) -> None:
    options.update(mode=modes)
    assert misled(Mode.REPLAY, STAND_IN) is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:8767",
        "https://127.0.0.1:8766",
        "https://api.twilio.com",
        "https://chat.twilio.com.example",
        "http://[::1]:8766",
    ],
)
def test_a_reverse_proxy_past_the_cassette_is_refused_with_what_to_do(options: Options, origin: str) -> None:
    options.update(mode=["reverse:https://chat.twilio.com", f"reverse:{origin}@9999"])
    for mode in (Mode.REPLAY, Mode.AUTO):
        error = str(misled(mode, STAND_IN))
        assert error.startswith(
            f"mode: reverse:{origin}@9999 leads past the cassette to another host; make it reverse:"
        )
        assert error.endswith(f"https://chat.twilio.com, or set chatproxy_upstream={origin}")
    assert misled(Mode.RECORD, STAND_IN) is None
    assert misled(Mode.PASSTHROUGH, STAND_IN) is None


def test_what_is_left_alone_is_warned_of(options: Options, caplog: pytest.LogCaptureFixture) -> None:
    options.update(mode=["regular", "reverse:http://a.test", "reverse:http://127.0.0.1:8766"])
    options.update(stream_large_bodies="5")
    with caplog.at_level(logging.WARNING):
        say_what_is_left_alone(Mode.RECORD, STAND_IN)
        say_what_is_left_alone(Mode.REPLAY, TWILIO)
    assert [record.getMessage() for record in caplog.records] == [
        "chatproxy: stream_large_bodies is set; bodies that are streamed can be neither recorded nor matched",
        "chatproxy: reverse:http://a.test is left alone; to serve it, set chatproxy_upstream=http://a.test",
        "chatproxy: stream_large_bodies is set; bodies that are streamed can be neither recorded nor matched",
    ]
