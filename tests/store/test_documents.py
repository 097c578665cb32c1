"""What is stored, as pure values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from logicspike.domain import ConnectionStatus
from logicspike.store.documents import (
    changes_to,
    connection_from_document,
    connection_to_document,
    delivery_from_document,
    delivery_to_document,
)


def test_fields_of_a_later_version_are_ignored(new_delivery):
    delivery = new_delivery()
    document = delivery_to_document(delivery)
    document["post"]["mood"] = "happy"
    assert delivery == delivery_from_document({**document, "mood": "happy"})


def test_none_is_left_out(new_delivery):
    document = delivery_to_document(new_delivery())
    assert "claimed_until" not in document
    assert None not in document.values()


def test_times_are_stored_in_utc_and_come_back_so(new_connection):
    berlin = datetime(2026, 11, 23, 13, tzinfo=timezone(timedelta(hours=1)))
    document = connection_to_document(new_connection(created_at=berlin))
    assert document["created_at"].tzinfo is UTC
    naive = {**document, "created_at": document["created_at"].replace(tzinfo=None)}
    assert connection_from_document(naive).created_at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(new_connection):
    with pytest.raises(ValueError, match="without a zone"):
        connection_to_document(new_connection(created_at=datetime(2026, 11, 23)))  # noqa: DTZ001  # that is the point


def test_whether_an_account_was_chosen_stands_beside_the_status(new_connection):
    connection = new_connection()
    assert connection_to_document(connection)["is_chosen"] is True
    waiting = replace(connection, status=ConnectionStatus.PENDING_CHOICE)
    assert connection_to_document(waiting)["is_chosen"] is False


def test_changes_never_touch_the_id_the_workspace_or_foreign_fields():
    changes = changes_to({"_id": 1, "team_id": "T1", "a": 1}, {"a", "b"})
    assert changes == {"$set": {"a": 1}, "$unset": {"b": ""}}


def test_a_connection_from_before_credential_sets_came_by_the_platforms_own_app(new_connection):
    document = connection_to_document(new_connection())
    del document["credential_set"]
    assert connection_from_document(document).credential_set == ""
