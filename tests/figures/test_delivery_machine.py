"""F5: whatever happens, in whatever order, the rules of the delivery machine hold."""

from __future__ import annotations

import pytest
from figures.delivery_machine import DeliveryMachine
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from measured import choose_seed, show, size

_BASE = settings(deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


class TestDeliveries(DeliveryMachine.TestCase):  # type: ignore[misc,name-defined]
    """A little in every run; the five hundred below are run by ``make chaos``."""

    settings = settings(_BASE, max_examples=10, stateful_step_count=50)


@pytest.mark.chaos
@pytest.mark.patient
def test_five_hundred_walks_of_fifty_steps_break_no_rule():
    number, walks = choose_seed(), size(500)

    class Machine(DeliveryMachine):
        """One of its own, which carries the seed."""

    run_state_machine_as_test(
        seed(number)(Machine), settings=settings(_BASE, max_examples=walks, stateful_step_count=50)
    )
    show("F5", seed=number, walks=walks, steps_each=50, rules_broken=0)
