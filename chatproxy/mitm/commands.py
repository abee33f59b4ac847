"""The addon's commands, each for flows that have been captured."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from mitmproxy import command, ctx, flow, http
from mitmproxy.exceptions import CommandError
from mitmproxy.hooks import UpdateHook
from mitmproxy.types import Data

from chatproxy.cassettes.leak_gate import gate_of
from chatproxy.cassettes.names import fixture_path, is_file
from chatproxy.cassettes.transfer import canonical_fixture, export_cassette
from chatproxy.clock import now
from chatproxy.core.answers.template import turned
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.engine import Engine
from chatproxy.core.errors import ChatproxyError, RequestError, UpstreamError
from chatproxy.core.http.admission import check_answer
from chatproxy.core.model import Forward, Mode, Outcome, Response
from chatproxy.core.record.imported import Captured, exchanges
from chatproxy.core.replay.explain import explain as explain_request
from chatproxy.core.replay.marks import OUTCOME
from chatproxy.core.replay.session import Session
from chatproxy.core.review.closest import closest
from chatproxy.core.text.excerpts import counted
from chatproxy.mitm.current import Current, Works
from chatproxy.mitm.flows import ORIGIN, answer, is_ours, request_of, response_of, taken, target_of
from chatproxy.mitm.options import CASSETTE, Choice
from chatproxy.show.explanation import explanation_text
from chatproxy.show.finding_lines import finding_lines
from chatproxy.store import Recording, Store
from chatproxy.wiring.assembly import existing_of, recorder_of
from chatproxy.wiring.sessions import open_several, rules_of, sessions_of

_log = logging.getLogger(__name__)

_OWN = {Outcome.HIT, Outcome.MISS, Outcome.ERROR}
"""The outcomes of answers that are none of the upstream's."""


