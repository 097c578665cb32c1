"""What X says about pictures and videos, while they are uploaded and when a post is to have them."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import ErrorRow, PlatformUnavailable, PostRejected, PreparationLost

from .refusals import CODE, DETAIL, LONG_VIDEO, MESSAGE, PROCESSING, STATUS, TYPE
from .row_parts import ERRORS_PAGE, MEDIA_IDS, MEDIA_PAGE, OLD_CODES, PREPARE, PUBLISH

__all__ = ["UPLOAD_ROWS"]

_NOT_PROCESSED: Final = (
    "X can't use this file. Videos: MP4 or MOV with H.264 and AAC, 0.5 seconds to 20 minutes, 60 frames a second at "
    "most; GIFs: 350 frames at most."
)
_NOT_TAKEN: Final = "X does not take this file. Save it anew as JPEG, PNG, WebP, GIF or MP4, or choose another one."
_TOO_LARGE: Final = "X says that this file is too large. Use a smaller one."
_LOST: Final = "X lost sight of an upload. Nothing was posted; the bot uploads it again."
_NOT_ATTACHED: Final = (
    "X did not take this post's files; it was not posted. The bot uploads them anew. If that doesn't help: X takes "
    "videos of 60 frames a second and 1280×1024 at most."
)
_LONG: Final = "X takes videos of up to {minutes} minutes from this account. Use a shorter one."

UPLOAD_ROWS: Final = (
    ErrorRow(
        name="failed processing",
        on=PREPARE,
        signs={PROCESSING: frozenset({"failed"})},
        error=PostRejected,
        sentence=_NOT_PROCESSED,
        field="media",
        source=f"github.com/plhery/node-twitter-api-v2/issues/243, checked 2026-11-25; the limits: {MEDIA_PAGE}",
    ),
    ErrorRow(
        name="upload not found",
        on=PREPARE,
        signs={MESSAGE: frozenset({"BadRequest: Not found"})},
        error=PlatformUnavailable,
        sentence=_LOST,
        source="github.com/xdevplatform/xurl/issues/18, checked 2026-11-25",
    ),
    ErrorRow(
        name="413",
        on=PREPARE,
        signs={STATUS: frozenset({413})},
        error=PostRejected,
        sentence=_TOO_LARGE,
        field="media",
        source="github.com/trypostit/trypost, tests of XPublishException, checked 2026-11-25",
    ),
    ErrorRow(
        name="invalid file",
        on=PREPARE,
        signs={TYPE: frozenset({"invalid-request"})},
        error=PostRejected,
        sentence=_NOT_TAKEN,
        field="media",
        source=ERRORS_PAGE,
    ),
    # X says the same of uploads that it has forgotten and of files that it will attach to no post.
    ErrorRow(
        name="invalid media IDs",
        on=PUBLISH,
        signs={MESSAGE: frozenset({"Your media IDs are invalid"})},
        error=PreparationLost,
        sentence=_NOT_ATTACHED,
        source=f"{MEDIA_IDS}; that X says so of expired uploads is assumed",
    ),
    ErrorRow(
        name="324 or 325",
        on=PUBLISH,
        signs={CODE: frozenset({324, 325})},
        error=PreparationLost,
        sentence=_NOT_ATTACHED,
        source=OLD_CODES,
    ),
    ErrorRow(
        name="long video",
        on=PUBLISH,
        signs={DETAIL: frozenset({LONG_VIDEO})},
        error=PostRejected,
        sentence=_LONG,
        field="media",
        source=MEDIA_PAGE,
    ),
)
