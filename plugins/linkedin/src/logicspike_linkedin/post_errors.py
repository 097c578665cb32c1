"""What LinkedIn says about a post: the second part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import ErrorRow, Operation, PlatformUnavailable, PostRejected

from .refusals import CODE, NAMES_THE_POST

__all__ = ["POST_ROWS"]

_PUBLISH: Final = frozenset({Operation.PUBLISH})

_DUPLICATE: Final = "github.com/Arisamiga/Linkedin-RSS/issues/5 (status 422), checked 2026-11-23"
_POSTS: Final = "learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-23"
_VIDEOS: Final = (
    "learn.microsoft.com/linkedin/marketing/community-management/shares/videos-api (by a public digest), checked "
    "2026-11-25"
)

POST_ROWS: Final = (
    ErrorRow(
        name="DUPLICATE_POST",
        on=_PUBLISH,
        signs={CODE: frozenset({"DUPLICATE_POST"})},
        given=(NAMES_THE_POST,),
        error=PostRejected,
        sentence="LinkedIn has this very post from you already and won't publish it twice. It is already live: "
        "{link} To post it anew, change the text.",
        source=_DUPLICATE,
    ),
    ErrorRow(
        name="DUPLICATE_POST without its address",
        on=_PUBLISH,
        signs={CODE: frozenset({"DUPLICATE_POST"})},
        error=PostRejected,
        sentence="LinkedIn has this very post from you already and won't publish it twice. To post it anew, change "
        "the text.",
        source=_DUPLICATE,
    ),
    ErrorRow(
        name="FIELD_LENGTH_TOO_LONG",
        on=_PUBLISH,
        signs={CODE: frozenset({"FIELD_LENGTH_TOO_LONG"})},
        error=PostRejected,
        sentence="LinkedIn finds the text too long. Shorten it and schedule it again.",
        source=_POSTS,
    ),
    ErrorRow(
        name="INVALID_VALUE_FOR_FIELD",
        on=_PUBLISH,
        signs={CODE: frozenset({"INVALID_VALUE_FOR_FIELD", "MISSING_FIELD", "INVALID_URN_TYPE", "INVALID_URN_ID"})},
        error=PostRejected,
        sentence="LinkedIn doesn't take the post as it is. Change the text or the link and schedule it again.",
        source=_POSTS,
    ),
    ErrorRow(
        name="MEDIA_ASSET_PROCESSING_FAILED",
        on=_PUBLISH,
        signs={CODE: frozenset({"MEDIA_ASSET_PROCESSING_FAILED", "UPDATING_ASSET_FAILED", "EXPIRED_UPLOAD_URL"})},
        error=PostRejected,
        sentence="LinkedIn could not process the picture or video. Check that it opens, or use another one.",
        field="media",
        source=_VIDEOS,
    ),
    ErrorRow(
        name="MEDIA_ASSET_WAITING_UPLOAD",
        on=_PUBLISH,
        signs={CODE: frozenset({"MEDIA_ASSET_WAITING_UPLOAD"})},
        error=PlatformUnavailable,
        sentence="LinkedIn is still working on the picture or video; nothing was posted.",
        field="media",
        source=_VIDEOS,
    ),
    ErrorRow(
        name="CONFLICT",
        on=_PUBLISH,
        signs={CODE: frozenset({"CONFLICT"})},
        error=PlatformUnavailable,
        sentence="LinkedIn was busy with this account; nothing was posted.",
        source=_POSTS,
    ),
)
