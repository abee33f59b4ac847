"""Makes exchanges of what was forwarded and answered: numbered, and without credentials."""

from chatproxy.core.credentials.blanking import Blankers
from chatproxy.core.http.admission import check_answer
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, Forward, Headers, Response, is_read

_FIRST = ExchangeNumber(1)


class Recorder:
    """Records the cassette ``name``.

    Exchanges are numbered from ``first`` on in the order of their answers; ``last_write`` is the number of the
    last write answered, also of one that was there before; 0 if there is none. ``besides`` are header fields with
    credentials that requests get on the way, and that are blanked as the client's.
    """

    def __init__(
        self,
        name: str,
        upstream: str,
        first: ExchangeNumber = _FIRST,
        last_write: ExchangeNumber = NO_EXCHANGE,
        besides: Headers = (),
    ) -> None:
        self.name = name
        self._upstream = upstream
        self._next = first
        self._blankers = Blankers(besides)
        self.last_write = last_write

    def exchange(self, forward: Forward, response: Response, answered: int, *, abandoned: bool = False) -> Exchange:
        """Make the exchange of an answer that came at this moment (microseconds since 1970).

        It was ``abandoned`` if its client had gone by then.

        A clock that was set back meanwhile does not let it come before its request. Raises UpstreamError for an answer
        that cannot be taken; then nothing has a number.
        """
        check_answer(response)
        blanker = self._blankers.of(forward.request.headers)
        request, answer = blanker.exchange(forward.request, response)
        number, self._next = self._next, ExchangeNumber(self._next + 1)
        if not is_read(request.method):
            self.last_write = number
        return Exchange(
            number=number,
            request=request,
            response=answer,
            upstream=self._upstream,
            asked=forward.asked,
            answered=max(answered, forward.asked),
            after=forward.after,
            user=blanker.user,
            abandoned=abandoned,
        )
