"""Scheduled posts, changes to them, and drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..plugin.types import Media
from .connections import Member

__all__ = ["Draft", "PostChange", "ScheduledPost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostChange:
    """What an author wants a scheduled post to become: written down first, then carried to each delivery.

    Attributes:
        text: as written, NFC; with its parts, each parted from the next by a line of dashes.
        link: the first http(s) address in it.
        due_at: when it goes out, aware UTC.
        zone: IANA name of the author's zone.
        wall_time: the local time as understood, ISO 8601 without offset.
        begun_at: when it was written down.
        reaches: the deliveries it is for, each with how many attempts it had by then: one that was tried since has
            gone with what it said before, and stays so however it ends.
        media: its pictures, or its video; ``media_id`` is the Slack file's id.
    """

    text: str
    link: str | None
    due_at: datetime
    zone: str
    wall_time: str
    begun_at: datetime
    reaches: Mapping[str, int]
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPost:
    """A post with its author, time and target accounts; its deliveries carry it out.

    Attributes:
        post_id: ours.
        author: who scheduled it.
        text: as written, NFC; with its parts, each parted from the next by a line of dashes.
        link: the first http(s) address in it.
        due_at: when it goes out, aware UTC.
        zone: IANA name of the zone it was scheduled in.
        wall_time: the local time as understood, ISO 8601 without offset.
        created_at: when it was scheduled.
        revision: how many changes it has seen; the one under way is the next.
        edited_at: when its author last changed it.
        change: the change under way.
        media: its pictures, or its video; ``media_id`` is the Slack file's id.
    """

    post_id: str
    author: Member
    text: str
    link: str | None
    due_at: datetime
    zone: str
    wall_time: str
    created_at: datetime
    revision: int = 0
    edited_at: datetime | None = None
    change: PostChange | None = None
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a member wrote that could not be scheduled as it stood: kept, so that nothing typed is lost.

    Attributes:
        draft_id: ours.
        author: who wrote it.
        text: as written.
        accounts: the accounts as typed.
        connection_ids: the accounts as far as they are known.
        when: the time as typed.
        due_at: the time as far as it is known, aware UTC.
        created_at: when it was written.
        media: its pictures, or its video.
    """

    draft_id: str
    author: Member
    text: str
    created_at: datetime
    accounts: tuple[str, ...] = ()
    connection_ids: tuple[str, ...] = ()
    when: str | None = None
    due_at: datetime | None = None
    media: tuple[Media, ...] = ()
