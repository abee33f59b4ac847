"""What errors of other libraries and of the system mean, in words of our own.

1. Their texts are never shown, kept or logged: they repeat what was received, a header field with a secret among it.
2. What is said follows from an error's kind, from numbers, and from OpenSSL's and the system's own fixed names.

Kinds are told by their names, so that no library is loaded for it.
"""

import os
import re

_KINDS = {
    "aiohttp.BadHttpMethod": "the method is malformed",
    "aiohttp.BadStatusLine": "the first line is malformed",
    "aiohttp.InvalidURLError": "the target is malformed",
    "aiohttp.InvalidHeader": "a header field is malformed",
    "aiohttp.LineTooLong": "a line is too long",
    "aiohttp.TransferEncodingError": "a chunk is malformed or missing",
    "aiohttp.ContentLengthError": "the body is shorter than its Content-Length",
    "aiohttp.BadHttpMessage": "the message is malformed",
    "aiohttp.PayloadEncodingError": "the body is malformed",
    "aiohttp.ClientPayloadError": "the body is not whole",
    "aiohttp.RequestPayloadError": "the body is not whole",
    "aiohttp.ClientResponseError": "it is no HTTP/1.1",
    "aiohttp.ServerDisconnectedError": "the connection ended before the answer was whole",
    "aiohttp.ClientConnectionResetError": "the connection ended before the request was sent",
    "aiohttp.ClientConnectorDNSError": "its name cannot be resolved",
    "socket.gaierror": "its name cannot be resolved",
    "builtins.TimeoutError": "it took too long",
    "builtins.UnicodeDecodeError": "it is no UTF-8",
    "tomllib.TOMLDecodeError": "it is no TOML",
}
"""Kinds of errors, by their packages and names, and what each means."""

_CERTIFICATES = {
    **dict.fromkeys(
        (2, 18, 19, 20, 21), "no authority that is trusted has signed its certificate (--upstream-ca FILE trusts one)"
    ),
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    **dict.fromkeys((62, 64), "its certificate is for another name"),
}
"""By the codes of https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/."""


def reason(error: BaseException) -> str:
    """Say what an error means, without its text."""
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    if isinstance(inner, BaseException) and _known(error) is None:
        return reason(inner)
    if _names(error)[0] in _WRAPPERS and error.__cause__ is not None and (words := _known(error.__cause__)):
        return words
    return _by_value(error) or _known(error) or f"an error of the kind {type(error).__name__}"


_WRAPPERS = {"aiohttp.ClientResponseError", "aiohttp.ClientPayloadError", "aiohttp.RequestPayloadError"}


def _by_value(error: BaseException) -> str | None:
    """Say what the numbers and names that an error carries mean."""
    kinds = _names(error)
    if "ssl.SSLCertVerificationError" in kinds:
        code = getattr(error, "verify_code", 0)
        return f"certificate verify failed: {_CERTIFICATES.get(code, f'OpenSSL has code {code} for it')}"
    if "ssl.SSLError" in kinds:
        name = getattr(error, "reason", None) or ""
        return f"TLS failed ({name if re.fullmatch(r'[A-Z0-9_]+', name) else 'no name'})"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    if "json.JSONDecodeError" in kinds:
        return f"line {getattr(error, 'lineno', 0)}, column {getattr(error, 'colno', 0)}"
    if "tomllib.TOMLDecodeError" in kinds and (found := re.search(r"at (line \d+, column \d+)\)$", str(error))):
        return f"it is no TOML: {found[1]}"  # a place that Python's versions before 3.14 tell in the text alone
    return None


def _known(error: BaseException) -> str | None:
    return next((_KINDS[name] for name in _names(error) if name in _KINDS), None)


def _names(error: BaseException) -> list[str]:
    return [f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(error).__mro__]


def trace(error: BaseException | None) -> str:
    """Return where an error and those before it were raised, and of which kinds they are."""
    import traceback  # noqa: PLC0415 - most runs have none to show

    parts: list[str] = []
    while error is not None and len(parts) < _LONGEST:
        kind = type(error)
        parts.append("".join(traceback.format_tb(error.__traceback__)) + f"{kind.__module__}.{kind.__qualname__}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nand then\n".join(reversed(parts)) or "no trace"


_LONGEST = 20
