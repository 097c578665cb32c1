"""Which accounts a member means: what they typed or picked, matched with what they may post with."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ..connectables import Connectable
from ..domain import Connection, ConnectionStatus, Member
from ..platforms import Platforms

__all__ = ["Addressed", "Addressees", "Addressing", "ScheduleProblem", "Several", "is_usable"]

_SHOWN: Final = 8
_NOT_YOURS: Final = "One of the chosen accounts is not connected any more, or is not yours to post with."
_LINKED: Final = frozenset({ConnectionStatus.ACTIVE, ConnectionStatus.NEEDS_RECONNECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleProblem:
    """One thing that keeps a post from being scheduled.

    Attributes:
        field: "accounts", "text" or "when".
        message: what is wrong and what to do, in words for people.
        connect_platform: what is typed for the platform, or its credential set, whose Connect button would help.
        reconnect_id: the connection whose Reconnect button would help.
    """

    field: str
    message: str
    connect_platform: str | None = None
    reconnect_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """The accounts that are meant, and what could not be matched."""

    connections: tuple[Connection, ...]
    problems: tuple[ScheduleProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """A platform's name fits several accounts; ``certain`` are those about which there is no question."""

    typed: str
    options: tuple[Connection, ...]
    certain: tuple[Connection, ...]


Addressees: TypeAlias = Addressed | Several


def is_usable(connection: Connection, member: Member) -> bool:
    """Whether a member may post with an account; it may still need a sign-in."""
    return connection.owner_id == member.user_id and connection.status in _LINKED


class Addressing:
    """Matches names with accounts; no I/O.

    Args:
        platforms: the installed platforms.
    """

    def __init__(self, platforms: Platforms) -> None:
        self._platforms = platforms

    def resolve(
        self,
        member: Member,
        connections: Sequence[Connection],
        *,
        typed: Sequence[str],
        connection_ids: Sequence[str],
    ) -> Addressees:
        """Find the accounts that a member named or picked.

        Args:
            member: who asks.
            connections: all of the workspace.
            typed: nicknames and platform names.
            connection_ids: picked from a list.
        """
        usable = [each for each in connections if is_usable(each, member)]
        found: dict[str, Connection] = {
            each.connection_id: each for each in usable if each.connection_id in connection_ids
        }
        problems = [
            ScheduleProblem(field="accounts", message=_NOT_YOURS) for each in connection_ids if each not in found
        ]
        several: Several | None = None
        for name in typed:
            options = self._match(name, usable)
            if len(options) > 1:
                several = several or Several(typed=name, options=options, certain=())
            elif options:
                found[options[0].connection_id] = options[0]
            else:
                problems.append(self._explain(name, member, connections))
        certain = tuple(found.values())
        if several is not None and not problems:
            return replace(several, certain=certain)
        if not certain and not problems:
            problems.append(ScheduleProblem(field="accounts", message="Choose at least one account to post to."))
        return Addressed(connections=certain, problems=tuple(problems))

    def _match(self, typed: str, usable: Sequence[Connection]) -> tuple[Connection, ...]:
        nickname = self._to_nickname(typed)
        by_nickname = tuple(each for each in usable if each.nickname.casefold() == nickname)
        if by_nickname:
            return by_nickname
        meant = self._platforms.find_connectable(typed.strip())
        return tuple(each for each in usable if meant is not None and meant.covers(each.platform, each.credential_set))

    def _to_nickname(self, typed: str) -> str:
        """A nickname as it is stored, though the platform in it was typed by another of its names."""
        prefix, separator, rest = typed.strip().casefold().partition(":")
        platform = self._platforms.find(prefix)
        return f"{platform.name}{separator}{rest}" if platform is not None else f"{prefix}{separator}{rest}"

    def _explain(self, typed: str, member: Member, connections: Sequence[Connection]) -> ScheduleProblem:
        nickname = self._to_nickname(typed)
        if any(each.nickname.casefold() == nickname and each.status in _LINKED for each in connections):
            message = f"“{typed}” was connected by somebody else, and only they can post with it. Ask them to."
            return ScheduleProblem(field="accounts", message=message)
        meant = self._platforms.find_connectable(typed.strip())
        if meant is None:
            return self._suggest(typed, [each for each in connections if is_usable(each, member)])
        title = meant.platform_title
        if any(_is_open_choice(each, member, meant) for each in connections):
            message = f"First choose which {title} account to connect: the question is in our direct messages."
            return ScheduleProblem(field="accounts", message=message)
        message = f"You have none of your {meant.title} connected yet."
        if not meant.credential_set:
            message = f"You have no {title} account connected yet."
        return ScheduleProblem(field="accounts", message=message, connect_platform=meant.typed)

    def _suggest(self, typed: str, usable: Sequence[Connection]) -> ScheduleProblem:
        nicknames = [each.nickname for each in usable]
        near = difflib.get_close_matches(typed.casefold(), [*nicknames, *self._platforms.names], n=1, cutoff=0.6)
        hint = ""
        if near:
            hint = f" Did you mean {near[0]}?"
        elif nicknames:
            hint = f" You can post to: {', '.join(nicknames[:_SHOWN])}."
        return ScheduleProblem(field="accounts", message=f"There is no account or platform called “{typed}”.{hint}")


def _is_open_choice(connection: Connection, member: Member, meant: Connectable) -> bool:
    return (
        connection.status is ConnectionStatus.PENDING_CHOICE
        and connection.owner_id == member.user_id
        and meant.covers(connection.platform, connection.credential_set)
    )
