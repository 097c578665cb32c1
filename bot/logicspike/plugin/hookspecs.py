"""The hooks a platform plugin implements: pluggy specifications, one platform per call.

A plugin is a module. Facts and checks are plain functions without I/O; everything that may talk to the platform is
``async def``. A hook implementation takes any of the arguments below by name, without defaults, not keyword-only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from .media import LinkCard, MediaFile
    from .setup_notes import SetupNote
    from .types import (
        AccessReport,
        Account,
        AuthorizationGrant,
        AuthorizationLink,
        AuthorizationRequest,
        Credential,
        OAuthClient,
        Platform,
        PlatformContext,
        PlatformEvent,
        PlatformEventOutcome,
        Post,
        Prepared,
        Problem,
        PublishedPost,
        TextLength,
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

    Called for each part of a post when a member schedules, and again just before publishing. ``Platform.limits`` for
    media and parts are checked by the host in any case; the length is checked by it only without this hook.

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
def measure(account: Account, post: Post) -> TextLength:
    """Count the text as the platform does, for the "212 of 280" that members see while they write. Optional.

    Without it code points are counted, against ``Limits.max_chars``.

    .. versionadded:: 0.2
    """


@hookspec(firstresult=True)
def inspect(
    client: OAuthClient, credential_set: str, settings: Mapping[str, str], now: datetime
) -> Sequence[SetupNote]:
    """Say what can be told of the operator's set-up without asking the platform, for ``logicspike doctor``. Optional.

    Called for each developer app whose id and secret are set: do they look like the platform's, is the chosen version
    of its API still served? What can't be seen from here, such as the platform's review of the app, is named too, with
    where to look. The host itself looks whether the platform can be reached, and prints the redirect URL.

    .. versionadded:: 0.2
    """


# --- authorization ---------------------------------------------------------------------------------------------------


@hookspec(firstresult=True)
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """Build the link a member opens. Required. Called at the click, so the link may be short-lived.

    ``request.state``, ``request.redirect_uri`` and ``request.code_challenge`` go in unchanged. Raises
    ``OperatorActionRequired`` or ``PlatformUnavailable`` where building the link takes a call, and
    ``AuthorizationFailed`` where the server that the member chose is none of this platform's.

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
async def revoke(ctx: PlatformContext, credential: Credential, is_last: bool) -> None:
    """Invalidate the tokens at the platform. Optional. Called on disconnect; our copy is erased whatever happens.

    ``is_last`` tells whether no other connection of ours, in any workspace, stands on the same ``grant_id``: where
    withdrawing would end a grant that others share, withdraw only then.

    .. versionadded:: 0.1
    .. versionchanged:: 0.2 ``is_last``
    """


@hookspec(firstresult=True)
async def check(ctx: PlatformContext, credential: Credential) -> AccessReport:
    """Ask the platform whether a connection still works, and what it may. Optional. Called about once a day.

    Raises ``ReconnectRequired`` when it does not; permissions missing from the report are named to the member by the
    host. Anything transient changes nothing.

    .. versionadded:: 0.2
    """


@hookspec(firstresult=True)
async def receive(ctx: PlatformContext, event: PlatformEvent) -> PlatformEventOutcome:
    """Take a callback of the platform's own, such as "this person removed your app". Optional.

    Verify its signature first: anybody can send one. Raises ``PlatformEventRefused`` for what is not the platform's.

    .. versionadded:: 0.2
    """


# --- publishing -------------------------------------------------------------------------------------------------------


@hookspec(firstresult=True)
async def prepare(
    ctx: PlatformContext, credential: Credential, post: Post, files: Sequence[MediaFile], card: LinkCard | None
) -> Prepared:
    """Do ahead of time what ``publish`` can't do in one call: upload media, build a container, wait for both. Optional.

    Called some time before a post with media is due, and for one with a link where ``Platform.wants_link_card``.
    Nothing may be visible afterwards, for it may be called again: when it failed, or when what it made expires. It may
    take 30 minutes in all; waiting for the platform (processing, status) belongs here. A plugin that declares media, or
    wants link cards, must have it.

    .. versionadded:: 0.2
    """


@hookspec(firstresult=True)
async def publish(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """Publish once, with one request that creates the post, never retried here. Required.

    ``post.key`` is the same on every try of the same part. ``prepared`` is what ``prepare`` returned; None where it was
    not called for. Where the platform has forgotten it, raise ``PreparationLost``. May raise every class of the error
    tree but ``AuthorizationFailed``; what cannot be told for sure is ``OutcomeUnknown``.

    .. versionadded:: 0.1
    .. versionchanged:: 0.2 ``prepared``
    """


@hookspec(firstresult=True)
async def find_published(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost | None:
    """Look for a post whose outcome is unknown: return it if it did go out, else None. Optional.

    ``prepared`` is what the lost ``publish`` was given; the ids of its uploads tell posts of the same text apart. None
    must mean that it did not go out, for then it may be sent again: where the platform doesn't let this account look,
    raise ``OutcomeUnknown``, and the author is asked.

    .. versionadded:: 0.1
    .. versionchanged:: 0.2 ``prepared``
    """
