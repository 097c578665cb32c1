"""What the operator has set for each platform: our developer app there, replaced origins, and further settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from .egress import parse_origin
from .plugin import CredentialSet, OAuthClient, Platform

__all__ = ["DeveloperApp", "read_developer_app", "set_prefix", "variable_prefix"]

_SPACE: Final = re.compile(r"\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeveloperApp:
    """Our app at one platform, as the operator configured it.

    Attributes:
        client: id and secret; None while one of them is missing, both empty where the platform needs none.
        more_clients: those of the platform's further credential sets, by the set's name; missing ones are absent.
        set_problems: why a further set can't be used yet, by its name; ``()`` means it can.
        untouched_sets: names of the further sets for which neither id nor secret is given.
        endpoints: origins by name, the declared ones or what the operator put in their place.
        settings: the plugin's declared settings, from the environment or their defaults.
        problems: why it can't be used yet, one sentence each with the variable's name; never a value of a secret.
    """

    client: OAuthClient | None
    endpoints: Mapping[str, str]
    settings: Mapping[str, str]
    problems: tuple[str, ...]
    more_clients: Mapping[str, OAuthClient] = field(default_factory=dict)
    set_problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    untouched_sets: frozenset[str] = frozenset()

    def get_client(self, credential_set: str) -> OAuthClient | None:
        """The id and secret of a credential set, "" for the platform's own; None while one of them is missing."""
        return self.more_clients.get(credential_set) if credential_set else self.client


def variable_prefix(name: str) -> str:
    """What a platform's environment variables begin with: ``my-net`` gives ``MY_NET_``."""
    return f"{name.upper().replace('-', '_')}_"


def set_prefix(platform: Platform, credential_set: CredentialSet) -> str:
    """What the variables of a further credential set begin with: ``CHIRP_PAGES_``."""
    return f"{variable_prefix(platform.name)}{_variable(credential_set.name)}_"


def read_developer_app(platform: Platform, environment: Mapping[str, str]) -> DeveloperApp:
    """Read ``<PLATFORM>_CLIENT_ID``, ``_CLIENT_SECRET``, ``_ENDPOINT_<NAME>`` and the declared settings.

    The id and secret of a further credential set are ``<PLATFORM>_<SET>_CLIENT_ID`` and ``_CLIENT_SECRET``.
    """
    prefix = variable_prefix(platform.name)
    given = {key: value.strip() for key, value in environment.items() if key.startswith(prefix) and value.strip()}
    client, client_problems = _read_client(platform.title, prefix, given)
    if client is None and not platform.needs_client:
        client, client_problems = OAuthClient(client_id="", client_secret=""), ()
    prefixes = {each.name: set_prefix(platform, each) for each in platform.credential_sets}
    sets = {each.name: _read_client(each.title, prefixes[each.name], given) for each in platform.credential_sets}
    endpoints, endpoint_problems = _read_endpoints(platform, prefix, given)
    return DeveloperApp(
        client=client,
        endpoints=endpoints,
        settings={
            name: given.get(f"{prefix}{_variable(name)}", default) for name, default in platform.settings.items()
        },
        problems=(*client_problems, *endpoint_problems),
        more_clients={name: found for name, (found, _) in sets.items() if found is not None},
        set_problems={name: (*problems, *endpoint_problems) for name, (_, problems) in sets.items()},
        untouched_sets=frozenset(
            name for name, its in prefixes.items() if not {f"{its}CLIENT_ID", f"{its}CLIENT_SECRET"} & given.keys()
        ),
    )


def _read_client(title: str, prefix: str, given: Mapping[str, str]) -> tuple[OAuthClient | None, tuple[str, ...]]:
    id_variable, secret_variable = f"{prefix}CLIENT_ID", f"{prefix}CLIENT_SECRET"
    client_id, client_secret = given.get(id_variable, ""), given.get(secret_variable, "")
    problems = tuple(
        problem
        for variable, value, what in (
            (id_variable, client_id, "client id"),
            (secret_variable, client_secret, "client secret"),
        )
        if (problem := _client_problem(title, variable, value, what))
    )
    if problems:
        return None, problems
    return OAuthClient(client_id=client_id, client_secret=client_secret), ()


def _client_problem(title: str, variable: str, value: str, what: str) -> str:
    if not value:
        example = f"{variable}=1a2b3c4d5e6f"
        return f"{variable} is not set: it holds the {what} of your app at {title} (for example {example})."
    if _SPACE.search(value):
        return f"{variable} holds a space or line break: paste the {what} alone (for example {variable}=1a2b3c4d5e6f)."
    return ""


def _read_endpoints(
    platform: Platform, prefix: str, given: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    endpoints = {name: parse_origin(origin) for name, origin in platform.endpoints.items()}
    variables = {f"{prefix}ENDPOINT_{_variable(name)}": name for name in endpoints}
    problems: list[str] = []
    for variable in sorted(key for key in given if key.startswith(f"{prefix}ENDPOINT_")):
        if variable not in variables:
            # A misspelt one would send to the real platform what was meant to stay away from it.
            problems.append(_unknown_endpoint(platform.title, variable, variables))
            continue
        try:
            endpoints[variables[variable]] = parse_origin(given[variable])
        except ValueError as error:
            problems.append(f"{variable} {error} (for example {variable}={platform.endpoints[variables[variable]]}).")
    return endpoints, tuple(problems)


def _unknown_endpoint(title: str, variable: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(variable, list(known), n=1, cutoff=0.0)
    return f"{variable} names no endpoint of {title}: did you mean {nearest[0]}?"


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
