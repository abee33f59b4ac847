"""Credentials never reach the disk: which header fields are dropped, and how a live secret is blanked.

A secret (the password of Basic, the token of Bearer) is searched for in everything about to be stored, in every
encoding that ``spellings`` knows. The user name is no secret.
"""

import re
from dataclasses import replace
from functools import cached_property, lru_cache
from http import HTTPStatus
from itertools import chain

from chatproxy.core.credentials.carried import basic, secrets_of
from chatproxy.core.credentials.encodings import Glance, Searched, spellings
from chatproxy.core.credentials.linear import LinearSearch
from chatproxy.core.http.headers import AUTHORIZATIONS, end_to_end, fields_of_answer
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Headers, Request, Response, header_values
from chatproxy.core.products.sid_types import ACCOUNT, API_KEY
from chatproxy.core.twilio.sids import SID_LENGTH, SID_SEGMENT

MINIMUM_LENGTH = 16
"""Shorter passwords are not searched for: they would blank ordinary words."""

LONGEST_OF_PATTERNS = 512
"""Of longer secrets no patterns are made: it would take a second and more."""

MOST_FOR_PATTERNS = 2**22
"""Up to which product of both lengths patterns search a text for a secret: each place takes as long as the secret is.

It is 46 KB of text for the credentials of a request to Twilio.
"""

BLANK = b"__blanked__"
"""Of characters that stand for themselves in URLs, forms and JSON."""

_CREDENTIAL = re.compile(rb"authorization|cookie|token|secret|password|api-?key|signature", re.IGNORECASE)
"""Names of headers with credentials: Authorization, Cookie, Set-Cookie, X-Api-Key, X-Twilio-Signature and the like."""


@lru_cache(256)  # most messages have the same few names
def is_credential(name: bytes) -> bool:
    """Tell whether a header field of this name is never stored."""
    return _CREDENTIAL.search(name) is not None


def user_of(headers: Headers) -> str:
    """Return the Basic user name if it is a SID (an account's or an API key's), else which credentials there are."""
    given = [value for value in header_values(headers, b"authorization") if value.strip()]
    users = (basic(value)[0] for value in given)
    other = OTHER_CREDENTIALS if given else NO_CREDENTIALS
    return next((user.decode() for user in users if is_user_name(user)), other)


def is_user_name(user: bytes) -> bool:
    """Tell whether a Basic user name is an account's or an API key's SID; others are not kept."""
    return SID_SEGMENT.fullmatch(user) is not None and user[:2] in _USERS


def known_user(user: str | None, status: int) -> str | None:
    """Return who sent a request of a recording that may not tell: one that was answered 401 had no credentials."""
    return NO_CREDENTIALS if user is None and status == HTTPStatus.UNAUTHORIZED else user


_USERS = (ACCOUNT.encode(), API_KEY.encode())


