"""Record and replay Twilio Programmable Chat v1 messages through an HTTP proxy."""

__version__ = "0.1.0"
