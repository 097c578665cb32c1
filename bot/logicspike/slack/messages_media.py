"""Direct messages about a post's pictures and videos on their way to a platform."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ..plugin.types import Post
from ..services.notices import PreparationDelayed, UploadEnded, UploadUnderWay
from .message import Message, actions, build_message, paragraph, quoted
from .mrkdwn import name, prose, show_day_and_time
from .wording import cancel_button, carried, day_and_time, edit_button, target_words

__all__ = ["render_preparation_delayed", "render_upload_ended", "render_upload_under_way"]

_SHORT: Final = 80
_ALL: Final = 100


def render_preparation_delayed(notice: PreparationDelayed, zone: str) -> Message:
    """What a post needs isn't at its platform yet: why, and when that is tried again."""
    delivery, target = notice.delivery, target_words(notice.delivery, notice.platform_title)
    why = prose(notice.explanation)
    heading = _heading(delivery.post)
    due, again = delivery.due_at, notice.again_at
    return build_message(
        f"{heading}: {target}, due {day_and_time(due, zone)}. {why} I'll try again {day_and_time(again, zone)}. "
        "Nothing is lost.",
        paragraph(
            f"*{heading}* · {target} · due {show_day_and_time(due, zone)}\n{why} "
            f"I'll try again {show_day_and_time(again, zone)}, and by myself until it works. Nothing is lost: "
            "the post goes out as soon as everything is there, and never without its files."
        ),
        quoted(delivery.post.text, _SHORT),
        carried(delivery.post.media),
        actions(edit_button(delivery), cancel_button(delivery)),
    )


def render_upload_under_way(notice: UploadUnderWay) -> Message:
    """How far an upload is."""
    title = name(notice.platform_title)
    done = "all sent" if notice.percent >= _ALL else f"{notice.percent} %"
    rest = f" {title} is still at work on it." if notice.percent >= _ALL else ""
    sentence = f"Uploading {_files(notice.delivery.post)} to {target_words(notice.delivery, notice.platform_title)}"
    return build_message(f"{sentence}: {done}.{rest}", paragraph(f"{sentence}: *{done}*.{rest}"))


def render_upload_ended(notice: UploadEnded, zone: str, now: datetime) -> Message:
    """An upload is over, and when the post goes out; or it was stopped."""
    delivery = notice.delivery
    what, target = _files(delivery.post), target_words(delivery, notice.platform_title)
    if not notice.is_done:
        stopped = f"Stopped uploading {what} to {target}."
        return build_message(stopped, paragraph(stopped))
    heading = f"Uploaded {what} to {target}"
    if delivery.due_at <= now:
        return build_message(f"{heading}. The post goes out now.", paragraph(f"{heading}. The post goes out now."))
    return build_message(
        f"{heading}. The post goes out {day_and_time(delivery.due_at, zone)}.",
        paragraph(f"{heading}. The post goes out {show_day_and_time(delivery.due_at, zone)}."),
    )


def _files(post: Post) -> str:
    match len(post.media):
        case 0:
            return "the link's preview"
        case 1:
            return name(post.media[0].name)
        case count:
            return f"{count} files"


def _heading(post: Post) -> str:
    match len(post.media):
        case 0:
            return "The link's preview is not ready yet"
        case 1:
            return f"{name(post.media[0].name)} is not uploaded yet"
        case count:
            return f"{count} files are not uploaded yet"
