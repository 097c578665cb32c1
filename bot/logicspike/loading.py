"""Finds the installed platform plugins and refuses, each with a sentence, those that don't fit.

A refused plugin never keeps the others, or the bot, from starting.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import pluggy

from .egress import parse_origin
from .plugin import CredentialSet, Limits, MediaRule, Platform, hookspecs

__all__ = ["GROUP", "Installed", "LoadedPlugin", "build_plugin_manager", "load_installed"]

log = logging.getLogger(__name__)

GROUP: Final = "logicspike.platforms"
REQUIRED_HOOKS: Final = ("describe", "authorize", "exchange", "refresh", "publish")

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VARIABLE: Final = re.compile(r"[a-z][a-z0-9_-]*", re.IGNORECASE)
_HOST: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_RESERVED_SETTING: Final = re.compile(r"client[_-](id|secret)|endpoint[_-].*", re.IGNORECASE)


class _Refused(Exception):
    """A plugin that can't be used; the message is the sentence that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPlugin:
    """A plugin that fits.

    Attributes:
        plugin: what the entry point names, a module as a rule.
        platform: its facts.
        hooks: the names of the hooks it implements.
    """

    plugin: object
    platform: Platform
    hooks: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What was found, all by the platform's name.

    Attributes:
        plugins: those that fit.
        refused: the others, each with the sentence that says why.
        versions: distribution and version ("logicspike-chirp 1.2"), refused and switched off ones included.
    """

    plugins: Mapping[str, LoadedPlugin]
    refused: Mapping[str, str]
    versions: Mapping[str, str]


def load_installed(
    entry_points: Iterable[importlib.metadata.EntryPoint] | None = None, *, disabled: Collection[str] = ()
) -> Installed:
    """Import and check every installed platform plugin but the disabled ones, which are not touched.

    Args:
        entry_points: those to look at; None for the installed ones.
        disabled: names to leave alone.
    """
    by_name: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for entry_point in importlib.metadata.entry_points(group=GROUP) if entry_points is None else entry_points:
        by_name.setdefault(entry_point.name, []).append(entry_point)
    wanted = sorted(by_name.keys() - set(disabled))
    plugins: dict[str, LoadedPlugin] = {}
    refused: dict[str, str] = {}
    for name in wanted:
        try:
            plugins[name] = _load_one(name, by_name[name])
        except _Refused as reason:
            refused[name] = str(reason)
    for name, sentence in _find_alias_clashes(wanted, plugins).items():
        del plugins[name]
        refused[name] = sentence
    for name, sentence in refused.items():
        extra = {"event": "platform.quarantined", "platform": name}
        log.warning("The platform %s is left out: %s", name, sentence, extra=extra)
    versions = {name: ", ".join(sorted(map(_distribution, same))) for name, same in by_name.items()}
    return Installed(plugins=plugins, refused=refused, versions=versions)


def build_plugin_manager(plugins: Mapping[str, object] | None = None) -> pluggy.PluginManager:
    """A plugin manager that knows our hooks, with these plugins registered.

    Raises:
        pluggy.PluginValidationError: a hook implementation doesn't fit its specification.
        ValueError: one object under two names.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for name, plugin in (plugins or {}).items():
        manager.register(plugin, name)
    return manager


def _distribution(entry_point: importlib.metadata.EntryPoint) -> str:
    if entry_point.dist is None:
        return "an unknown distribution"
    return f"{entry_point.dist.name} {entry_point.dist.version}"


def _load_one(name: str, entry_points: Collection[importlib.metadata.EntryPoint]) -> LoadedPlugin:
    if len(entry_points) > 1:
        distributions = _listed(sorted(map(_distribution, entry_points)))
        raise _Refused(f"{distributions} all bring a platform of this name; uninstall all but one of them.")
    if _NAME.fullmatch(name) is None:
        raise _Refused(f"The name {name!r} may hold only lower-case letters, digits and single hyphens.")
    (entry_point,) = entry_points
    try:
        plugin = entry_point.load()
    # SystemExit too: a plugin that gives up while it's imported must not take the bot with it.
    except (Exception, SystemExit) as error:
        raise _Refused(f"Importing {entry_point.value} failed with {_say(error)}.") from error
    manager = _try_out(name, plugin)
    hooks = _check_hooks(plugin, manager)
    platform = _read_facts(name, manager)
    for has_it, what in ((platform.limits.media, "media"), (platform.wants_link_card, "link cards")):
        if has_it and "prepare" not in hooks:
            raise _Refused(f"It takes {what}, but lacks prepare(), to which they are handed.")
    return LoadedPlugin(plugin=plugin, platform=platform, hooks=hooks)