class Commands:
    """What a person can ask for; ``choice`` is what the options choose, none while they are wrong."""

    def __init__(self, current: Current) -> None:
        self.current = current
        self.choice: Choice | None = None

    @command.command("chatproxy.explain")
    def explain(self, flow: flow.Flow) -> Data:
        """Explain what replay makes of a flow's request: its normal form, and the nearest recorded ones."""
        found = _http(flow)
        with _errors(), self._cassette() as cassette:
            session = self._session(cassette, found)
            text = explanation_text(explain_request(session, request_of(found)), cassette.name)
        before = [found.comment, "in a session that begins now:"] if found.comment else []
        return _shown([*before, *text.split("\n")])

    @command.command("chatproxy.diff")
    def diff(self, flow: flow.Flow) -> Data:
        """Compare a flow's live answer with the recorded one, field by field; SIDs and times are no difference."""
        found = _http(flow)
        live = self._live(found)
        if live is None:
            raise CommandError("the flow has no answer of the upstream; record or pass its request on first")
        with _errors(), self._cassette() as cassette:
            explained = explain_request(self._session(cassette, found), request_of(found))
            near = closest(
                cassette, rules_of(self._chosen().settings), explained.key, self._chosen().settings.upstream, live
            )
            if near is None:
                raise CommandError(f"nothing is recorded for this request: {explained.reason}")
            name = f"{cassette.name}/{near.number}"
        if not near.findings:
            return _shown([f"{name}: no differences"])
        of = f", the most alike of {near.of} recorded answers" if near.of > 1 else ""
        return _shown([f"{name}: {counted(len(near.findings), 'difference')}{of}", *finding_lines([near.findings])])

    @command.command("chatproxy.play")
    def play(self, flows: Sequence[flow.Flow]) -> None:
        """Answer flows anew from the cassette, in the session that is replayed now; `revert` undoes it."""
        upstream = target_of(self._chosen().settings.upstream)
        found = [one for one in map(_http, flows) if is_ours(one, upstream)]
        if not found:
            raise CommandError("none of these flows is meant for the service")
        with _errors(), self._cassette() as cassette:
            engine = self._engine(cassette)
            for one in found:
                decision = engine.on_request(request_of(one))
                assert not isinstance(decision, Forward)  # it only replays
                one.backup()
                answer(one, decision)
        ctx.master.addons.trigger(UpdateHook(found))

    @command.command("chatproxy.record")
    def record(self, flows: Sequence[flow.Flow], name: str = "") -> None:
        """Put the flows that the upstream has answered into a cassette, by default that of chatproxy_cassette."""
        settings = self._chosen().settings
        name = name or self._chosen().cassette
        if not name or is_file(name):
            raise CommandError(f"give the name of a cassette, or set {CASSETTE} to one")
        captured = [one for one in map(self._captured, flows) if one is not None]
        if not captured:
            raise CommandError("none of these flows has an answer of the upstream")
        with _errors(), self._store() as store:
            recording = Recording(store, name, existing_of(settings), now())
            recorder = recorder_of(settings, recording)
            recording.fill(exchanges(captured, recorder), rules_of(settings), work=("record", len(captured)))
        if name == self._chosen().cassette:
            self.current.renew()
        left_out = len(flows) - len(captured)
        rest = f"; {counted(left_out, 'flow')} left out, not answered by the upstream or malformed" if left_out else ""
        _log.info("chatproxy: recorded %s, %s%s", name, counted(len(captured)), rest)

    @command.command("chatproxy.export")
    def export(self, name: str) -> None:
        """Write a cassette of the store as a fixture, cassettes/NAME.json."""
        settings = self._chosen().settings
        recording = self.current.works and self.current.works.assembly.recording
        if recording and recording.name == name:
            raise CommandError(f"{name} is being recorded; another chatproxy_mode ends the recording")
        path = fixture_path(name)
        with _errors(), self._store() as store:
            fixture = canonical_fixture(store, name, rules_of(settings), settings.keep)
            gate = gate_of(settings.allow, settings.strict, os.environ)
            count = export_cassette(fixture, path, gate, bind=settings.bind)
        _log.info("chatproxy: exported %s to %s, %s%s", name, path, counted(count), fixture.left_out_text)

    def _chosen(self) -> Choice:
        if self.choice is None:
            raise CommandError(
                f"chatproxy: {self.current.trouble}" if self.current.trouble else "set chatproxy_cassette"
            )
        return self.choice

    @contextmanager
    def _cassette(self) -> Iterator[Cassette]:
        """Give what is replayed, or else what the options name."""
        choice, works = self._chosen(), self._works()
        if works is not None and works.assembly.replayed is not None:
            yield works.assembly.replayed
            return
        if not choice.cassette:
            raise CommandError(f"set {CASSETTE} to a cassette")
        if works is not None and works.assembly.recording is not None:
            raise CommandError(f"{choice.cassette} is being recorded; chatproxy_mode=replay ends that and replays it")
        with ExitStack() as stack:
            (cassette,) = open_several(stack, [choice.cassette], choice.settings, rules_of(choice.settings))
            yield cassette

    @contextmanager
    def _store(self) -> Iterator[Store]:
        """Give the store, which a process can open only once."""
        works = self._works()
        if works is not None and works.assembly.store is not None:
            yield works.assembly.store
            return
        with closing(Store(self._chosen().settings.store)) as store:
            yield store

    def _works(self) -> Works | None:
        if self.current.is_changing:
            raise CommandError("chatproxy is just changing what it does; try again")
        return self.current.works

    def _session(self, cassette: Cassette, found: http.HTTPFlow) -> Session:
        settings = self._chosen().settings
        return sessions_of(cassette, settings, rules_of(settings)).of(request_of(found), now())

    def _engine(self, cassette: Cassette) -> Engine:
        """Return the engine that replays now, or else one that begins to."""
        works, settings = self._works(), self._chosen().settings
        if works is not None and works.choice.mode is Mode.REPLAY:
            return works.engine
        return Engine(settings.upstream, now, sessions=sessions_of(cassette, settings, rules_of(settings)))

    def _live(self, found: http.HTTPFlow) -> Response | None:
        """Return the answer that the upstream gave, with the URLs that it gave."""
        response = response_of(found, self._chosen().settings.max_body)
        if response is None or (found.response and found.response.headers.get(OUTCOME.decode()) in _OWN):
            return None
        origin = found.metadata.get(ORIGIN)
        return response if origin is None else turned(response, origin, self._chosen().settings.upstream)

    def _captured(self, one: flow.Flow) -> Captured | None:
        found, settings = _http(one), self._chosen().settings
        live = self._live(found)
        if live is None or not is_ours(found, target_of(settings.upstream)):
            return None
        try:
            request = taken(found, settings.max_body)
            check_answer(live)
        except (RequestError, UpstreamError):
            return None
        asked, response = found.request.timestamp_start, found.response
        answered = (response and (response.timestamp_end or response.timestamp_start)) or asked
        return Captured(request, live, int(asked * 10**6), int(answered * 10**6))


def _http(one: flow.Flow) -> http.HTTPFlow:
    if not isinstance(one, http.HTTPFlow):
        raise CommandError("is no HTTP flow")
    return one


def _shown(lines: Sequence[str]) -> Data:
    """Show lines in the event log, and as rows where a command's result is shown."""
    _log.info("%s", "\n".join(lines))
    return [[line] for line in lines]  # type: ignore[return-value]  # Data is a name for such rows


@contextmanager
def _errors() -> Iterator[None]:
    """Turn chatproxy's errors into those of mitmproxy's commands."""
    try:
        yield
    except ChatproxyError as error:
        raise CommandError(f"chatproxy: {error}") from error
