"""F5: whatever happens, in whatever order, the rules of the delivery machine hold."""

from __future__ import annotations

import pytest
from figures.delivery_machine import DeliveryMachine
from hypothesis import HealthCheck, settings

_BASE = settings(deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


class TestDeliveries(DeliveryMachine.TestCase):  # type: ignore[misc,name-defined]
    """In every run."""

    settings = settings(_BASE, max_examples=100, stateful_step_count=50)


@pytest.mark.chaos
class TestDeliveriesAtLength(DeliveryMachine.TestCase):  # type: ignore[misc,name-defined]
    """Before a release."""

    settings = settings(_BASE, max_examples=500, stateful_step_count=50)
