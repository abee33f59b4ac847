"""Exchanges with plain numbers, as tests spell them, and what a client sends that asks for one again."""

from collections.abc import Iterable
from dataclasses import replace

from strategies import basic

from chatproxy.core.matching.users import Users, admitted
from chatproxy.core.model import (
    NO_CREDENTIALS,
    OTHER_CREDENTIALS,
    Exchange,
    ExchangeNumber,
    Request,
    Response,
    Standing,
)
from chatproxy.core.timeline.standing import Role
from chatproxy.core.timeline.standing import Standing as Stands
from chatproxy.core.timeline.states import Where


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


def users_of(recorded: Iterable[Exchange]) -> Users:
    """Return who sent these exchanges."""
    users: dict[str | None, bool] = {}
    for one in recorded:
        users[one.user] = users.get(one.user, False) or admitted(one)
    return Users(users)


def as_sent(exchange: Exchange) -> Request:
    """Return a request with the credentials with which it was recorded."""
    user, request = exchange.user, exchange.request
    if user is None or user == NO_CREDENTIALS:
        return request
    field = (b"Authorization", b"Bearer x") if user == OTHER_CREDENTIALS else basic(user.encode(), b"x")
    return replace(request, headers=(*request.headers, field))


STANDING = Stands(Role.READ, Where((), 0, False), (0,))
"""Where it makes no difference where an exchange stands."""
