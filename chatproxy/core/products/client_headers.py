"""The header fields by which clients tell what they are, and those by which they set conditions. In lower case."""

ENVIRONMENT = {
    b"user-agent": b"canonical",
    b"x-twilio-client": b"canonical",
    b"accept-encoding": b"identity",
    b"accept-charset": b"utf-8",
}
"""What differs from machine to machine, each with the one value that a fixture has."""

TAGGED = frozenset({b"if-match", b"if-none-match", b"if-range"})
"""The conditions that send entity tags back."""

DATED = frozenset({b"if-modified-since", b"if-unmodified-since", b"if-range"})
"""The conditions that send a time back."""

CONDITIONAL = TAGGED | DATED | {b"range"}
"""What makes an answer another one, or a part of one: it counts in every match."""
