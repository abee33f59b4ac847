"""The header fields that Twilio's edge puts into the answers of every product, and that tell nothing. In lower case."""

FIXED = {
    b"etag": b'"0"',
    b"twilio-request-duration": b"0.000",
    b"twilio-concurrent-requests": b"1",
    b"via": b"1.1 canonical",
    b"age": b"0",
    b"x-cache": b"canonical",
}
"""What is said anew in every answer, each with the one value that a fixture has."""

FIXED_PREFIXES = {b"x-amz-cf-": b"canonical"}
"""Likewise for each field whose name begins so: the ids of Amazon's CloudFront, through which Twilio answers."""

VOLATILE = frozenset({b"date", b"last-modified", b"twilio-request-id", *FIXED})
"""What differs from answer to answer; beside ``FIXED`` those with an instant or a SID."""
