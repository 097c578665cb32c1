"""Files of Slack: what they are, and their bytes, streamed and checked on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from ..file_types import ENOUGH, find_content_type
from ..plugin.errors import OperatorActionRequired, PlatformUnavailable, PostRejected
from ..plugin.media import MediaFile
from ..plugin.types import Media, MediaKind, Problem
from ..services.media_rules import kind_of, to_size
from .authorize import describe_failure

__all__ = ["SlackFile", "SlackFiles"]

_HOSTS: Final = frozenset({"files.slack.com"})
"""Where Slack keeps files, and the token may go (docs.slack.dev/reference/objects/file-object, checked 2026-11)."""
_SCOPE: Final = "files:read"
_PIECE: Final = 256 * 1024
_DOWNLOAD: Final = aiohttp.ClientTimeout(total=None, connect=10, sock_read=30)
_GONE: Final = frozenset({"file_not_found", "file_deleted", "file_not_available", "not_in_channel", "access_denied"})
_GONE_MODES: Final = frozenset({"tombstone", "hidden_by_limit"})


class SlackFiles:
    """The files of the workspace: a ``MediaSource``.

    Args:
        client: carries the bot token.
        session: shared.
        has_scope: whether the bot token has a scope.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        session: aiohttp.ClientSession,
        has_scope: Callable[[str], bool] = lambda _scope: True,
    ) -> None:
        self._client = client
        self._session = session
        self._has_scope = has_scope

    @property
    def may_be_read(self) -> bool:
        """Whether the app was given the permission to read files, without which Slack shows no field for them."""
        return self._has_scope(_SCOPE)

    def get(self, team_id: str, media: Media, *, max_bytes: int) -> SlackFile:  # noqa: ARG002 - one workspace
        """A file, to be read; nothing is asked for before it is opened."""
        return SlackFile(self, media, max_bytes=max_bytes)

    async def locate(self, media: Media) -> str:
        """Where the bytes of a file are now.

        Raises:
            PlatformUnavailable: Slack doesn't answer.
            PostRejected: the file is gone, or not Slack's to give.
            OperatorActionRequired: the bot lacks the permission to read files.
        """
        return self._read_address(media, await self._ask(media))

    async def _ask(self, media: Media) -> Mapping[str, Any]:
        try:
            answer = await self._client.files_info(file=media.media_id)
            file: Mapping[str, Any] = answer["file"]
        except SlackApiError as error:
            raise _to_refusal(media, describe_failure(error)) from error
        except (SlackClientError, aiohttp.ClientError, TimeoutError, LookupError, ValueError) as error:
            raise _unavailable() from error
        return file

    async def identify(self, file_id: str) -> Media:
        """What a file is, by its content as far as that can be read now, else by what Slack says.

        Raises:
            PlatformUnavailable: Slack doesn't answer.
            PostRejected: it is gone, or neither a picture nor a video.
            OperatorActionRequired: the bot lacks the permission to read files.
        """
        unknown = Media(media_id=file_id, kind=MediaKind.IMAGE, content_type="", size=0, name="The file")
        file = await self._ask(unknown)
        name = " ".join(str(file.get("name") or "").split()) or "The file"
        named = replace(unknown, name=name, size=int(file.get("size") or 0))
        content_type = await self._look_into(named, self._read_address(named, file)) or str(file.get("mimetype"))
        kind = kind_of(content_type)
        if kind is None or not named.size:
            raise PostRejected(Problem(message=f"{name} is neither a picture nor a video.", field="media"))
        return replace(named, kind=kind, content_type=content_type)

    async def _look_into(self, media: Media, url: str) -> str | None:
        async with self.download(url) as response:
            _check_answer(media, response)
            try:
                return find_content_type(await _read_head(response))
            except (aiohttp.ClientError, TimeoutError) as error:
                raise _unavailable() from error

    def _read_address(self, media: Media, file: Mapping[str, Any]) -> str:
        if file.get("mode") in _GONE_MODES:
            raise _gone(media)
        url = str(file.get("url_private_download") or "")
        if not url or not self._is_slacks(url):
            raise PostRejected(
                Problem(message=f"{media.name} isn't kept in Slack itself. Please upload the file.", field="media")
            )
        return url

    def _is_slacks(self, url: str) -> bool:
        """Whether the token may go there: to Slack's files, or, in the sandbox, to the Slack that we talk to."""
        address, ours = urlsplit(url), urlsplit(self._client.base_url)
        if (address.scheme, address.netloc) == (ours.scheme, ours.netloc):
            return True
        return address.scheme == "https" and address.netloc in _HOSTS

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask for a file's bytes, by an address from ``locate``; redirects are not followed: they lead to a login.

        Raises:
            PlatformUnavailable: Slack doesn't answer.
        """
        headers = {"Authorization": f"Bearer {self._client.token}"}
        try:
            response = await self._session.get(url, headers=headers, allow_redirects=False, timeout=_DOWNLOAD)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable() from error
        async with response:
            yield response


class SlackFile(MediaFile):
    """A file of Slack's, read anew each time it is opened.

    Args:
        files: where it is.
        media: what it was when the post was scheduled.
        max_bytes: where reading is broken off.
    """

    def __init__(self, files: SlackFiles, media: Media, *, max_bytes: int) -> None:
        self.media = media
        self._files = files
        self._max_bytes = max_bytes

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read it from the beginning.

        Raises:
            PlatformUnavailable: Slack doesn't answer.
            PostRejected: it is gone, or not what it was when the post was scheduled.
            OperatorActionRequired: the bot lacks the permission to read files.
        """
        url = await self._files.locate(self.media)
        async with self._files.download(url) as response:
            _check_answer(self.media, response)
            yield self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        count = 0
        try:
            # Small files, and the beginning of large ones, come in one piece, by which the type is told.
            head = await _read_head(response)
            self._check_type(head)
            pieces = response.content.iter_chunked(_PIECE)
            piece = head
            while piece:
                count += len(piece)
                self._check_size(count)
                yield piece
                piece = await anext(pieces, b"")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable() from error
        if count != self.media.size:
            raise _changed(self.media)

    def _check_size(self, count: int) -> None:
        if count > self._max_bytes:
            raise PostRejected(
                Problem(message=f"{self.media.name} has more than {to_size(self._max_bytes)}.", field="media")
            )
        if count > self.media.size:
            raise _changed(self.media)

    def _check_type(self, head: bytes) -> None:
        found = find_content_type(head)
        if found != self.media.content_type:
            is_page = found == "text/html"
            raise _gone(self.media) if is_page else _wrong_type(self.media, found)


