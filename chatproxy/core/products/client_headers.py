"""The header fields by which clients tell what they are, and that tell nothing of a program. In lower case."""

ENVIRONMENT = {
    b"user-agent": b"canonical",
    b"x-twilio-client": b"canonical",
    b"accept-encoding": b"identity",
    b"accept-charset": b"utf-8",
}
"""What differs from machine to machine, each with the one value that a fixture has."""
