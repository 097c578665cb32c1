"""Whether the process is alive, and whether it is ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

__all__ = ["Health", "HealthReport", "health_routes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What works: a short word per part, "ok" or what is wrong; ready when all of ``required`` are "ok"."""

    required: Mapping[str, str]
    platforms: Mapping[str, str]

    @property
    def is_ready(self) -> bool:
        """Whether every required part works."""
        return all(word == "ok" for word in self.required.values())


class Health(Protocol):
    """Looks at the parts of the bot."""

    async def check(self) -> HealthReport:
        """Look now; never raises."""
        ...


def health_routes(health: Health) -> list[web.RouteDef]:
    """``/healthz`` answers while the process lives, ``/readyz`` only while it can do its work."""

    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(_request: web.Request) -> web.Response:
        report = await health.check()
        body = {
            "status": "ready" if report.is_ready else "not ready",
            **report.required,
            "platforms": dict(report.platforms),
        }
        return web.json_response(body, status=200 if report.is_ready else 503)

    return [web.get("/healthz", alive), web.get("/readyz", ready)]
