"""Looks at what the bot itself needs: settings, keys, database, clock, Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from ..clock import SystemClock
from ..key_file import KeyFileBroken, load_key_file
from ..services.ports import StoreUnavailable
from ..settings import Settings, is_loopback
from ..slack.client import build_client
from ..slack.manifest import SCOPES
from ..store.opening import StoreNotUsable, open_stores
from ..vault import parse_key_ring
from .findings import Finding, bad, good, warning

__all__ = ["look_at_database", "look_at_settings", "look_at_slack"]

_CLOCK_LIMIT: Final = timedelta(seconds=30)
_CALL_LIMIT: Final = aiohttp.ClientTimeout(total=10)


async def look_at_settings(settings: Settings) -> tuple[Finding, ...]:
    """Look at what is set, and at the keys; the embedded database's key is made when it isn't there yet."""
    return tuple(_settings(settings))


def _settings(settings: Settings) -> Iterator[Finding]:
    for problem in settings.missing_for_serving():
        yield bad(str(problem))
    yield _public_url(settings)
    if urlsplit(settings.public_url).path.strip("/"):
        yield warning(
            "PUBLIC_URL has a path; redirect URLs are safer to register without one. Use a host name of its own."
        )
    if settings.logicspike_keys is not None or settings.mongodb_uri is None:
        yield _keys(settings)


async def look_at_database(settings: Settings) -> tuple[Finding, ...]:
    """Look whether the database answers, and whether its clock agrees; the embedded one is made when it isn't there."""
    return tuple([finding async for finding in _database(settings)])


async def look_at_slack(settings: Settings) -> tuple[Finding, ...]:
    """Ask Slack who the bot is and what it may; nothing is posted."""
    return tuple([finding async for finding in _slack(settings)])


def _public_url(settings: Settings) -> Finding:
    if is_loopback(settings.public_url):
        return bad(
            f"PUBLIC_URL is {settings.public_url}: only this computer can open it. "
            "Set it to the https address by which browsers reach the bot."
        )
    return good(f"PUBLIC_URL is {settings.public_url}")


def _keys(settings: Settings) -> Finding:
    try:
        if settings.logicspike_keys is None:
            load_key_file(settings.logicspike_data_dir)
            return good(f"The key that seals sign-ins is in {settings.logicspike_data_dir}; back it up.")
        ring = parse_key_ring(settings.logicspike_keys.get_secret_value())
    except KeyFileBroken as error:
        return bad(str(error))
    except ValueError as error:
        return bad(f"LOGICSPIKE_KEYS is not right: {error}.")
    return good(f"{len(ring.keys)} key(s); {ring.writing_id} seals.")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    uri = settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else None
    try:
        async with open_stores(
            uri,
            database_name=settings.mongodb_database,
            driver=settings.mongodb_driver,
            folder=settings.logicspike_data_dir,
        ) as stores:
            where = "" if uri else f" (embedded, in {settings.logicspike_data_dir})"
            yield good(f"The database answers{where}.")
            machine = SystemClock()
            offset = machine.difference(await stores.read_time(machine.steady))
    except StoreNotUsable as error:
        yield bad(str(error))
        return
    except StoreUnavailable as error:
        yield bad(f"{error} Is it running, and is MONGODB_URI right?")
        return
    if abs(offset) > _CLOCK_LIMIT:
        direction = "behind" if offset > timedelta(0) else "ahead of"
        yield bad(
            f"This computer's clock is {abs(offset).total_seconds():.0f} s {direction} the database's; "
            "Slack refuses requests at 300 s. Switch on time synchronisation (NTP)."
        )
    else:
        yield good("The clock agrees with the database's.")


async def _slack(settings: Settings) -> AsyncIterator[Finding]:
    if settings.slack_bot_token is None:
        return
    token = settings.slack_bot_token.get_secret_value()
    async with aiohttp.ClientSession(timeout=_CALL_LIMIT) as session:
        client = build_client(token=token, api_url=settings.slack_api_url, session=session)
        try:
            answer = await client.auth_test()
        except SlackApiError as error:
            yield _refused(error.response.get("error"), settings.slack_api_url)
            return
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError):
            yield bad(f"Slack can't be reached at {settings.slack_api_url}. Does this computer have a way out?")
            return
    yield good(f"Slack knows the bot, in the workspace {answer.get('team')}.")
    header = {name.lower(): value for name, value in answer.headers.items()}.get("x-oauth-scopes")
    if header is None:
        return
    missing = set(SCOPES) - {scope.strip() for scope in str(header).split(",")}
    if missing:
        yield bad(
            f"The bot token lacks {', '.join(sorted(missing))}. "
            "Paste the manifest (`logicspike manifest`) into your Slack app and install it again."
        )
    else:
        yield good("The bot token has all the scopes it needs.")


def _refused(error: object, address: str) -> Finding:
    if not error:
        # Slack always names the error: a proxy's or a sign-in page does not.
        return bad(f"Slack can't be reached: something else answers at {address}. Is a proxy in between?")
    return bad(
        f"Slack refuses SLACK_BOT_TOKEN ({error}). "
        "Copy it again from OAuth & Permissions on your Slack app's page, and look whether the app is still installed."
    )
