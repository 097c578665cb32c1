"""The small Slack's files: uploaded by members, told of by ``files.info``, handed out to whoever has the token."""

from __future__ import annotations

import hmac
import mimetypes
import secrets
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from .slack_state import TEAM, Changes, Clock, Json

__all__ = ["MAX_FILE_BYTES", "FakeFile", "FakeFiles"]

MAX_FILE_BYTES: Final = 100 * 1024 * 1024
"""Files are kept in memory here; Slack itself takes a gigabyte."""
_LOGIN: Final = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to Acme</body></html>"


@dataclass(slots=True, kw_only=True)
class FakeFile:
    """A file as Slack keeps it; the type is guessed from its name, as Slack does for what it can't open."""

    id: str
    user: str
    name: str
    content: bytes = field(repr=False)
    created: int
    is_deleted: bool = False

    @property
    def mimetype(self) -> str:
        """What its name says it is."""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    def to_json(self, base_url: str) -> dict[str, Any]:
        """The file object: docs.slack.dev/reference/objects/file-object, checked 2026-11-25."""
        place = f"{base_url}/files-pri/{TEAM.id}-{self.id}"
        name = quote(self.name, safe="")
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.name,
            "mimetype": self.mimetype,
            "filetype": PurePath(self.name).suffix.removeprefix(".").lower() or "binary",
            "pretty_type": PurePath(self.name).suffix.removeprefix(".").upper() or "Binary",
            "user": self.user,
            "user_team": TEAM.id,
            "editable": False,
            "size": len(self.content),
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": False,
            "url_private": f"{place}/{name}",
            "url_private_download": f"{place}/download/{name}",
        }


class FakeFiles:
    """All files of the workspace.

    Args:
        clock: the sandbox's time.
        changes: told of each upload.
        bot_token: what opens them, if the app may read files.
    """

    def __init__(self, *, clock: Clock, changes: Changes, bot_token: str) -> None:
        self._clock = clock
        self._changes = changes
        self._token = bot_token
        self._files: dict[str, FakeFile] = {}
        self.base_url = "http://127.0.0.1"
        self.downloads: list[str] = []

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the paths of private files."""
        router.add_get("/files-pri/{place}/{name}", self._serve)
        router.add_get("/files-pri/{place}/download/{name}", self._serve)

    def upload(self, user_id: str, name: str, content: bytes) -> FakeFile:
        """Keep a file of this member's."""
        file = FakeFile(
            id=f"F0{secrets.token_hex(5).upper()}",
            user=user_id,
            name=name,
            content=content,
            created=int(self._clock.now().timestamp()),
        )
        self._files[file.id] = file
        self._changes.note()
        return file

    def delete(self, file_id: str) -> None:
        """Delete a file, as its owner does."""
        self._files[file_id].is_deleted = True

    def find(self, file_id: str) -> FakeFile | None:
        """A file, unless it never was; it may be deleted."""
        return self._files.get(file_id)

    def print_files(self, file_ids: list[str]) -> list[Json]:
        """File objects as a form reports them.

        Raises:
            KeyError: there is no such file.
        """
        return [self._files[file_id].to_json(self.base_url) for file_id in file_ids]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        file = self._files.get(request.match_info["place"].partition("-")[2])
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return web.Response(status=302, headers={"Location": f"{self.base_url}/?redir=files"})
        if file is None or file.is_deleted:
            return web.Response(status=404, text=_LOGIN, content_type="text/html")
        self.downloads.append(file.id)
        return web.Response(body=file.content, content_type=file.mimetype)
