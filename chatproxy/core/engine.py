"""The heart: what to do with a request, and what to keep of its answer. Every edge makes the same calls."""

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from chatproxy.core.answers.stencil import Stencil
from chatproxy.core.answers.template import as_it_is, origin_filler, turned
from chatproxy.core.credentials.blanking import Blankers
from chatproxy.core.errors import ChatproxyError, MissError, error_json
from chatproxy.core.http.admission import check_answer
from chatproxy.core.http.headers import OWN_FIELDS
from chatproxy.core.model import (
    NO_EXCHANGE,
    Exchange,
    ExchangeNumber,
    Forward,
    Headers,
    Outcome,
    Request,
    Response,
    is_read,
)
from chatproxy.core.record.recorder import Recorder
from chatproxy.core.replay.askers import Asker, Askers
from chatproxy.core.replay.gaps import Miss, Why, held_back
from chatproxy.core.replay.journal import Entry, Journal
from chatproxy.core.replay.marks import Assumed, hit, marked
from chatproxy.core.replay.player import Played, play_fetch, play_request, repeats
from chatproxy.core.replay.rendered import Rendered, Repeat
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.scrubbing.rules import NO_SCRUB, Scrub
from chatproxy.core.scrubbing.scrub import scrubbed_target
from chatproxy.core.timeline.sent import unique_value


class _Asked(NamedTuple):
    """A request, the same without secrets, who sent it, and when it came."""

    request: Request
    blanked: Request
    asker: Asker
    now: int


