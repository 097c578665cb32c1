"""What Facebook says about photos and videos: the third part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import ErrorRow, OutcomeUnknown, PlatformUnavailable, PostRejected, ReconnectRequired

from .refusals import CODE, EITHER, MESSAGE
from .row_parts import GUIDE, MAYBE_LIVE, POSTIZ, PUBLISH, UPLOAD, VIDEO_GUIDE, WITH_MEDIA

__all__ = ["MEDIA_ROWS"]

_PHOTOS: Final = "developers.facebook.com/docs/graph-api/reference/page/photos, checked 2026-11-23"
# Those that Facebook's own app tries again, and the wrong offset, after which the bot has tried already.
_BROKEN_OFF: Final = frozenset({1363019, 1363021, 1363030, 1363033, 1363037, 1363041})

MEDIA_ROWS: Final = (
    ErrorRow(
        name="1366046",
        on=WITH_MEDIA,
        signs={EITHER: frozenset({1366046})},
        error=PostRejected,
        sentence="Facebook doesn't take this photo: it is too large for it (less than 4 MB is safe), or not of a kind "
        "that Facebook knows. Use a smaller JPEG or PNG.",
        field="media",
        source=_PHOTOS + "; the subcode: " + POSTIZ,
    ),
    ErrorRow(
        name="1366051",
        on=WITH_MEDIA,
        signs={EITHER: frozenset({1366051})},
        error=PostRejected,
        sentence="Facebook has this photo on the Page already. Use another one.",
        field="media",
        source=_PHOTOS + "; the subcode: " + POSTIZ,
    ),
    ErrorRow(
        name="324",
        on=WITH_MEDIA,
        signs={EITHER: frozenset({324, 2069019})},
        error=PostRejected,
        sentence="Facebook can't use this file. Check that it opens, or use another one.",
        field="media",
        source=GUIDE + "; 2069019: " + POSTIZ,
    ),
    ErrorRow(
        name="1363042",
        on=WITH_MEDIA,
        signs={EITHER: frozenset({1363042})},
        error=ReconnectRequired,
        sentence="Facebook says that the bot may not upload a video here. Connect Facebook again and leave everything "
        "ticked.",
        lacks_permission=True,
        source=VIDEO_GUIDE,
    ),
    ErrorRow(
        name="100 video",
        on=WITH_MEDIA,
        signs={CODE: frozenset({100}), MESSAGE: frozenset({"(#100) No permission to publish the video"})},
        error=ReconnectRequired,
        sentence="Facebook says that the bot may not publish a video here. Connect Facebook again and leave everything "
        "ticked.",
        lacks_permission=True,
        source="github.com/mrdotb/facebook-api-video-upload/issues/21, checked 2026-11-25",
    ),
    ErrorRow(
        name="1363023",
        on=WITH_MEDIA,
        signs={EITHER: frozenset({1363023})},
        error=PostRejected,
        sentence="Facebook finds this video too large; it takes up to 2 GB. Use a smaller one.",
        field="media",
        source=VIDEO_GUIDE,
    ),
    ErrorRow(
        name="1363022",
        on=WITH_MEDIA,
        signs={EITHER: frozenset({1363022})},
        error=PostRejected,
        sentence="Facebook finds this video too small to be one. Check that the file opens, or use another one.",
        field="media",
        source=VIDEO_GUIDE,
    ),
    ErrorRow(
        name="352",
        on=WITH_MEDIA,
        signs={CODE: frozenset({352})},
        error=PostRejected,
        sentence="Facebook doesn't know the format of this video. Use an MP4 with H.264.",
        field="media",
        source="github.com/restfb/restfb/issues/242, checked 2026-11-25",
    ),
    ErrorRow(
        name="6001",
        on=UPLOAD,
        signs={EITHER: frozenset({390, 6001, *_BROKEN_OFF})},
        error=PlatformUnavailable,
        sentence="Facebook broke off the upload of the video. It will be tried again.",
        source=VIDEO_GUIDE + "; 6001: github.com/facebookarchive/php-graph-sdk/issues/821; 390: "
        "github.com/darkwhispering/facebook-sdk-codeigniter/issues/8",
    ),
    ErrorRow(
        name="6000",
        on=UPLOAD,
        signs={CODE: frozenset({6000})},
        error=PlatformUnavailable,
        sentence="Facebook had a problem with the video. It will be tried again; if that doesn't help, use another "
        "file.",
        source=VIDEO_GUIDE + "; 6000/1363045: github.com/yikart/AiToEarn/issues/592",
    ),
    ErrorRow(
        name="6000",
        on=PUBLISH,
        signs={CODE: frozenset({390, 6000, 6001})},
        error=OutcomeUnknown,
        sentence=MAYBE_LIVE,
        source=VIDEO_GUIDE,
    ),
)
