"""Which platforms there are: loaded or left out, ready or not, and what people call them. Nobody is called here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from .connectables import Connectable, list_connectables
from .developer_apps import DeveloperApp
from .loading import Installed
from .plugin import Platform

__all__ = ["NotSupported", "PlatformCatalog", "PlatformNotReady", "UnknownPlatform"]


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


class PlatformCatalog:
    """What is known of the installed platforms without asking them.

    Args:
        installed: what the loader found.
        apps: what the operator has set, by the platform's name.
        disabled: names of platforms that are switched off.
    """

    def __init__(self, installed: Installed, apps: Mapping[str, DeveloperApp], *, disabled: Collection[str]) -> None:
        self._installed = installed
        self._apps = apps
        self._disabled = disabled
        self._by_typed = {
            typed: it.platform
            for it in installed.plugins.values()
            for typed in (*it.platform.aliases, it.platform.name)
        }
        self._connectables = tuple(
            each for name in sorted(installed.plugins) for each in list_connectables(installed.plugins[name].platform)
        )

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

    def find_loaded(self, name: str) -> Platform:
        """The loaded platform of this name or alias, for a call.

        Raises:
            PlatformNotReady: there is none.
        """
        try:
            return self.get(name)
        except UnknownPlatform as error:
            raise PlatformNotReady(error.explanation) from None

    def find_ready(self, name: str, credential_set: str) -> Platform:
        """The platform, if it can be called now through this one of our developer apps there.

        Raises:
            PlatformNotReady: it can't; says why.
        """
        platform = self.find_loaded(name)
        if problems := self.problems(name, credential_set):
            raise PlatformNotReady(f"{platform.title} can't be used yet. {' '.join(problems)}")
        return platform


def _unknown_set(platform: Platform, credential_set: str) -> str:
    return f"The {platform.name} plugin knows no credentials named {credential_set!r} any more."