class Blanker:
    """Blanks the secrets of one request wherever they occur, in it and in its response; ``user`` is who sent it.

    ``besides`` are header fields with credentials that are sent along on the way.
    """

    def __init__(self, headers: Headers, besides: Headers = ()) -> None:
        self.user = user_of(headers)
        found = secrets_of(headers) | secrets_of(besides)
        secrets = {secret for secret in found if len(secret) >= MINIMUM_LENGTH}
        self._secrets = sorted(secrets, key=len, reverse=True)
        self._longest = max(map(len, secrets), default=0)
        is_short = self._longest <= LONGEST_OF_PATTERNS
        self._spellings = [one for secret in self._secrets for one in spellings(secret)] if is_short else []
        self._glance = Glance(self._spellings)
        self.is_by_segments = is_short and not any(b"/" in one.sign_text for one in self._spellings)
        """Whether no secret can reach from one segment of a path into the next, as nearly none can."""
        self._in_sids = [one.literal for one in self._spellings if one.literal and len(one.literal) <= SID_LENGTH]

    def is_in_sid(self, sid: bytes) -> bool:
        """Tell whether a secret stands in a SID; only literals can, since all else has signs that no SID has."""
        return any(literal in sid or literal in sid.lower() for literal in self._in_sids)

    @cached_property
    def _linear(self) -> LinearSearch:
        return LinearSearch(self._secrets)

    def _is_long(self, size: int) -> bool:
        """Tell whether patterns would search texts of this size too slowly."""
        return self._longest > LONGEST_OF_PATTERNS or size * self._longest > MOST_FOR_PATTERNS

    def text(self, text: bytes) -> bytes:
        """Blank the secrets in one text."""
        if self._is_long(len(text)):
            return self._linear.blanked(text, BLANK)
        if not text or not self._glance.finds(text):
            return text
        searched = Searched.of(text)
        for spelling in self._spellings:
            if spelling.is_in(searched):
                searched = Searched.of(spelling.whole.sub(BLANK, searched.text))
        return searched.text

    def _is_clean(self, *texts: bytes) -> bool:
        """Tell whether none of these texts has a secret: one search for all takes a tenth of one for each.

        Where it would take long they are not searched twice.
        """
        if self._is_long(sum(map(len, texts))):
            return False
        return not self._glance.finds(b"\n".join(texts))

    def for_key(self, request: Request, *, headers_count: bool) -> Request:
        """Return a live request with those parts blanked that its key is made of, header fields only if they count."""
        if not headers_count and self._is_clean(request.target, request.body):
            return request
        target, body = self.text(request.target), self.text(request.body)
        headers = self.headers(request.headers) if headers_count else request.headers
        if target is request.target and headers is request.headers and body is request.body:
            return request
        return replace(request, target=target, headers=headers, body=body)

    def headers(self, headers: Headers) -> Headers:
        """Keep the end-to-end fields without those of credentials, and blank them."""
        return self._blanked(_kept(end_to_end(headers)))

    def _blanked(self, headers: Headers) -> Headers:
        return tuple((self.text(name), self.text(value)) for name, value in headers)

    def exchange(self, request: Request, response: Response) -> tuple[Request, Response]:
        """Return a request and its response as they may be stored."""
        asked, answered = _kept(end_to_end(request.headers)), _kept_of_answer(response, request.method)
        fields = chain.from_iterable((*asked, *answered))
        if self._is_clean(request.target, request.body, response.reason, response.body, *fields):
            return (
                Request(request.method, request.target, asked, request.body, request.origin, request.host),
                Response(response.status, response.reason, answered, response.body),
            )
        blanked = replace(
            request,
            target=self.text(request.target),
            headers=self._blanked(asked),
            body=self.text(request.body),
        )
        return blanked, self.response(response, request.method)

    def response(self, response: Response, method: str) -> Response:
        """Return a response to a request of this method as it may be stored."""
        return replace(
            response,
            reason=self.text(response.reason),
            headers=self._blanked(_kept_of_answer(response, method)),
            body=self.text(response.body),
        )


def _kept(headers: Headers) -> Headers:
    return tuple([header for header in headers if not is_credential(header[0])])


def _kept_of_answer(response: Response, method: str) -> Headers:
    return _kept(fields_of_answer(response.headers, method, response.status))


class Blankers:
    """Keeps the blankers of the credentials seen lately, since making one costs a thousand times its use."""

    _BOUND = 64

    def __init__(self, besides: Headers = ()) -> None:
        self._besides = besides
        self._by_credentials: dict[Headers, Blanker] = {}

    def of(self, headers: Headers) -> Blanker:
        """Return the blanker for the credentials in these headers."""
        credentials = tuple([field for field in headers if field[0].lower() in AUTHORIZATIONS])
        blanker = self._by_credentials.get(credentials)
        if blanker is None:
            if len(self._by_credentials) >= self._BOUND:
                self._by_credentials.clear()
            blanker = self._by_credentials[credentials] = Blanker(headers, self._besides)
        return blanker