class Engine:
    """Decides; ``clock`` gives microseconds since 1970.

    What it does follows from what it is given: with ``sessions`` it replays, with a ``recorder`` it records
    what it forwards, with both it records what is missing, with neither it passes everything on. With
    ``keep_urls`` answers keep the upstream's URLs instead of getting the address that the client used.
    ``journal`` notes what was asked, scrubbed by ``scrub``, and answered; ``on_miss`` is told of every miss,
    ``on_assumed`` of each SID that is assumed to stand for a recorded one, when that is first used.
    """

    def __init__(
        self,
        upstream: str,
        clock: Callable[[], int],
        *,
        sessions: Sessions | None = None,
        recorder: Recorder | None = None,
        keep_urls: bool = False,
        journal: Journal | None = None,
        scrub: Scrub = NO_SCRUB,
        on_miss: Callable[[MissError], None] = lambda miss: None,
        on_assumed: Callable[[str, str], None] = lambda live, recorded: None,
    ) -> None:
        self.counts: Counter[Outcome] = Counter()
        self._upstream = upstream
        self._clock = clock
        self.sessions = sessions
        self.journal = journal or Journal()
        self._recorder = recorder
        self._last_kept = recorder.last_write if recorder else NO_EXCHANGE
        self._keep_urls = keep_urls
        self._scrub = scrub
        self._on_miss = on_miss
        self._on_assumed = on_assumed
        self._blankers = Blankers()
        self._askers = Askers(sessions.choice_of if sessions else lambda headers: None)

    def asker(self, headers: Headers) -> Asker:
        """Return who sends this header list."""
        return self._askers.of(headers)

    def on_request(self, request: Request) -> Response | Forward:
        """Answer the request, or decide to put it to the upstream."""
        decision = self.decide(request)
        return decision.response if isinstance(decision, Rendered) else decision

    def decide(self, request: Request, asker: Asker | None = None) -> Rendered | Response | Forward:
        """Decide as ``on_request`` does; an answer that was replayed comes as text, for who writes it as such.

        ``asker`` is who sends the header list, where that is known.
        """
        if self.sessions is None:
            after = self._recorder.last_write if self._recorder else NO_EXCHANGE
            return Forward(request, self._clock(), after)
        now = self._clock()
        asker = asker or self._askers.of(request.headers)
        session = self.sessions.named(asker.session, now)
        asked = _Asked(request, session.blanked(request, asker.blanker), asker, now)
        session, played = self._play(self.sessions, session, asked)
        for live, recorded in played.assumed:
            if live not in self.journal.total.assumed:
                self._on_assumed(live, recorded)
        if played.number is not None:
            session.echo(played.number, request, played.form)
            stencil = session.cassette.stencil(played.number)
            entry = Entry(
                now,
                session.name,
                request.method,
                asked.blanked.target,
                Outcome.HIT,
                stencil.status,
                played.number,
                skipped=played.skipped,
                assumed=played.assumed,
                reordered=played.reordered,
            )
            return self._hit(session, stencil, entry, request.origin, repeats=played.repeats)
        if self._recorder is None:
            return self._missed(self.sessions, session, played, asked)
        held = held_back(session, form := played.form, is_ahead=self.sessions.is_ahead(session, played.form))
        if held is not None:
            return self._missed(self.sessions, session, played, asked, held)
        self.sessions.write(session, form)
        return Forward(
            request, self._clock(), self._last_kept, session.name, form.path, unique_value(form), session.life
        )

    def _missed(
        self, sessions: Sessions, session: Session, played: Played, asked: _Asked, held: Miss | None = None
    ) -> Response:
        """Answer a request that was never recorded, or one that for this reason is not put to the upstream."""
        from chatproxy.core.replay import explain, following  # noqa: PLC0415 - most replays never miss

        why = held
        if held is not None:
            reason = explain.behind_reason(session, held, has_changed=played.form in session.live)
        else:
            reason, why = explain.miss_reason(session, played, sessions.others(session))
        miss = MissError(asked.blanked.line, reason, following.cause_of(session, played, why, asked.blanked.line))
        self._on_miss(miss)
        in_doubt = why.exchange if why is not None and why.why is Why.IN_DOUBT else None
        return self.on_error(miss, asked.request, played.assumed, in_doubt)

    def fetch(self, target: bytes, asker: Asker, origin: str) -> Rendered | None:
        """Answer a GET without body as ``decide`` would; None if that has to be asked, with nothing done yet.

        It does so for members whose SIDs the session knows: in a third of the time.
        """
        session = self.sessions and asker.session and self.sessions.held(asker.session)
        if not session or not self.sessions or self._recorder:
            return None
        key = asker.lanes.key(session, target)
        played = key and play_fetch(session, key)
        if not played:
            return None
        now = self._clock()
        self.sessions.use(session, now)
        number = played.number
        stencil = session.cassette.stencil(number)
        entry = Entry(now, session.name, "GET", target, Outcome.HIT, stencil.status, number)
        return self._hit(session, stencil, entry, origin, repeats=repeats(played))

    def again(self, repeat: Repeat) -> tuple[Session, int] | None:
        """Give an answer again, and return its session and moment; None if it must be decided anew."""
        session = repeat.state.session
        if session is None or self.sessions is None:
            return None
        now = self._clock()
        self.sessions.use(session, now)
        self.counts[Outcome.HIT] += 1
        one = repeat.entry
        self.journal.hit(
            Entry(now, one.session, one.method, one.target, Outcome.HIT, one.status, one.exchange, assumed=one.assumed)
        )
        return session, now

    def on_response(
        self, forward: Forward, response: Response, *, abandoned: bool = False
    ) -> tuple[Response, Exchange | None]:
        """Return what the client gets, and the exchange that must be on disk before the client gets it.

        ``abandoned`` tells that the client has gone already.
        Of an exchange nothing is counted or noted before ``on_kept``. Raises UpstreamError for an answer that cannot
        be taken.
        """
        answer = response
        if not self._keep_urls:
            answer = turned(response, self._upstream, forward.request.origin)
        if self._recorder is None:
            check_answer(response)
            blanked = self._blankers.of(forward.request.headers).text(forward.request.target)
            self._note(forward, blanked, Outcome.PASSED, answer.status)
            return marked(answer, Outcome.PASSED), None
        exchange = self._recorder.exchange(forward, response, self._clock(), abandoned=abandoned)
        return marked(answer, Outcome.RECORDED, f"{self._recorder.name}/{exchange.number}"), exchange

    def on_kept(self, forward: Forward, exchange: Exchange) -> None:
        """Take in that the exchange of an answer is on disk; what is not is an error, and goes to ``on_error``."""
        if self.sessions is not None and not is_read(forward.request.method):
            self._last_kept = max(self._last_kept, exchange.number)
            self.sessions.wrote(forward, exchange)
        self._note(forward, exchange.request.target, Outcome.RECORDED, exchange.response.status, exchange.number)

    def on_error(
        self,
        error: ChatproxyError,
        request: Request | None = None,
        assumed: Assumed = (),
        in_doubt: ExchangeNumber | None = None,
    ) -> Response:
        """Return Twilio's error JSON for what went wrong, and note it if the request itself could be read.

        ``assumed`` are those of its SIDs that were assumed to stand for recorded ones, ``in_doubt`` is what would have
        answered it if it were certain.
        """
        content_type = (b"Content-Type", b"application/json; charset=utf-8")
        phrase, text = HTTPStatus(error.status).phrase.encode(), str(error)
        if request is not None:
            text = self._blankers.of(request.headers).text(text.encode()).decode()
            self._note_error(error, request, assumed, in_doubt)
        answer = Response(error.status, phrase, (content_type, *OWN_FIELDS), error_json(error.status, text))
        self.counts[_outcome_of(error)] += 1
        return marked(answer, _outcome_of(error), assumed=assumed)

    def _play(self, sessions: Sessions, session: Session, asked: _Asked) -> tuple[Session, Played]:
        """Replay a request in its session; where that is over and has no answer, in one begun anew that has one.

        One that has changed something at the upstream goes on: what was recorded is not all that it did.
        """
        played = play_request(session, asked.blanked, asked.asker.user)
        if played.number is not None or not session.is_over or session.live.is_any:
            return session, played
        if (anew := sessions.anew(session)) is not None:
            again = play_request(anew, asked.blanked, asked.asker.user)
            if again.number is not None:
                anew.blanked(asked.request, asked.asker.blanker)  # it is to remember what pseudonyms stand for
                sessions.replace(anew, asked.now)
                return anew, again
        return session, played

    def _note(
        self, forward: Forward, blanked: bytes, outcome: Outcome, status: int, exchange: ExchangeNumber | None = None
    ) -> None:
        """Count and note what was forwarded, with its target without secrets."""
        self.counts[outcome] += 1
        target = scrubbed_target(blanked, self._scrub)
        method = forward.request.method
        self.journal.note(Entry(forward.asked, forward.session, method, target, outcome, status, exchange))

    def _note_error(
        self,
        error: ChatproxyError,
        request: Request,
        assumed: Assumed,
        in_doubt: ExchangeNumber | None,
    ) -> None:
        blanker = self._blankers.of(request.headers)
        reason, follows = (error.reason, error.follows) if isinstance(error, MissError) else (str(error), None)
        self.journal.note(
            Entry(
                self._clock(),
                self.sessions.name_of(request.headers) if self.sessions else None,
                request.method,
                scrubbed_target(blanker.text(request.target), self._scrub),
                _outcome_of(error),
                error.status,
                reason=blanker.text(reason.encode()).decode(),
                assumed=assumed,
                in_doubt=in_doubt,
                follows=follows and blanker.text(follows.encode()).decode(),
            )
        )

    def _hit(self, session: Session, stencil: Stencil, entry: Entry, origin: str, *, repeats: bool) -> Rendered:
        number = entry.exchange
        assert number is not None
        filler = as_it_is if self._keep_urls else origin_filler(origin)
        head, body, moments = session.fill(stencil, filler, entry.at)
        head += hit(session.cassette.name, number, entry.skipped, entry.assumed)
        self.counts[Outcome.HIT] += 1
        self.journal.hit(entry)
        repeat = Repeat(session.state, entry, stencil.nows) if repeats and not session.scrubs else None
        return Rendered(entry.status, stencil.reason, head, body, moments, repeat)


def _outcome_of(error: ChatproxyError) -> Outcome:
    return Outcome.MISS if isinstance(error, MissError) else Outcome.ERROR
