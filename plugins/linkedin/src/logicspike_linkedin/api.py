"""LinkedIn's API on behalf of one account: addresses, headers, and refusals by the error table."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import quote

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from yarl import URL

from logicspike.plugin import (
    Account,
    Credential,
    Operation,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    oauth2,
)

from .errors import TABLE, TokenNotActiveYet
from .refusals import FOR_A_PAGE, FRESH, RENEWABLE, read_refusal

__all__ = [
    "MEMBER_SCOPE",
    "PAGES",
    "PAGE_SCOPE",
    "Api",
    "Sleep",
    "author_urn",
    "encode",
    "is_fresh",
    "is_page",
    "naming_linkedin",
    "wait_until_active",
]

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

PAGES: Final = "organization"
"""The credential set whose developer app has LinkedIn's Community Management API."""
MEMBER_SCOPE: Final = "w_member_social"
PAGE_SCOPE: Final = "w_organization_social"

# learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23
ACCESS_LIFETIME: Final = timedelta(days=60)
# How long LinkedIn may call a new token revoked (github.com/jclusso/omniauth-linkedin-openid/issues/6, checked
# 2026-11-23): seconds by all reports; a minute leaves room.
FRESH_FOR: Final = timedelta(minutes=1)

ACTIVE_TRIES: Final = 5
ACTIVE_WAIT: Final = wait_exponential(multiplier=1)
"""Between the tries: 1, 2, 4 and 8 seconds."""
ACTIVE_DEADLINE: Final = timedelta(seconds=17)
"""For pauses and calls all together: the member's browser is waiting, and the host gives a hook 20 seconds in all."""

_PAGE_URN: Final = "urn:li:organization:"


def is_page(account: Account) -> bool:
    """Whether this is a company page; else it's a member."""
    return account.id.startswith(_PAGE_URN)


def author_urn(account: Account) -> str:
    """What LinkedIn calls the account: members are kept by the bare id of their sign-in, pages by their URN."""
    return account.id if is_page(account) else f"urn:li:person:{account.id}"


def is_fresh(credential: Credential, now: datetime) -> bool:
    """Whether the access token was issued within the last minute, by a sign-in or by a refresh."""
    issued_at = [datetime.fromisoformat(credential.extra["issued_at"])] if "issued_at" in credential.extra else []
    if credential.tokens.expires_at is not None:
        issued_at.append(credential.tokens.expires_at - ACCESS_LIFETIME)
    return any(abs(now - each) < FRESH_FOR for each in issued_at)


def encode(value: str) -> str:
    """A URN, or any text, as one piece of a Rest.li address: its colons and brackets must not stay as they are.

    learn.microsoft.com/linkedin/shared/api-guide/concepts/protocol-version, checked 2026-11-25.
    """
    return quote(value, safe="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Calls on behalf of one account, for one operation.

    Attributes:
        ctx: the context the hook was given.
        credential: whose tokens are sent.
        operation: what is being done, for the error table.
        given: what the error table should know besides.
    """

    ctx: PlatformContext
    credential: Credential
    operation: Operation
    given: tuple[str, ...] = ()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: object = None,
        restli_method: str = "",
        creates: bool = False,
    ) -> oauth2.Reply:
        """Make one call of the API.

        Args:
            method: the HTTP method.
            path: from the origin on, its pieces encoded.
            query: values already encoded, for Rest.li's own brackets and commas must stay as they are.
            json: the body.
            restli_method: what Rest.li calls this, where the HTTP method says too little ("FINDER").
            creates: whether the call publishes something.

        Raises:
            PlatformError: by the table in ``errors``.
        """
        address = f"{self.ctx.endpoints['api']}{path}"
        if query:
            address += "?" + "&".join(f"{name}={value}" for name, value in query.items())
        with naming_linkedin():
            reply = await oauth2.call(
                self.ctx,
                method,
                URL(address, encoded=True),
                tokens=self.credential.tokens,
                json=json,
                headers=self._headers(path, restli_method),
                creates=creates,
            )
        if not reply.ok:
            raise self.to_error(reply)
        return reply

    def to_error(self, reply: oauth2.Reply) -> PlatformError:
        """What an answer that isn't the wished one means."""
        account = self.credential.account
        conditions = {
            FRESH: is_fresh(self.credential, self.ctx.now),
            RENEWABLE: self.credential.tokens.refresh_token is not None,
            FOR_A_PAGE: is_page(account) or self.ctx.credential_set == PAGES,
        }
        given = (*self.given, *(condition for condition, holds in conditions.items() if holds))
        scope = PAGE_SCOPE if conditions[FOR_A_PAGE] else MEMBER_SCOPE
        return TABLE.to_error(read_refusal(self.ctx, reply, self.operation, given=given, scope=scope))

    def _headers(self, path: str, restli_method: str) -> dict[str, str]:
        headers = {"X-Restli-Protocol-Version": "2.0.0"}
        if path.startswith("/rest/"):
            headers["LinkedIn-Version"] = self.ctx.settings["version"]
        if restli_method:
            headers["X-RestLi-Method"] = restli_method
        return headers


async def wait_until_active(call: Callable[[], Awaitable[T]], sleep: Sleep) -> T:
    """Make a call with a token that LinkedIn gave moments ago and may not know yet; ask again for some seconds.

    Raises:
        PlatformUnavailable: it took too long.
        PlatformError: by the table in ``errors``; ``TokenNotActiveYet`` when the token still isn't taken.
    """

    async def attempt() -> T:  # tenacity awaits what is declared async only
        return await call()

    retrying = AsyncRetrying(
        sleep=sleep,
        stop=stop_after_attempt(ACTIVE_TRIES),
        wait=ACTIVE_WAIT,
        retry=retry_if_exception_type(TokenNotActiveYet),
        reraise=True,
    )
    try:
        async with asyncio.timeout(ACTIVE_DEADLINE.total_seconds()):
            return await retrying(attempt)
    except TimeoutError as error:
        raise PlatformUnavailable("LinkedIn took too long to say who signed in. Please try again.") from error


@contextmanager
def naming_linkedin() -> Iterator[None]:
    """Word lost answers for people, keeping their class and, as the cause, what was said first."""
    try:
        yield
    except (PlatformUnavailable, OutcomeUnknown) as error:
        if error.__cause__ is None:
            raise  # an answer, worded by the error table
        if isinstance(error, OutcomeUnknown):
            raise OutcomeUnknown(
                "LinkedIn gave no answer, so the post may be live. Look at your profile or page before posting it "
                "again."
            ) from error
        raise PlatformUnavailable(
            "LinkedIn can't be reached or is having trouble. Please try again in a few minutes."
        ) from error
