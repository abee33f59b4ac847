"""Calls the tests' own upstream without a client."""

import json
from typing import Any
from urllib.parse import urlencode

from laws.resources import SECOND
from laws.upstream import Given, Other, Quirks, Upstream

BEGIN = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z


class Caller:
    """Calls an upstream, one second after another."""

    def __init__(self, quirks: Quirks | None = None, others: tuple[Other, ...] = (), seeded: int = 1) -> None:
        self.upstream = Upstream(1, BEGIN, quirks=quirks or Quirks(), others=others, seeded=seeded)
        self.service = f"/v1/Services/{self.upstream.world.service}"
        self.root = self.upstream.world.root
        self.channel = f"{self.root}/{self.upstream.seeds[0]}" if seeded else ""
        self.now = BEGIN

    def ask(self, method: str, target: str, **form: str | list[str]) -> Given:
        """Call the upstream a second later."""
        self.now += SECOND
        return self.upstream.answer(method, target, urlencode(form, doseq=True).encode(), self.now)

    def told(self, method: str, target: str, **form: str | list[str]) -> Any:
        """Call it, and return what it says."""
        return json.loads(self.ask(method, target, **form).body)

    def listed(self, what: str = "Messages", query: str = "") -> list[Any]:
        """Return what a list of the channel says."""
        told = self.told("GET", f"{self.channel}/{what}{query}")
        found: list[Any] = told[told["meta"]["key"]]
        return found
