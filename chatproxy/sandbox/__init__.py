"""The sandbox: our own stand-in for the Message resource of Twilio Programmable Chat v1.

1. It knows nothing of record and replay: of ``core`` it uses errors, grammar and the tables of products alone.
2. The same seed and the same order of requests give the same answers.

Read: api, calls, operations, messages, paging.
"""

from chatproxy.sandbox.api import Sandbox, SandboxSettings

__all__ = ["Sandbox", "SandboxSettings"]
