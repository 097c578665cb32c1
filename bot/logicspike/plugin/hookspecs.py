"""The hooks a platform plugin implements: pluggy specifications, one platform per call.

A plugin is a module. Facts and checks are plain functions without I/O; everything that may talk to the platform is
``async def``. A hook implementation takes any of the arguments below by name, without defaults, not keyword-only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from .types import (
        Account,
        AuthorizationGrant,
        AuthorizationLink,
        AuthorizationRequest,
        Credential,
        Platform,
        PlatformContext,
        Post,
        Problem,
        PublishedPost,
        TokenSet,
    )

__all__ = ["PROJECT", "hookimpl", "hookspec"]

PROJECT: Final = "logicspike"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# mypy: disable-error-code="empty-body"

# --- facts and checks: plain functions, no I/O ---------------------------------------------------------------------


@hookspec(firstresult=True)
def describe() -> Platform:
    """Return this platform's facts. Required. Called once, while the bot starts.

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
def validate(account: Account, post: Post) -> Sequence[Problem]:
    """List what the platform would reject, worded for the author; ``()`` means fine. Optional.

    Called when a member schedules and again just before publishing. Without it only ``Platform.limits`` is checked.

    .. versionadded:: 0.1
    """


# --- authorization ---------------------------------------------------------------------------------------------------


@hookspec(firstresult=True)
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """Build the link a member opens. Required. Called at the click, so the link may be short-lived.

    ``request.state``, ``request.redirect_uri`` and ``request.code_challenge`` go in unchanged. Raises
    ``OperatorActionRequired`` or ``PlatformUnavailable`` where building the link takes a call.

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code for tokens and say whose they are. Required. Called inside the callback request, at once.

    Raises ``AuthorizationFailed`` (code refused, permission missing), ``OperatorActionRequired`` (our secret is
    refused) or ``PlatformUnavailable``.

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
async def accounts(ctx: PlatformContext, credential: Credential) -> Sequence[Credential]:
    """List the pages or organisations this grant can post as, each with the tokens to use. Optional.

    Called right after ``exchange``. One: it is connected at once. Several: the member chooses in Slack. None: the
    member is told that there is nothing to post to. Without the hook, the exchanged credential is the only one.

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
async def refresh(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Get new tokens. Required. Called by one process at a time for one connection.

    Where tokens have an end and a refresh token, they are renewed ahead of need, at 75 to 85 % of their life and well
    before ``Platform.refresh_margin_seconds``; others when a post meets them within that margin, or after a
    ``TokenExpired``.

    A returned ``refresh_token`` of None keeps the stored one. Raises ``ReconnectRequired`` when only the member can
    help; anything transient is ``PlatformUnavailable`` or ``RateLimited`` and never ends a connection.

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
async def revoke(ctx: PlatformContext, credential: Credential) -> None:
    """Invalidate the tokens at the platform. Optional. Called on disconnect; our copy is erased whatever happens.

    .. versionadded:: 0.1
    """


# --- publishing -------------------------------------------------------------------------------------------------------


@hookspec(firstresult=True)
async def publish(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
    """Publish once, with one request that creates the post, never retried here. Required.

    ``post.key`` is the same on every try of the same delivery. May raise every class of the error tree but
    ``AuthorizationFailed``; what cannot be told for sure is ``OutcomeUnknown``.

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
async def find_published(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost | None:
    """Look for a post whose outcome is unknown: return it if it did go out, else None. Optional.

    .. versionadded:: 0.1
    """
