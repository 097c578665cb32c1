"""What is kept of posts, and where their files and their links' cards come from."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from ...domain import Delivery, Draft, DueDelivery, Member, ScheduledPost
from ...plugin.media import LinkCard, MediaFile
from ...plugin.types import Media

__all__ = ["DeliveryStore", "LinkReader", "MediaSource", "PostStore"]


class DeliveryStore(Protocol):
    """Deliveries (``deliveries``)."""

    async def insert_many(self, deliveries: Collection[Delivery]) -> None:
        """Keep new deliveries."""
        ...

    async def list_due(
        self,
        now: datetime,
        *,
        limit: int,
        not_connections: Collection[str] = (),
        not_teams: Collection[str] = (),
    ) -> tuple[DueDelivery, ...]:
        """What is scheduled and due across workspaces, oldest first, leaving out some accounts and workspaces."""
        ...

    async def claim(
        self, delivery_ids: Collection[str], *, now: datetime, owner: str, until: datetime
    ) -> tuple[Delivery, ...]:
        """Claim those that are still scheduled and due, each for exactly one caller, under one fresh claim_token."""
        ...

    async def list_due_of(self, connection_id: str, now: datetime, *, limit: int) -> tuple[str, ...]:
        """Ids of what is scheduled and due for one account, oldest first."""
        ...

    async def free_claims(self, delivery_ids: Collection[str], *, now: datetime) -> tuple[str, ...]:
        """Put those back on the schedule whose claim's lease is over and of which nothing was sent; which ones."""
        ...

    async def release_claims(self, connection_ids: Collection[str], *, owner: str) -> None:
        """Put back on the schedule what one process has claimed of these accounts, and of which nothing was sent."""
        ...

    async def postpone(self, *, until: datetime, connection_id: str | None = None, platform: str | None = None) -> int:
        """Let nothing of an account, or of a whole platform, be tried before a time; how many were moved."""
        ...

    async def swap(self, before: Delivery, after: Delivery) -> bool:
        """Move a delivery if it is still stored as ``before`` says, by state, claim and history; else change nothing.

        Raises:
            IllegalTransition: the state machine has no such move.
        """
        ...

    async def find(self, team_id: str, delivery_id: str) -> Delivery | None:
        """One delivery of the workspace."""
        ...

    async def list_open(self, team_id: str, *, author_id: str | None = None, limit: int = 50) -> tuple[Delivery, ...]:
        """The workspace's deliveries that aren't settled (scheduled, claimed, publishing, held, unknown), by due_at."""
        ...

    async def list_waiting(self, team_id: str, connection_id: str) -> tuple[Delivery, ...]:
        """Scheduled, claimed, publishing and held deliveries of a connection, by due_at."""
        ...

    async def list_expired_claims(self, now: datetime, *, limit: int = 1000) -> tuple[Delivery, ...]:
        """Deliveries, across workspaces, that are claimed or publishing though their lease is over.

        Behind them comes what is still being published under the same claims: whose lease was renewed for it.
        """
        ...

    async def list_unasked_unknown(self, settled_before: datetime, *, limit: int = 100) -> tuple[Delivery, ...]:
        """Unknown deliveries, across workspaces, settled by the given time, whose author was not asked yet."""
        ...

    async def list_held_connections(self) -> tuple[str, ...]:
        """Ids of the connections, across workspaces, for whose reconnect deliveries are held."""
        ...

    async def list_for_post(self, team_id: str, post_id: str) -> tuple[Delivery, ...]:
        """All deliveries of a scheduled post, whatever their state, by id."""
        ...

    async def list_team_waiting(self, team_id: str) -> tuple[Delivery, ...]:
        """All scheduled and held deliveries of a workspace: for when it removes the bot."""
        ...

    async def forget_account(self, team_id: str, connection_id: str, *, account_name: str) -> None:
        """Let all deliveries of a connection, settled ones too, say another name for its account."""
        ...

    async def take_owed(self, *, owner: str, now: datetime, until: datetime, limit: int) -> tuple[Delivery, ...]:
        """Become the only one who tells the authors of these deliveries, across workspaces, what has become of them."""
        ...

    async def mark_told(self, delivery_ids: Collection[str], *, owner: str) -> None:
        """Note that their authors were told, unless something else has become of them since."""
        ...

    async def list_to_prepare(
        self, now: datetime, *, limit: int, not_connections: Collection[str] = ()
    ) -> tuple[DueDelivery, ...]:
        """What is to be prepared by now across workspaces and nobody prepares, the longest due first."""
        ...

    async def take_preparing(
        self, delivery_ids: Collection[str], *, owner: str, now: datetime, until: datetime
    ) -> tuple[Delivery, ...]:
        """Become the only one who prepares these deliveries; those that nobody else took before."""
        ...

    async def renew_preparing(self, delivery: Delivery, *, owner: str, until: datetime) -> bool:
        """Go on being the only one; False when it isn't ours any more, or isn't to be published as it was."""
        ...

    async def settle_preparing(self, delivery: Delivery, *, owner: str, try_at: datetime | None = None) -> bool:
        """Write its ``preparation``, if it's still ours and says what it said; and let it be tried by a time."""
        ...

    async def release_preparing(self, delivery_id: str, *, owner: str) -> None:
        """Let others prepare it, if it's still ours."""
        ...


class PostStore(Protocol):
    """Scheduled posts and drafts (``scheduled_posts``)."""

    async def insert(self, post: ScheduledPost) -> None:
        """Keep a scheduled post."""
        ...

    async def find(self, team_id: str, post_id: str) -> ScheduledPost | None:
        """One scheduled post of the workspace."""
        ...

    async def swap(self, before: ScheduledPost, after: ScheduledPost) -> bool:
        """Write ``after`` if revision and change under way are still those of ``before``; else change nothing."""
        ...

    async def list_changing(self, begun_before: datetime, *, limit: int = 100) -> tuple[ScheduledPost, ...]:
        """Posts, across workspaces, whose change was begun by the given time and is not carried through."""
        ...

    async def save_draft(self, draft: Draft) -> None:
        """Keep a draft, or what it has become; it goes by itself after seven days."""
        ...

    async def find_draft(self, author: Member, draft_id: str) -> Draft | None:
        """A member's own draft."""
        ...

    async def delete_draft(self, author: Member, draft_id: str) -> bool:
        """Delete a draft; False when it was gone, so that of two clicks one counts."""
        ...


class MediaSource(Protocol):
    """Where the bytes of a post's pictures and videos are: in Slack."""

    def get(self, team_id: str, media: Media, *, max_bytes: int) -> MediaFile:
        """The file of a workspace, to be read; nothing is asked for before it is opened.

        Args:
            team_id: whose.
            media: what was scheduled; ``media_id`` is the Slack file's.
            max_bytes: where reading is broken off.
        """
        ...


class LinkReader(Protocol):
    """What links lead to."""

    async def read(self, link: str) -> LinkCard | None:
        """Title, description and picture of the page behind a link; None where there is none to be had."""
        ...
