"""Exchanges with plain numbers, as tests spell them."""

from chatproxy.core.model import Exchange, ExchangeNumber, Request, Response, Standing


def numbered(  # noqa: PLR0917 - in the order of an exchange
    number: int,
    request: Request,
    response: Response,
    upstream: str,
    asked: int,
    answered: int,
    after: int = 0,
    user: str | None = None,
    standing: Standing | None = None,
) -> Exchange:
    """Return an exchange of these numbers."""
    return Exchange(
        ExchangeNumber(number),
        request,
        response,
        upstream,
        asked,
        answered,
        ExchangeNumber(after),
        user,
        standing,
    )
