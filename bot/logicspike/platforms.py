"""The installed platforms, each called on its own: all that the rest of the bot knows of plugins.

pluggy calls every plugin that implements a hook; here each call leaves out all platforms but the one that is meant.
Whatever a plugin does, what comes out is a checked value, an error of the tree in ``logicspike.plugin.errors``,
``PlatformNotReady`` or ``NotSupported``.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, ClassVar, Self

from .answers import fits, is_expected, report_bug, report_timeout, report_wrong_result, to_failure
from .clock import Clock
from .connectables import Connectable, list_connectables
from .developer_apps import DeveloperApp, read_developer_app
from .egress import Egress, find_picture_origin, is_loopback_origin
from .loading import Installed, build_plugin_manager, load_installed
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

Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""


class UnknownPlatform(KeyError):
    """No usable platform has this name.

    Args:
        explanation: a plain sentence for the member or admin.
    """

    def __init__(self, explanation: str) -> None:
        super().__init__(explanation)
        self.explanation = explanation

    def __str__(self) -> str:
        return self.explanation  # KeyError would put it in quotes


class PlatformNotReady(Exception):
    """The platform can't be called now: unknown, left out, switched off or without credentials.

    Args:
        explanation: plain sentences for the member or admin.
    """

    def __init__(self, explanation: str) -> None:
        super().__init__(explanation)
        self.explanation = explanation


class NotSupported(Exception):
    """The platform's plugin does not implement this optional hook.

    Args:
        explanation: a plain sentence for the member or admin.
    """

    def __init__(self, explanation: str) -> None:
        super().__init__(explanation)
        self.explanation = explanation


class Platforms:
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
        self._installed = installed
        self._apps = apps
        self._clock = clock
        self._sleep = sleep
        self._disabled = disabled
        self._by_typed = {
            typed: it.platform
            for it in installed.plugins.values()
            for typed in (*it.platform.aliases, it.platform.name)
        }
        self._connectables = tuple(
            each for name in sorted(installed.plugins) for each in list_connectables(installed.plugins[name].platform)
        )
        plugins = {name: it.plugin for name, it in installed.plugins.items()}
        manager = build_plugin_manager(plugins)
        self._hooks = {
            (name, hook): manager.subset_hook_caller(hook, [plugins[other] for other in plugins if other != name])
            for name, it in installed.plugins.items()
            for hook in it.hooks
        }
        self._egress = egress

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

    # --- which platforms there are ------------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the platforms that are loaded and fit, sorted; some may lack credentials."""
        return tuple(sorted(self._installed.plugins))

    @property
    def quarantined(self) -> Mapping[str, str]:
        """Platforms that were left out: name to the sentence that says why."""
        return MappingProxyType(dict(self._installed.refused))

    def versions(self) -> Mapping[str, str]:
        """Each installed platform's distribution and version ("logicspike-chirp 1.2"), left out ones included."""
        return MappingProxyType(dict(self._installed.versions))

    def find(self, name: str) -> Platform | None:
        """The loaded platform of this name or alias, in any letter case."""
        return self._by_typed.get(name.casefold())

    def get(self, name: str) -> Platform:
        """The loaded platform of this name or alias, in any letter case.

        Raises:
            UnknownPlatform: none is loaded under this name.
        """
        platform = self.find(name)
        if platform is None:
            raise UnknownPlatform(self._explain_absence(name))
        return platform

    def list_connectables(self) -> tuple[Connectable, ...]:
        """What members are offered: each platform, ready or not, and each further credential set that is set up."""
        return tuple(
            each
            for each in self._connectables
            if not each.credential_set or self.is_ready(each.platform, each.credential_set)
        )

    def list_optional(self, name: str) -> tuple[Connectable, ...]:
        """The platform's further credential sets, whether they are set up or not.

        Raises:
            UnknownPlatform: none is loaded under this name.
        """
        platform = self.get(name)
        return tuple(each for each in self._connectables if each.platform == platform.name and each.credential_set)

    def find_connectable(self, typed: str) -> Connectable | None:
        """What is meant by a word after the connect command: a platform's name or alias, or a set's own word."""
        platform = self.find(typed)
        word = platform.name if platform is not None else typed.casefold()
        return next((each for each in self._connectables if each.typed == word), None)

    def get_connectable(self, name: str, credential_set: str = "") -> Connectable:
        """By what the accounts of a platform and credential set are connected.

        Raises:
            UnknownPlatform: no such platform is loaded, or it has no such set any more.
        """
        platform = self.get(name)
        for each in self._connectables:
            if (each.platform, each.credential_set) == (platform.name, credential_set):
                return each
        raise UnknownPlatform(_unknown_set(platform, credential_set))

    def is_untouched(self, name: str, credential_set: str) -> bool:
        """Whether the operator has set nothing at all for this further credential set: it is left out on purpose."""
        return credential_set in self._apps[self.get(name).name].untouched_sets

    def suggest(self, name: str) -> str | None:
        """What can be typed, platform or credential set, nearest to what was; None when nothing comes near."""
        words = {*self._by_typed, *(each.typed for each in self.list_connectables())}
        return next(iter(get_close_matches(name.casefold(), sorted(words), n=1)), None)

    def problems(self, name: str, credential_set: str = "") -> tuple[str, ...]:
        """Why the platform can't be called now, through one of our developer apps there; ``()`` means it can."""
        platform = self.find(name)
        if platform is None:
            return (self._explain_absence(name),)
        app = self._apps[platform.name]
        if not credential_set:
            return app.problems
        return app.set_problems.get(credential_set, (_unknown_set(platform, credential_set),))

    def is_ready(self, name: str, credential_set: str = "") -> bool:
        """Whether the platform can be called now, through one of our developer apps there."""
        return not self.problems(name, credential_set)

    def supports(self, name: str, hook: str) -> bool:
        """Whether the loaded platform implements a hook, such as ``"revoke"`` or ``"find_published"``."""
        platform = self.find(name)
        return platform is not None and hook in self._installed.plugins[platform.name].hooks

    def endpoints(self, name: str) -> Mapping[str, str]:
        """The platform's origins by name, with the operator's replacements.

        Raises:
            UnknownPlatform: none is loaded under this name.
        """
        return self._apps[self.get(name).name].endpoints

    def authorize_origin(self, name: str) -> str:
        """The origin of the consent page, for the connect page's ``form-action``.

        Raises:
            UnknownPlatform: none is loaded under this name.
        """
        return self.endpoints(name)[self.get(name).authorize_endpoint]

    def suggested_server(self, name: str) -> str:
        """The origin suggested to members where each chooses a server; "" where there is but one platform.

        Raises:
            UnknownPlatform: none is loaded under this name.
        """
        chosen = self.get(name).chosen_endpoint
        return self.endpoints(name)[chosen] if chosen else ""

    def _explain_absence(self, name: str) -> str:
        name = name.casefold()
        if name in self._disabled:
            return f"The platform {name} is switched off here (LOGICSPIKE_DISABLED_PLATFORMS)."
        if reason := self._installed.refused.get(name):
            return f"The platform {name} is installed, but can't be used: {reason}"
        nearest = self.suggest(name)
        return f"There is no platform named {name!r} here." + (f" Did you mean {nearest}?" if nearest else "")

    # --- calls --------------------------------------------------------------------------------------------------------

    def validate(self, name: str, account: Account, post: Post) -> tuple[Problem, ...]:
        """What the platform would reject; without the hook, the length in code points is checked. No I/O.

        Raises:
            PlatformNotReady: no such platform is loaded.
            PlatformUnavailable: the plugin failed.
        """
        platform = self._find_loaded(name)
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
        platform = self._find_loaded(name)
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
        platform = self._find_ready(name, credential_set)
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
        self._find_ready(name, credential.credential_set)
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
        platform = self._find_ready(name, credential_set)
        if not self.supports(name, hook):
            raise NotSupported(f"{platform.title} has no way to do this ({hook}).")
        async with self._lend_context(platform, credential_set, server) as context:
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

    def _find_loaded(self, name: str) -> Platform:
        try:
            return self.get(name)
        except UnknownPlatform as error:
            raise PlatformNotReady(error.explanation) from None

    def _find_ready(self, name: str, credential_set: str) -> Platform:
        platform = self._find_loaded(name)
        if problems := self.problems(name, credential_set):
            raise PlatformNotReady(f"{platform.title} can't be used yet. {' '.join(problems)}")
        return platform

    @asynccontextmanager
    async def _lend_context(
        self, platform: Platform, credential_set: str, server: str
    ) -> AsyncIterator[PlatformContext]:
        app = self._apps[platform.name]
        endpoints = dict(app.endpoints)
        is_elsewhere = server not in {"", self.suggested_server(platform.name)}
        if is_elsewhere:
            endpoints[platform.chosen_endpoint] = server
        origins = set(endpoints.values())
        # With all endpoints on this machine, as in the sandbox, nothing outside of it is reached.
        if not all(is_loopback_origin(origin) for origin in origins):
            origins |= {f"https://{host}" for host in platform.upload_hosts}
        async with AsyncExitStack() as stack:
            if is_elsewhere:
                http = await stack.enter_async_context(self._egress.lend_session(platform.name, origins))
            else:
                http = self._egress.get_session(platform.name, origins)
            client = app.get_client(credential_set)
            assert client is not None  # _find_ready looked
            yield PlatformContext(
                client=client,
                endpoints=MappingProxyType(endpoints),
                settings=MappingProxyType(dict(app.settings)),
                http=http,
                now=self._clock.now(),
                credential_set=credential_set,
                sleep=self._sleep,
            )


def _unknown_set(platform: Platform, credential_set: str) -> str:
    return f"The {platform.name} plugin knows no credentials named {credential_set!r} any more."


def _check_length(platform: Platform, text: TextLength) -> tuple[Problem, ...]:
    if text.length <= text.limit:
        return ()
    return (Problem(message=f"{platform.title} allows {text.limit} characters; this is {text.length}."),)
