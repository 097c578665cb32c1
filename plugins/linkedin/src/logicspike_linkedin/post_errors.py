"""What LinkedIn says about a post and its media: the last part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import ErrorRow, PlatformUnavailable, PostRejected, PreparationLost

from .refusals import CODE, COMMENTING, ITS_FORMAT, NAMES_THE_POST, STATUS, WITH_MEDIA
from .row_parts import POSTING, POSTS, PREPARE, PUBLISH, VIDEOS

__all__ = ["MEDIA_FAILED", "POST_ROWS"]

_DUPLICATE: Final = "github.com/Arisamiga/Linkedin-RSS/issues/5 (status 422), checked 2026-11-23"

MEDIA_FAILED: Final = "LinkedIn could not process the picture or video. Check that it opens, or use another one."

_CONTENT_ROWS: Final = (
    ErrorRow(
        name="DUPLICATE_POST",
        on=PUBLISH,
        signs={CODE: frozenset({"DUPLICATE_POST"})},
        given=(NAMES_THE_POST,),
        error=PostRejected,
        sentence="LinkedIn has this very post from you already and won't publish it twice. It is already live: "
        "{link}. To post it anew, change the text.",
        source=_DUPLICATE,
    ),
    ErrorRow(
        name="DUPLICATE_POST without its address",
        on=PUBLISH,
        signs={CODE: frozenset({"DUPLICATE_POST"})},
        error=PostRejected,
        sentence="LinkedIn has this very post from you already and won't publish it twice. To post it anew, change "
        "the text.",
        source=_DUPLICATE,
    ),
    ErrorRow(
        name="FIELD_LENGTH_TOO_LONG",
        on=PUBLISH,
        signs={CODE: frozenset({"FIELD_LENGTH_TOO_LONG"})},
        error=PostRejected,
        sentence="LinkedIn finds the text too long. Shorten it and schedule it again.",
        source=POSTS,
    ),
    # For some seconds a new post can't be commented on, and a deleted one never can.
    ErrorRow(
        name="404 for the post",
        on=PUBLISH,
        signs={STATUS: frozenset({404})},
        given=(ITS_FORMAT, COMMENTING),
        error=PlatformUnavailable,
        sentence="LinkedIn doesn't find the post to comment on; it can take a moment, or the post was deleted.",
        source="observed, unattributed, checked 2026-11-25",
    ),
)

_MEDIA_ROWS: Final = (
    ErrorRow(
        name="upload gone",
        on=PUBLISH,
        signs={CODE: frozenset({"INVALID_URN_ID", "INVALID_URN_TYPE"})},
        given=(WITH_MEDIA,),
        error=PreparationLost,
        sentence="LinkedIn no longer has the picture or video; it is uploaded again.",
        source=POSTS,
    ),
    ErrorRow(
        name="EXPIRED_UPLOAD_URL",
        on=PREPARE,
        signs={CODE: frozenset({"EXPIRED_UPLOAD_URL"})},
        error=PlatformUnavailable,
        sentence="LinkedIn took too long with the upload. It is tried again.",
        source=VIDEOS,
    ),
    ErrorRow(
        name="MEDIA_ASSET_PROCESSING_FAILED",
        on=POSTING,
        signs={CODE: frozenset({"MEDIA_ASSET_PROCESSING_FAILED", "UPDATING_ASSET_FAILED"})},
        error=PostRejected,
        sentence=MEDIA_FAILED,
        field="media",
        source=VIDEOS,
    ),
    ErrorRow(
        name="MEDIA_ASSET_WAITING_UPLOAD",
        on=POSTING,
        signs={CODE: frozenset({"MEDIA_ASSET_WAITING_UPLOAD"})},
        error=PlatformUnavailable,
        sentence="LinkedIn is still working on the picture or video; nothing was posted.",
        source=VIDEOS,
    ),
)

_LAST_ROWS: Final = (
    ErrorRow(
        name="INVALID_VALUE_FOR_FIELD",
        on=PUBLISH,
        signs={CODE: frozenset({"INVALID_VALUE_FOR_FIELD", "MISSING_FIELD", "INVALID_URN_TYPE", "INVALID_URN_ID"})},
        error=PostRejected,
        sentence="LinkedIn doesn't take the post as it is. Change the text or the link and schedule it again.",
        source=POSTS,
    ),
    ErrorRow(
        name="CONFLICT",
        on=POSTING,
        signs={CODE: frozenset({"CONFLICT"})},
        error=PlatformUnavailable,
        sentence="LinkedIn was busy with this account; nothing was posted.",
        source=POSTS,
    ),
)

POST_ROWS: Final = (*_CONTENT_ROWS, *_MEDIA_ROWS, *_LAST_ROWS)
