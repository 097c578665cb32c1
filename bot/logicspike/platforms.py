"""The installed platforms, each called on its own: all that the rest of the bot knows of plugins.

pluggy calls every plugin that implements a hook; here each call leaves out all platforms but the one that is meant.
Whatever a plugin does, what comes out is a checked value, an error of the tree in ``logicspike.plugin.errors``,
``PlatformNotReady`` or ``NotSupported``.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Self

from .answers import fits, is_expected, report_bug, report_timeout, report_wrong_result, to_failure
from .clock import Clock
from .developer_apps import DeveloperApp, read_developer_app
from .egress import Egress, find_picture_origin, is_loopback_origin
from .loading import Installed, build_plugin_manager, load_installed
from .platform_catalog import NotSupported, PlatformCatalog, PlatformNotReady, UnknownPlatform
from .platform_contexts import ContextLender, Sleep
from .plugin import (
    AccessReport,
    Account,
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    LinkCard,
    MediaFile,
    Platform,
    PlatformContext,
    PlatformEvent,
    PlatformEventOutcome,
    Post,
    Prepared,
    Problem,
    PublishedPost,
    SetupNote,
    TextLength,
    TokenSet,
)
from .public_web import is_public_web

__all__ = ["NotSupported", "PlatformNotReady", "Platforms", "UnknownPlatform"]


class Platforms(PlatformCatalog):
    """The installed platforms, each called on its own.

    Build it with ``Platforms.load`` and use it as an async context manager, or call ``open`` and ``close``: only the
    calls that may reach a platform need it open.
    """

    CALL_LIMIT: ClassVar[timedelta] = timedelta(seconds=20)
    """How long any call but these may take, all its requests together."""
    PUBLISH_LIMIT: ClassVar[timedelta] = timedelta(seconds=30)
    """How long ``publish`` may take, all its requests together."""
    PREPARE_LIMIT: ClassVar[timedelta] = timedelta(minutes=30)
    """How long ``prepare`` may take, uploads and waiting together."""

    @classmethod
    def load(
        cls,
        *,
        environment: Mapping[str, str],
        clock: Clock,
        disabled: Collection[str] = (),
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
        sleep: Sleep = asyncio.sleep,
        may_reach: Callable[[str, int], bool] = is_public_web,
    ) -> Self:
        """Find, import and check the installed platforms; one that doesn't fit is left out and named.

        Args:
            environment: where each platform's variables are looked up.
            clock: what the plugins are told the time by.
            disabled: names of platforms to leave alone; they aren't even imported.
            entry_points: those to look at; None for the installed ones.
            sleep: how the plugins wait for a platform that is still processing.
            may_reach: decides by IP address and port where a server may be that a member has chosen.
        """
        off = frozenset(name.casefold() for name in disabled)
        installed = load_installed(entry_points, disabled=off)
        apps = {name: read_developer_app(it.platform, environment) for name, it in installed.plugins.items()}
        return cls(installed, apps, clock=clock, disabled=off, sleep=sleep, egress=Egress(may_reach=may_reach))

    def __init__(
        self,
        installed: Installed,
        apps: Mapping[str, DeveloperApp],
        *,
        clock: Clock,
        disabled: Collection[str],
        sleep: Sleep,
        egress: Egress,
    ) -> None:
        super().__init__(installed, apps, disabled=disabled)
        self._clock = clock
        plugins = {name: it.plugin for name, it in installed.plugins.items()}
        manager = build_plugin_manager(plugins)
        self._hooks = {
            (name, hook): manager.subset_hook_caller(hook, [plugins[other] for other in plugins if other != name])
            for name, it in installed.plugins.items()
            for hook in it.hooks
        }
        self._egress = egress
        self._contexts = ContextLender(egress, clock, sleep)

    async def open(self) -> None:
        """Get ready to call; opening twice changes nothing."""
        await self._egress.open()

    async def close(self) -> None:
        """Close all sessions and connections."""
        await self._egress.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    # --- calls --------------------------------------------------------------------------------------------------------

    def validate(self, name: str, account: Account, post: Post) -> tuple[Problem, ...]:
        """What the platform would reject; without the hook, the length in code points is checked. No I/O.

        Raises:
            PlatformNotReady: no such platform is loaded.
            PlatformUnavailable: the plugin failed.
        """
        platform = self.find_loaded(name)
        if not self.supports(name, "validate"):
            return _check_length(platform, self.measure(name, account, post))
        found: Sequence[Problem] = self._ask(platform, "validate", account=account, post=post)
        return tuple(found)

    def measure(self, name: str, account: Account, post: Post) -> TextLength:
        """How long the platform says a text is; without the hook, its code points. No I/O.

        Raises:
            PlatformNotReady: no such platform is loaded.
            PlatformUnavailable: the plugin failed.
        """
        platform = self.find_loaded(name)
        if not self.supports(name, "measure"):
            return TextLength(length=len(post.text), limit=platform.limits.max_chars)
        found: TextLength = self._ask(platform, "measure", account=account, post=post)
        return found

    def inspect(self, name: str, credential_set: str = "") -> tuple[SetupNote, ...]:
        """What the plugin says of the operator's set-up; ``()`` without the hook. No I/O.

        Args:
            name: the platform's.
            credential_set: which of our developer apps there; "" for the first.

        Raises:
            PlatformNotReady: it can't be called now.
            PlatformUnavailable: the plugin failed.
        """
        platform = self.find_ready(name, credential_set)
        if not self.supports(name, "inspect"):
            return ()
        app = self._apps[platform.name]
        found: Sequence[SetupNote] = self._ask(
            platform,
            "inspect",
            client=app.get_client(credential_set),
            credential_set=credential_set,
            settings=MappingProxyType(dict(app.settings)),
            now=self._clock.now(),
        )
        return tuple(found)

    def _ask(self, platform: Platform, hook: str, **arguments: object) -> Any:
        """Call a hook that does no I/O."""
        try:
            found = self._hooks[platform.name, hook](**arguments)
        # SystemExit too: a plugin must not be able to take the bot with it.
        except (Exception, SystemExit) as error:
            report_bug(platform, hook, error)
        else:
            if fits(hook, found):
                return found
            report_wrong_result(platform, hook, found)
        raise to_failure(platform, hook)

    async def authorize(
        self, name: str, request: AuthorizationRequest, *, credential_set: str = "", server: str = ""
    ) -> AuthorizationLink:
        """The link to the platform's consent page.

        Args:
            name: the platform's.
            request: what the link must carry.
            credential_set: which of our developer apps there; "" for the first.
            server: the origin that the member chose, where they may.

        Raises:
            PlatformNotReady: it can't be called now.
            PlatformError: see ``logicspike.plugin.hookspecs``.
        """
        link: AuthorizationLink = await self._call(name, "authorize", credential_set, server, request=request)
        return link

    async def exchange(
        self, name: str, grant: AuthorizationGrant, *, credential_set: str = "", server: str = ""
    ) -> Credential:
        """Trade the code of a callback for tokens and the account they are for.

        Args:
            name: the platform's.
            grant: what came back.
            credential_set: which of our developer apps it was asked by; "" for the first.
            server: the origin that the member chose, where they may.

        Raises:
            PlatformNotReady: it can't be called now.
            PlatformError: see ``logicspike.plugin.hookspecs``.
        """
        credential: Credential = await self._call(name, "exchange", credential_set, server, grant=grant)
        account = self._with_fit_picture(name, credential.account)
        return replace(credential, account=account, credential_set=credential_set, server=server)

    async def accounts(self, name: str, credential: Credential) -> tuple[Credential, ...]:
        """What this grant can post as; without the hook, the credential itself.

        Raises:
            PlatformNotReady: it can't be called now.
            PlatformError: see ``logicspike.plugin.hookspecs``.
        """
        self.find_ready(name, credential.credential_set)
        if not self.supports(name, "accounts"):
            return (credential,)
        found: Sequence[Credential] = await self._call_with(name, "accounts", credential)
        return tuple(
            replace(
                each,
                account=self._with_fit_picture(name, each.account),
                credential_set=credential.credential_set,
                server=credential.server,
            )
            for each in found
        )

    def _with_fit_picture(self, name: str, account: Account) -> Account:
        """The account, without a picture that Slack and browsers must not be sent to: a sandbox reaches nobody."""
        origin = find_picture_origin(account.picture)
        is_sandbox = all(is_loopback_origin(each) for each in self.endpoints(name).values())
        if origin is not None and (not is_sandbox or is_loopback_origin(origin)):
            return account
        return replace(account, picture=None)

    async def refresh(self, name: str, credential: Credential) -> TokenSet:
        """New tokens; a refresh token of None means that the old one stays.

        Raises:
            PlatformNotReady: it can't be called now.
            PlatformError: see ``logicspike.plugin.hookspecs``.
        """
        tokens: TokenSet = await self._call_with(name, "refresh", credential)
        return tokens

    async def revoke(self, name: str, credential: Credential, *, is_last: bool) -> None:
        """Invalidate the tokens at the platform.

        Args:
            name: the platform's.
            credential: what to withdraw.
            is_last: whether no other connection, in any workspace, stands on the same grant.

        Raises:
            NotSupported: the platform has no way to do so.
            PlatformNotReady: it can't be called now.
            PlatformError: see ``logicspike.plugin.hookspecs``.
        """
        await self._call_with(name, "revoke", credential, is_last=is_last)

    async def check(self, name: str, credential: Credential) -> AccessReport:
        """Whether a connection still works, and what it may.

        Raises:
            NotSupported: the platform has no way to tell.
            PlatformNotReady: it can't be called now.
            PlatformError: see ``logicspike.plugin.hookspecs``.
        """
        report: AccessReport = await self._call_with(name, "check", credential)
        return report

    async def receive(self, name: str, event: PlatformEvent) -> PlatformEventOutcome:
        """Let a plugin read a callback of its platform.

        Raises:
            NotSupported: the platform has no such callbacks.
            PlatformEventRefused: it does not come from the platform.
            PlatformNotReady: it can't be called now.
            PlatformError: see ``logicspike.plugin.hookspecs``.
        """
        outcome: PlatformEventOutcome = await self._call(name, "receive", "", "", event=event)
        return outcome

    async def prepare(
        self, name: str, credential: Credential, post: Post, *, files: Sequence[MediaFile], card: LinkCard | None
    ) -> Prepared:
        """Do ahead of time what publishing needs: uploads, containers.

        Raises:
            NotSupported: the platform's plugin publishes in one call.
            PlatformNotReady: it can't be called now.
            PlatformError: see ``logicspike.plugin.hookspecs``.
        """
        prepared: Prepared = await self._call_with(
            name, "prepare", credential, post=post, files=tuple(files), card=card
        )
        return prepared

    async def publish(
        self, name: str, credential: Credential, post: Post, prepared: Prepared | None = None
    ) -> PublishedPost:
        """Publish once. What can't be told for sure, a plugin's bug included, is ``OutcomeUnknown``.

        Raises:
            PlatformNotReady: it can't be called now; nothing was sent.
            PlatformError: see ``logicspike.plugin.hookspecs``; never ``AuthorizationFailed``.
        """
        published: PublishedPost = await self._call_with(name, "publish", credential, post=post, prepared=prepared)
        return published

    async def find_published(
        self, name: str, credential: Credential, post: Post, prepared: Prepared | None = None
    ) -> PublishedPost | None:
        """The post if it did go out, else None.

        Args:
            name: the platform's.
            credential: whose post it is.
            post: what is looked for.
            prepared: what the lost ``publish`` was given.

        Raises:
            NotSupported: the platform has no way to look.
            PlatformNotReady: it can't be called now.
            PlatformError: see ``logicspike.plugin.hookspecs``.
        """
        found: PublishedPost | None = await self._call_with(
            name, "find_published", credential, post=post, prepared=prepared
        )
        return found

    async def _call_with(self, name: str, hook: str, credential: Credential, **arguments: object) -> Any:
        """Call a hook on behalf of a connection, through the developer app it came by."""
        credential_set, server = credential.credential_set, credential.server
        return await self._call(name, hook, credential_set, server, credential=credential, **arguments)

    async def _call(self, name: str, hook: str, credential_set: str, server: str, **arguments: object) -> Any:
        platform = self.find_ready(name, credential_set)
        if not self.supports(name, hook):
            raise NotSupported(f"{platform.title} has no way to do this ({hook}).")
        async with self._contexts.lend(platform, self._apps[platform.name], credential_set, server) as context:
            return await self._run(platform, hook, context, arguments)

    async def _run(
        self, platform: Platform, hook: str, context: PlatformContext, arguments: Mapping[str, object]
    ) -> Any:
        limit = {"publish": self.PUBLISH_LIMIT, "prepare": self.PREPARE_LIMIT}.get(hook, self.CALL_LIMIT)
        try:
            async with asyncio.timeout(limit.total_seconds()) as timer:
                result = await self._hooks[platform.name, hook](ctx=context, **arguments)
        # SystemExit too: a plugin must not be able to take the bot with it.
        except (Exception, SystemExit) as error:
            if timer.expired():
                report_timeout(platform, hook, limit)
            elif is_expected(hook, error):
                raise
            else:
                report_bug(platform, hook, error)
        else:
            if fits(hook, result):
                return result
            report_wrong_result(platform, hook, result)
        # Outside of the handler, so that the plugin's own error, whose text may hold a token, is not chained to it.
        raise to_failure(platform, hook)


def _check_length(platform: Platform, text: TextLength) -> tuple[Problem, ...]:
    if text.length <= text.limit:
        return ()
    return (Problem(message=f"{platform.title} allows {text.limit} characters; this is {text.length}."),)
