"""Everything a platform plugin may import at run time: one import, no other part of LogicSpike.

A plugin is a module with hook implementations, installed under the entry-point group ``logicspike.platforms``::

    from datetime import date

    from logicspike.plugin import (
        Account, AuthorizationLink, Credential, Limits, Platform, PublishedPost, TokenSet, hookimpl, oauth2,
    )

    @hookimpl
    def describe() -> Platform:
        return Platform(
            name="chirp", title="Chirp", scopes=("post",),
            limits=Limits(max_chars=200, checked_on=date(2026, 11, 23)),
            endpoints={"auth": "https://chirp.example", "api": "https://api.chirp.example"},
        )

    @hookimpl
    async def authorize(ctx, request) -> AuthorizationLink:
        return oauth2.authorization_link(f"{ctx.endpoints['auth']}/authorize", ctx.client, request)

    @hookimpl
    async def exchange(ctx, grant) -> Credential:
        tokens = await oauth2.fetch_tokens(ctx, f"{ctx.endpoints['api']}/token", grant)
        me = await oauth2.get_json(ctx, f"{ctx.endpoints['api']}/me", tokens)
        return Credential(account=Account(id=me["id"], name=me["handle"]), tokens=tokens)

    @hookimpl
    async def refresh(ctx, credential) -> TokenSet:
        return await oauth2.refresh_tokens(ctx, f"{ctx.endpoints['api']}/token", credential.tokens)

    @hookimpl
    async def publish(ctx, credential, post) -> PublishedPost:
        made = await oauth2.post_json(
            ctx, f"{ctx.endpoints['api']}/chirps", credential.tokens, {"text": post.text, "key": post.key}
        )
        return PublishedPost(id=made["id"], url=made["url"])

The hooks are described one by one in ``logicspike.plugin.hookspecs`` and printed whole in ``docs/hooks.md``.
"""

from __future__ import annotations

from . import oauth2
from .error_table import ErrorRow, ErrorTable, Operation, Refusal
from .errors import (
    AuthorizationFailed,
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformEventRefused,
    PlatformUnavailable,
    PostRejected,
    PreparationLost,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from .hookspecs import hookimpl
from .media import LinkCard, MediaFile, in_chunks, to_payload
from .setup_notes import SetupLevel, SetupNote
from .types import (
    AccessReport,
    Account,
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    CredentialSet,
    Limits,
    Media,
    MediaKind,
    MediaRule,
    OAuthClient,
    Platform,
    PlatformContext,
    PlatformEvent,
    PlatformEventOutcome,
    Post,
    Prepared,
    Problem,
    PublishedPost,
    Reply,
    TextLength,
    TokenSet,
)

# Without an explicit list, a star-import would hand out the submodule `types` and shadow the standard library's.
__all__ = [
    "AccessReport",
    "Account",
    "AuthorizationFailed",
    "AuthorizationGrant",
    "AuthorizationLink",
    "AuthorizationRequest",
    "Credential",
    "CredentialSet",
    "ErrorRow",
    "ErrorTable",
    "Limits",
    "LinkCard",
    "Media",
    "MediaFile",
    "MediaKind",
    "MediaRule",
    "MemberActionRequired",
    "OAuthClient",
    "Operation",
    "OperatorActionRequired",
    "OutcomeUnknown",
    "Platform",
    "PlatformContext",
    "PlatformError",
    "PlatformEvent",
    "PlatformEventOutcome",
    "PlatformEventRefused",
    "PlatformUnavailable",
    "Post",
    "PostRejected",
    "PreparationLost",
    "Prepared",
    "Problem",
    "PublishedPost",
    "RateLimited",
    "ReconnectRequired",
    "Refusal",
    "Reply",
    "SetupLevel",
    "SetupNote",
    "TextLength",
    "TokenExpired",
    "TokenSet",
    "hookimpl",
    "in_chunks",
    "oauth2",
    "to_payload",
]
