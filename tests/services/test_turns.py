from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logicspike.domain import DueDelivery
from logicspike.services.turns import choose_fairly, find_greedy_teams


def due(*names: str) -> list[DueDelivery]:
    """Deliveries from names such as "A1": workspace A, its account 1."""
    return [DueDelivery(delivery_id=f"d{n}", team_id=name[0], connection_id=name) for n, name in enumerate(names)]


def choose(found, *, lanes=10, lanes_per_team=10, taken=None, per_lane=10):
    return choose_fairly(found, lanes=lanes, lanes_per_team=lanes_per_team, taken=taken or {}, per_lane=per_lane)


def test_workspaces_take_turns():
    assert ["A1", "B1", "A2"] == list(choose(due("A1", "A2", "A3", "B1"), lanes=3))


def test_an_accounts_oldest_come_first_up_to_the_lanes_size():
    assert {"A1": ["d0", "d1"]} == choose(due("A1", "A1", "A1"), per_lane=2)


def test_no_workspace_takes_all_lanes_even_in_several_turns():
    assert ["A1", "B1"] == list(choose(due("A1", "A2", "A3", "B1"), lanes_per_team=3, taken={"A": 2}))
    assert ["B1"] == list(choose(due("A1", "B1"), lanes_per_team=2, taken={"A": 2}))


def test_only_a_full_window_has_greedy_workspaces():
    assert frozenset() == find_greedy_teams(due("A1", "A1", "A1"), window=4)
    assert {"A"} == find_greedy_teams(due("A1", "A2", "A3", "A1", "B1", "C1", "D1", "E1"), window=8)


@given(st.lists(st.sampled_from(["A1", "A2", "A3", "B1", "B2", "C1"]), max_size=60), st.integers(0, 8))
def test_what_is_chosen_was_due_and_keeps_its_order(names, lanes):
    found = due(*names)
    chosen = choose(found, lanes=lanes, lanes_per_team=2, per_lane=3)

    assert len(chosen) <= lanes
    for connection_id, ids in chosen.items():
        assert ids == [each.delivery_id for each in found if each.connection_id == connection_id][:3]
    teams = {connection_id[0] for connection_id in chosen}
    if lanes >= 3:
        assert {each.team_id for each in found} == teams