def _say(error: BaseException) -> str:
    first_line = next(iter(str(error).splitlines()), "")[:200].rstrip(".")
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def _try_out(name: str, plugin: object) -> pluggy.PluginManager:
    """A manager of its own for the trial: what is refused there leaves no trace where the others are registered."""
    if inspect.isclass(plugin):
        raise _Refused("The entry point names a class; name a module, or an instance of the class.")
    try:
        hash(plugin)
    except TypeError:
        kind = type(plugin).__name__
        raise _Refused(f"The plugin object ({kind}) can't be hashed; use a module, or freeze the class.") from None
    try:
        return build_plugin_manager({name: plugin})
    except (pluggy.PluginValidationError, ValueError) as error:
        raise _Refused(f"Its hooks don't fit: {' '.join(str(error).split())}.") from error


def _check_hooks(plugin: object, manager: pluggy.PluginManager) -> frozenset[str]:
    callers = {caller.name: caller for caller in manager.get_hookcallers(plugin) or ()}
    for caller in callers.values():
        _check_known(caller, manager)
        for implementation in caller.get_hookimpls():
            _check_signature(caller, implementation.function)
    if missing := [f"{hook}()" for hook in REQUIRED_HOOKS if hook not in callers]:
        raise _Refused(f"It lacks {_listed(missing)}; a platform must implement {_listed(REQUIRED_HOOKS)}.")
    return frozenset(callers)


def _check_known(caller: pluggy.HookCaller, manager: pluggy.PluginManager) -> None:
    if caller.has_spec() or all(implementation.optionalhook for implementation in caller.get_hookimpls()):
        return
    known = [hook for hook, other in vars(manager.hook).items() if not hook.startswith("_") and other.has_spec()]
    nearest = get_close_matches(caller.name, known, n=1, cutoff=0.0)
    raise _Refused(f"There is no hook named {caller.name}(); did you mean {nearest[0]}()?")


def _check_signature(caller: pluggy.HookCaller, function: object) -> None:
    if caller.spec is None:
        return
    must_be_async = inspect.iscoroutinefunction(caller.spec.function)
    if inspect.iscoroutinefunction(function) != must_be_async:
        rule, found = ("async def", "def") if must_be_async else ("def", "async def")
        raise _Refused(f"{caller.name}() is specified as “{rule}” and implemented as “{found}”; make it “{rule}”.")
    for parameter in inspect.signature(function).parameters.values():  # type: ignore[arg-type]  # pluggy says object
        if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
            raise _Refused(
                f"{caller.name}() takes {parameter}, which would never get a value; make it a plain parameter."
            )
        if parameter.default is not inspect.Parameter.empty:
            raise _Refused(f"{caller.name}() gives {parameter.name} a default, so it would never get a value; drop it.")


def _read_facts(name: str, manager: pluggy.PluginManager) -> Platform:
    try:
        platform = manager.hook.describe()
    except (Exception, SystemExit) as error:
        raise _Refused(f"describe() failed with {_say(error)}.") from error
    if not isinstance(platform, Platform):
        raise _Refused(f"describe() must return a Platform, not {type(platform).__name__}.")
    if complaint := next(_complaints(name, platform), None):
        raise _Refused(f"describe(): {complaint}.")
    return platform


def _complaints(name: str, platform: Platform) -> Iterator[str]:
    if platform.name != name:
        yield f"the name is {platform.name!r}, but the plugin is installed as {name!r}; make them equal"
    if not isinstance(platform.title, str) or not platform.title.strip():
        yield "the title is empty"
    for attribute in ("scopes", "upload_hosts", "aliases", "permissions", "cancel_errors", "events"):
        value = getattr(platform, attribute)
        if not isinstance(value, tuple) or not all(isinstance(item, str) and item for item in value):
            yield f"{attribute} must be a tuple of words, such as ('a', 'b') or ('a',)"
            return
    if not _is_text_mapping(platform.callback_errors):
        yield "callback_errors must map error values to sentences"
    yield from _endpoint_complaints(platform)
    yield from _name_complaints(platform)
    yield from _event_complaints(platform)
    yield from _credential_set_complaints(platform)
    if not isinstance(platform.limits, Limits) or not _is_count(platform.limits.max_chars, at_least=1):
        yield "limits must be Limits(max_chars=…) with a number above zero"
        return
    yield from _media_complaints(platform.limits)
    if not _is_count(platform.refresh_margin_seconds, at_least=0):
        yield "refresh_margin_seconds must be a number of seconds, zero or more"


def _is_text_mapping(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(part, str) and part for pair in value.items() for part in pair)


