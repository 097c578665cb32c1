"""Whose turn it is: which of the due deliveries a worker takes, fair between workspaces and accounts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from ..domain import DueDelivery

__all__ = ["choose_fairly", "find_greedy_teams"]


def choose_fairly(
    due: Sequence[DueDelivery], *, lanes: int, lanes_per_team: int, taken: Mapping[str, int], per_lane: int
) -> dict[str, list[str]]:
    """Pick accounts in turn from each workspace, and from each account its oldest deliveries.

    Args:
        due: oldest first.
        lanes: how many accounts at most.
        lanes_per_team: how many accounts of one workspace at most, so that none takes all lanes.
        taken: how many lanes each workspace has already.
        per_lane: how many deliveries of one account at most.

    Returns:
        Connection id to delivery ids, oldest first.
    """
    by_team: dict[str, dict[str, list[str]]] = {}
    for each in due:
        by_team.setdefault(each.team_id, {}).setdefault(each.connection_id, []).append(each.delivery_id)
    chosen: dict[str, list[str]] = {}
    rooms = {team: lanes_per_team - taken.get(team, 0) for team in by_team}
    waiting = deque(deque(list(by_team[team].items())[:room]) for team, room in rooms.items() if room > 0)
    while waiting and len(chosen) < lanes:
        accounts = waiting.popleft()
        connection_id, delivery_ids = accounts.popleft()
        chosen[connection_id] = delivery_ids[:per_lane]
        if accounts:
            waiting.append(accounts)
    return chosen


def find_greedy_teams(due: Iterable[DueDelivery], *, window: int) -> frozenset[str]:
    """Name the workspaces that fill a window so far that others may stand behind it unseen; none if it wasn't full."""
    seen = list(due)
    if len(seen) < window:
        return frozenset()
    counts: dict[str, int] = {}
    for each in seen:
        counts[each.team_id] = counts.get(each.team_id, 0) + 1
    return frozenset(team for team, count in counts.items() if count * 4 >= window)
