"""What stands in for Slack behind the use cases: messages are recorded, files and people are in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from logicspike.domain import Member
from logicspike.plugin import Media, MediaFile
from logicspike.services.media_rules import kind_of
from logicspike.services.notices import Notice
from logicspike.services.people import MemberProfile

N = TypeVar("N")


@dataclass
class RecordingNotifier:
    sent: list[tuple[Member, Notice]] = field(default_factory=list)
    revised: list[tuple[str, Notice]] = field(default_factory=list)
    is_down: bool = False

    async def notify(self, member: Member, notice: Notice) -> str | None:
        if self.is_down:
            return None
        self.sent.append((member, notice))
        return f"D{member.user_id}:{len(self.sent)}"

    async def revise(self, message: str, notice: Notice) -> None:
        self.revised.append((message, notice))

    def of(self, kind: type[N]) -> list[N]:
        return [notice for _, notice in self.sent if isinstance(notice, kind)]

    def revised_to(self, kind: type[N]) -> list[N]:
        return [notice for _, notice in self.revised if isinstance(notice, kind)]


@dataclass
class MemoryFiles:
    """The bytes of a workspace's files, as Slack would hand them out."""

    contents: dict[str, bytes] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    def add(self, content: bytes, *, name: str = "cat.png", content_type: str = "image/png", **facts: str) -> Media:
        media_id = f"F{len(self.contents)}"
        self.contents[media_id] = content
        kind = kind_of(content_type)
        assert kind is not None
        return Media(media_id=media_id, kind=kind, content_type=content_type, size=len(content), name=name, **facts)

    def get(self, team_id: str, media: Media, *, max_bytes: int) -> MediaFile:
        return _KeptFile(self, media)


class _KeptFile(MediaFile):
    def __init__(self, files: MemoryFiles, media: Media) -> None:
        self.media = media
        self._files = files

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        self._files.opened.append(self.media.media_id)

        async def read() -> AsyncIterator[bytes]:
            yield self._files.contents[self.media.media_id]

        yield read()


@dataclass
class Directory:
    admins: set[str] = field(default_factory=lambda: {"UADMIN"})

    async def get_profile(self, member: Member) -> MemberProfile:
        return MemberProfile(name=member.user_id.title(), zone="Europe/Berlin", is_admin=member.user_id in self.admins)

    async def get_workspace_name(self, team_id: str) -> str:
        return f"Workspace {team_id}"

    async def list_admins(self, team_id: str) -> tuple[Member, ...]:
        return tuple(Member(team_id=team_id, user_id=user_id) for user_id in sorted(self.admins))