def _endpoint_complaints(platform: Platform) -> Iterator[str]:
    if not isinstance(platform.endpoints, Mapping) or not platform.endpoints:
        yield "endpoints must name at least one origin"
        return
    for endpoint, origin in platform.endpoints.items():
        if not isinstance(endpoint, str) or _VARIABLE.fullmatch(endpoint) is None:
            yield f"the endpoint name {endpoint!r} must be a word"
        try:
            parse_origin(origin if isinstance(origin, str) else "")
        except ValueError as error:
            yield f"the endpoint {endpoint!r} {error}"
    if platform.authorize_endpoint not in platform.endpoints:
        known = _listed(sorted(platform.endpoints))
        yield f"authorize_endpoint is {platform.authorize_endpoint!r}, which is not among the endpoints ({known})"
    if platform.chosen_endpoint and platform.chosen_endpoint not in platform.endpoints:
        known = _listed(sorted(platform.endpoints))
        yield f"chosen_endpoint is {platform.chosen_endpoint!r}, which is not among the endpoints ({known})"
    for host in platform.upload_hosts:
        if _HOST.fullmatch(host) is None:
            yield f"the upload host {host!r} must be a host name alone, such as 'upload.example.com'"


def _name_complaints(platform: Platform) -> Iterator[str]:
    for alias in platform.aliases:
        if _NAME.fullmatch(alias) is None:
            yield f"the alias {alias!r} may hold only lower-case letters, digits and single hyphens"
    settings: object = platform.settings
    if not isinstance(settings, Mapping):
        yield "settings must map names to defaults"
        return
    for setting, default in settings.items():
        if not isinstance(setting, str) or not isinstance(default, str) or _VARIABLE.fullmatch(setting) is None:
            yield f"the setting {setting!r} must be a word with a text as its default"
        elif _RESERVED_SETTING.fullmatch(setting):
            yield f"the setting {setting!r} is reserved for the bot"


def _event_complaints(platform: Platform) -> Iterator[str]:
    for event in platform.events:
        if _NAME.fullmatch(event) is None or event == "callback":
            yield f"the event {event!r} may hold only lower-case letters, digits and single hyphens (not 'callback')"


def _credential_set_complaints(platform: Platform) -> Iterator[str]:
    sets: object = platform.credential_sets
    if not isinstance(sets, tuple) or not all(isinstance(each, CredentialSet) for each in sets):
        yield "credential_sets must be a tuple of CredentialSet"
        return
    if len({each.name for each in platform.credential_sets}) < len(platform.credential_sets):
        yield "two credential sets have the same name"
    words = [platform.name, *platform.aliases, *(each.typed for each in platform.credential_sets)]
    if len(set(words)) < len(words):
        yield "what is typed for a credential set must differ from the platform's other names"
    for each in platform.credential_sets:
        if not isinstance(each.name, str) or _VARIABLE.fullmatch(each.name) is None:
            yield f"the credential set {each.name!r} must have a word as its name"
        if not isinstance(each.typed, str) or _NAME.fullmatch(each.typed) is None:
            yield f"what is typed for {each.name!r} may hold only lower-case letters, digits and single hyphens"
        if not isinstance(each.title, str) or not each.title.strip():
            yield f"the credential set {each.name!r} has no title"


def _media_complaints(limits: Limits) -> Iterator[str]:
    if not _is_count(limits.max_parts, at_least=1):
        yield "Limits.max_parts must be a number, one or more"
    if not isinstance(limits.media, tuple) or not all(isinstance(rule, MediaRule) for rule in limits.media):
        yield "Limits.media must be a tuple of MediaRule"
        return
    if len({rule.kind for rule in limits.media}) < len(limits.media):
        yield "Limits.media has two rules for one kind"
    for rule in limits.media:
        sizes = (rule.max_bytes, rule.max_count)
        if not rule.content_types or not all(_is_count(size, at_least=1) for size in sizes):
            yield f"the rule for {rule.kind!r} needs content types, and numbers above zero"


def _is_count(value: object, *, at_least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= at_least


def _find_alias_clashes(names: Collection[str], plugins: Mapping[str, LoadedPlugin]) -> dict[str, str]:
    claims = Counter(alias for loaded in plugins.values() for alias in _typed(loaded.platform))
    return {
        name: f"Its alias {alias!r} is a name or an alias of another installed platform."
        for name, loaded in plugins.items()
        for alias in _typed(loaded.platform)
        if alias != name and (alias in names or claims[alias] > 1)
    }


def _typed(platform: Platform) -> frozenset[str]:
    """What people may type for a platform beside its name, its further credential sets included."""
    return frozenset(platform.aliases) | {each.typed for each in platform.credential_sets}


def _listed(words: Collection[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
