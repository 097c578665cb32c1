"""MongoDB behind the ports of ``services.ports``: the only place that knows the database and its drivers.

Every query made on behalf of a member carries the workspace's ``team_id``. ``UNSCOPED`` lists the methods that cannot,
and why; a test listens to every command that is sent and holds the rest to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["UNSCOPED"]

_BY_HASH: Final = "the browser shows a secret, whose hash is all we know of it"
_CLAIMING: Final = "workers serve all workspaces; what they find carries its team_id from then on"
_CALLBACK: Final = "a platform's callback knows nothing of workspaces"

UNSCOPED: Final[Mapping[str, str]] = {
    "PendingStore.find_ticket": _BY_HASH,
    "PendingStore.set_ticket_message": _BY_HASH,
    "PendingStore.spend_ticket": _BY_HASH,
    "PendingStore.take_authorization": _BY_HASH,
    "PendingStore.find_authorization": _BY_HASH,
    "PendingStore.save_result": "a result page is addressed by its random id alone, and says nothing private",
    "PendingStore.find_result": "a result page is addressed by its random id alone, and says nothing private",
    "ConnectionStore.take_lanes": _CLAIMING,
    "ConnectionStore.release_lanes": _CLAIMING,
    "ConnectionStore.close_lane": _CLAIMING,
    "ConnectionStore.pause": "a throttled platform is throttled for all workspaces",
    "ConnectionStore.find_active": _CLAIMING,
    "ConnectionStore.release_refresh_lease": "the owner of a lease is a random value of its own",
    "ConnectionStore.list_due_renewals": _CLAIMING,
    "ConnectionStore.list_owed_notices": _CLAIMING,
    "ConnectionStore.list_due_checks": _CLAIMING,
    "ConnectionStore.list_due_reminders": _CLAIMING,
    "ConnectionStore.hasten_checks": "a grant at a platform knows nothing of workspaces",
    "ConnectionStore.list_stale_choices": "housekeeping for all workspaces",
    "ConnectionStore.list_by_grant": "a grant at a platform knows nothing of workspaces",
    "DeliveryStore.list_due": _CLAIMING,
    "DeliveryStore.list_due_of": _CLAIMING,
    "DeliveryStore.claim": _CLAIMING,
    "DeliveryStore.free_claims": _CLAIMING,
    "DeliveryStore.release_claims": _CLAIMING,
    "DeliveryStore.take_owed": _CLAIMING,
    "DeliveryStore.mark_told": _CLAIMING,
    "DeliveryStore.list_to_prepare": _CLAIMING,
    "DeliveryStore.take_preparing": _CLAIMING,
    "DeliveryStore.release_preparing": "the owner of a lease is a random value of its own",
    "DeliveryStore.postpone": "a throttled platform is throttled for all workspaces",
    "DeliveryStore.list_held_connections": _CLAIMING,
    "DeliveryStore.list_expired_claims": _CLAIMING,
    "DeliveryStore.list_unasked_unknown": _CLAIMING,
    "PlatformEventStore.begin": _CALLBACK,
    "PlatformEventStore.list_due": _CALLBACK,
    "PlatformEventStore.claim": _CALLBACK,
    "PlatformEventStore.finish": _CALLBACK,
    "PlatformEventStore.find_erasure": "whoever asked for an erasure is no member; the code is all we know of them",
    "PostStore.list_changing": "housekeeping for all workspaces",
    "WorkspaceStore.list_uncleared": "housekeeping for all workspaces",
    "RequestLog.is_first": "Slack's request ids are unique across workspaces",
}
"""``Port.method`` to the reason why its query is not limited to one workspace."""
