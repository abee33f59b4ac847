"""Whose recorded exchanges may answer whom: who sent a request takes part in a match, though not in its key.

The laws:

1. What was recorded with credentials never answers a request without them, nor the other way round. What was recorded
   with credentials that are not known answers both.
2. A request without credentials that was answered 401 is answered so again, whatever else was recorded.
3. Of what was recorded with credentials, that of the same user answers; else that of a user of the same kind (an
   account, an API key, another), else any other. Where several accounts recorded, what one of them was answered is
   given to no other of them, and whoever else asks counts as the first. A user who was only refused (401) is not one of
   those who recorded, but is refused again.

An account that the recording does not have gets here only where SIDs are served as recorded. Else it stands for one of
those that recorded, or is refused before anything is looked up (core/replay/known.py).

To that end an exchange is found in one or more *spaces*, and a request looks into one after another; the first that has
its key decides. Most cassettes have one user, and all is in one space.
"""

from collections.abc import Mapping
from hashlib import blake2b
from http import HTTPStatus

from chatproxy.core.model import NO_CREDENTIALS, Exchange, RecordedSid
from chatproxy.core.products.sid_types import ACCOUNT

ANY, REFUSED, NONE, NOT_KNOWN = "", "401", NO_CREDENTIALS, "not known"
"""The spaces that are of no user or kind: the first is without what accounts recorded where these are several, and the
second has the shapes of requests in place of their keys."""


def is_challenge(exchange: Exchange) -> bool:
    """Tell whether an answer says no more than that credentials are needed: such a one holds in any state."""
    return exchange.user == NO_CREDENTIALS and exchange.response.status == HTTPStatus.UNAUTHORIZED


def admitted(exchange: Exchange) -> bool:
    """Tell whether who sent a request was known to the upstream."""
    return exchange.response.status != HTTPStatus.UNAUTHORIZED


class Users:
    """The users of one cassette, each as an exchange has it, and whether it was ever admitted."""

    def __init__(self, users: Mapping[str | None, bool] | None = None) -> None:
        users = users or {}
        self.all = tuple(users)
        self._refused = {user for user, is_admitted in users.items() if user not in {None, NONE} and not is_admitted}
        self._known = [user for user in self.all if user and user not in {NONE, *self._refused}]
        self.accounts = self.of_type(ACCOUNT)
        self.are_several = len(self._known) > 1

    def of_type(self, letters: str) -> list[str]:
        """Return the users of a type of SIDs that were admitted, in the order of their first requests."""
        return [user for user in self._known if _kind(user) == letters]

    def spaces_of(self, exchange: Exchange) -> tuple[str, ...]:
        """Return the spaces in which an exchange is found."""
        user = exchange.user
        if user == NONE:
            return (NONE,)
        if user is None:
            return (ANY,) if self.all == (None,) else (ANY, NOT_KNOWN)
        if user in self._refused:
            return (user,)
        if not self.are_several:
            return (ANY,)
        of_all = () if self._are_apart(_kind(user)) else (ANY,)
        return tuple(dict.fromkeys((*of_all, user, _kind(user))))

    def spaces_for(self, user: str, account: RecordedSid | None) -> tuple[str, ...]:
        """Return the spaces in which to look for what answers a user, given as recorded; ``account`` is the first."""
        if self.all == (None,):
            return (ANY,)
        if user == NONE:
            return (NONE, NOT_KNOWN)
        refused = [user] if user in self._refused else []
        if not self.are_several:
            return (*refused, ANY)
        own = [user] if user in self._known else refused
        first = [account.decode()] if account and self._are_apart(ACCOUNT) else []
        if not self._are_apart(_kind(user)):
            return tuple(dict.fromkeys((*own, _kind(user), *first, ANY)))
        return (user, ANY) if user in self._known else tuple(dict.fromkeys((*own, *first, ANY)))

    def _are_apart(self, kind: str) -> bool:
        """Tell whether users of a kind are not given what others of it were answered: several accounts."""
        return kind == ACCOUNT and len(self.accounts) > 1


def spaced(key: bytes, space: str) -> bytes:
    """Return the key under which a request is found in a space."""
    return key if space == ANY else key[:1] + blake2b(key + space.encode(), digest_size=16).digest()


def asking(shape: bytes) -> bytes:
    """Return the key under which what asks for credentials is found, for requests of this shape."""
    return spaced(shape, REFUSED)


def _kind(user: str) -> str:
    """Name the kind of a user by the letters of its SID's type; of one without a SID these are two others."""
    return user[:2]