def _check_answer(media: Media, response: aiohttp.ClientResponse) -> None:
    if response.status in {408, 429} or response.status >= 500:
        raise _unavailable()
    # A page instead of the file is Slack's login: the token may not read it.
    if response.status != 200 or response.content_type == "text/html":
        raise _gone(media)


async def _read_head(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.readexactly(ENOUGH)
    except asyncio.IncompleteReadError as error:
        return error.partial


def _to_refusal(media: Media, code: str) -> Exception:
    if code in _GONE:
        return _gone(media)
    if code == "missing_scope":
        return OperatorActionRequired(
            f"I may not read files in Slack yet: the Slack app lacks the permission {_SCOPE}. "
            "Add it and install the app anew."
        )
    return _unavailable()


def _gone(media: Media) -> PostRejected:
    return PostRejected(
        Problem(
            message=f"I can't read {media.name} in Slack any more. It may have been deleted. Please upload it again.",
            field="media",
        )
    )


def _changed(media: Media) -> PostRejected:
    return PostRejected(
        Problem(
            message=f"{media.name} is not the file any more that you scheduled. Please upload it again.", field="media"
        )
    )


def _wrong_type(media: Media, found: str | None) -> PostRejected:
    really = f"it is {found}" if found else "I can't tell what it is"
    return PostRejected(Problem(message=f"{media.name} should be {media.content_type}, but {really}.", field="media"))


def _unavailable() -> PlatformUnavailable:
    return PlatformUnavailable("Slack doesn't hand out the file right now.")
