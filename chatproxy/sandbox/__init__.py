"""The sandbox: our own stand-in for the Message resource of Twilio Programmable Chat v1."""

from chatproxy.sandbox.api import Sandbox, SandboxSettings

__all__ = ["Sandbox", "SandboxSettings"]
