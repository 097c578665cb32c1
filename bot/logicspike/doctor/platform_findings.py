"""Looks at each platform as far as that goes without a member: our app there, the way to it, and what to register."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from ..platforms import Platforms
from ..plugin import PlatformError
from .findings import Finding, bad, good, unchecked

__all__ = ["look_at_platform", "look_for_platforms"]

_CALL_LIMIT: Final = aiohttp.ClientTimeout(total=5)


async def look_for_platforms(platforms: Platforms) -> tuple[Finding, ...]:
    """Look which platforms are left out, and whether there is any at all."""
    if not platforms.names and not platforms.quarantined:
        return (bad("No platform is installed. Install one, for example: pip install logicspike-NAME"),)
    return tuple(bad(f"{name} is left out: {reason}") for name, reason in platforms.quarantined.items())


async def look_at_platform(platforms: Platforms, name: str, *, public_url: str) -> tuple[Finding, ...]:
    """Look at one platform; it is asked for nothing but whether it answers.

    Args:
        platforms: the installed ones.
        name: the platform's.
        public_url: where the bot is reached.
    """
    apps = ["", *(each.credential_set for each in platforms.list_optional(name))]
    if not any(platforms.is_ready(name, each) for each in apps):
        return tuple(_inspect_apps(platforms, name))
    findings = await _reach(platforms, name)
    return (*findings, *_inspect_apps(platforms, name), *_name_addresses(platforms, name, public_url.rstrip("/")))


async def _reach(platforms: Platforms, name: str) -> list[Finding]:
    origins = sorted(set(platforms.endpoints(name).values()))
    async with (
        aiohttp.ClientSession(
            timeout=_CALL_LIMIT,
            headers={"User-Agent": f"LogicSpike/{importlib.metadata.version('logicspike')}"},
        ) as session,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(_ask(session, origin)) for origin in origins]
    troubles = [(origin, trouble) for origin, task in zip(origins, tasks, strict=True) if (trouble := task.result())]
    if troubles:
        return [bad(f"{origin} can't be reached: {trouble}") for origin, trouble in troubles]
    return [good(f"{' and '.join(urlsplit(origin).netloc for origin in origins)} can be reached.")]


async def _ask(session: aiohttp.ClientSession, origin: str) -> str:
    """What keeps us from an origin; "" when anything at all answers there, be it an error page."""
    try:
        async with session.get(f"{origin}/", allow_redirects=False):
            return ""
    except TimeoutError:
        return f"no answer within {_CALL_LIMIT.total:.0f} seconds. Does a firewall hold back the bot's way out?"
    except aiohttp.ClientConnectorDNSError:
        return "its name can't be resolved. Does this computer have a way out, and a name server?"
    except aiohttp.ClientSSLError:
        return "its certificate can't be verified. Is a proxy in between, or are this computer's certificates old?"
    except aiohttp.ClientError:
        return "the connection fails. Does this computer have a way out, without a proxy?"


def _inspect_apps(platforms: Platforms, name: str) -> Iterator[Finding]:
    yield from _inspect(platforms, name)
    for each in platforms.list_optional(name):
        if platforms.is_untouched(name, each.credential_set):
            problems = " ".join(platforms.problems(name, each.credential_set))
            yield good(f"Optional and not set up: {each.title}. {problems}")
        else:
            yield from _inspect(platforms, name, each.credential_set, subject=f"{each.title}: ")


def _inspect(platforms: Platforms, name: str, credential_set: str = "", *, subject: str = "") -> Iterator[Finding]:
    if problems := platforms.problems(name, credential_set):
        yield from (bad(f"{subject}{problem}") for problem in problems)
        return
    try:
        notes = platforms.inspect(name, credential_set)
    except PlatformError:
        yield bad(f"{subject}The plugin failed to look at its set-up, which is a bug: tell its author.")
        return
    if not platforms.get(name).needs_client:
        yield good(f"{subject}It needs no developer app: the bot registers itself where members sign in.")
    elif not notes:
        yield good(f"{subject}The credentials are set.")
    yield from (Finding(level=note.level, text=f"{subject}{note.message}") for note in notes)


def _name_addresses(platforms: Platforms, name: str, public_url: str) -> Iterator[Finding]:
    """What to register at the platform; at the end of the line, so that it can be copied."""
    platform = platforms.get(name)
    address = f"{public_url}/api/auth/{name}"
    if platform.needs_client:
        has_more = any(platforms.is_ready(name, each.credential_set) for each in platforms.list_optional(name))
        where = f"{platform.title}, in each of your apps there," if has_more else platform.title
        yield unchecked(
            f"Whether {where} has this redirect URL can't be seen from here. It must, letter by letter: "
            f"{address}/callback"
        )
    for event in platform.events:
        yield unchecked(f"Likewise this address for the callback {event}: {address}/{event}")
