"""How accounts and posts are named in messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from slack_sdk.models.blocks import ButtonElement, ConfirmObject, ContextBlock

from ..domain import Connection, Delivery, DeliveryState
from ..plugin.types import Account, Media, MediaKind
from ..services.measuring import Measured
from .message import ask_first, button, link_button, note
from .mrkdwn import escape, is_web_address, link, name, one_line
from .surface import LINK_OPEN, POST_CANCEL, POST_EDIT
from .times import describe_clock, describe_day, find_zone

__all__ = [
    "NO_TITLES",
    "Titles",
    "account_facts",
    "account_words",
    "can_change",
    "cancel_button",
    "carried",
    "count_posts",
    "day_and_time",
    "edit_button",
    "join_words",
    "kind_words",
    "measured_words",
    "media_words",
    "parts_words",
    "posts_are",
    "preview",
    "preview_of",
    "progress_words",
    "say",
    "state_words",
    "target_words",
    "title_of",
    "unpublished_media",
    "view_button",
    "whole_text",
]

Titles: TypeAlias = Mapping[str, str]
"""What people read for each platform's name."""

NO_TITLES: Final[Titles] = MappingProxyType({})

_PREVIEW_UNITS: Final = 80
_KINDS: Final = {"page": "Page", "organization": "Company page", "profile": "Profile"}
_MEDIA: Final = {
    MediaKind.IMAGE: ("1 picture", "pictures"),
    MediaKind.GIF: ("1 GIF", "GIFs"),
    MediaKind.VIDEO: ("1 video", "videos"),
}
_STATE_WORDS: Final = {
    DeliveryState.SCHEDULED: "Scheduled",
    DeliveryState.CLAIMED: "Publishing",
    DeliveryState.PUBLISHING: "Publishing",
    DeliveryState.PUBLISHED: "Published",
    DeliveryState.HELD: "On hold",
    DeliveryState.FAILED: "Failed",
    DeliveryState.UNKNOWN: "Not confirmed",
    DeliveryState.CANCELED: "Cancelled",
}
_WAITING: Final = frozenset({DeliveryState.SCHEDULED, DeliveryState.HELD})


def state_words(delivery: Delivery) -> str:
    """What people read for a post's state."""
    is_retry = delivery.state is DeliveryState.SCHEDULED and delivery.tries > 0
    return "Trying again" if is_retry else _STATE_WORDS[delivery.state]


def can_change(delivery: Delivery) -> bool:
    """Whether buttons to edit and to cancel make sense."""
    return delivery.state in _WAITING


def title_of(platform: str, titles: Titles) -> str:
    """A platform's title, not yet escaped; its name where the title isn't known."""
    return titles.get(platform, platform)


def kind_words(kind: str) -> str:
    """What people read for an account's kind, not yet escaped: "Page", "Company page"; a plugin's own word as it is."""
    return _KINDS.get(kind, kind.capitalize())


def account_facts(account: Account, title: str) -> str:
    """What an account is recognised by beside its name, for mrkdwn: "Page · @acme · See it on Platform"."""
    address = account.url if is_web_address(account.url) else None
    facts = (
        name(kind_words(account.kind)),
        name(account.handle) if account.handle and account.handle != account.name else None,
        link(address, f"See it on {name(title)}") if address else None,
    )
    return " · ".join(fact for fact in facts if fact)


def account_words(connection: Connection, title: str) -> str:
    """An account with its platform, for mrkdwn: "Acme Inc (Platform)"."""
    return f"{name(connection.account.name)} ({name(title)})"


def target_words(delivery: Delivery, title: str) -> str:
    """Where a post goes, and in how many parts, for mrkdwn: "Platform – Acme Inc (thread of 3)"."""
    together = f" ({parts_words(delivery)})" if delivery.parts else ""
    return f"{name(title)} – {name(delivery.account_name)}{together}"


def parts_words(delivery: Delivery) -> str:
    """How a post hangs together; "" for one in one part."""
    if not delivery.parts:
        return ""
    return "with first comment" if delivery.parts_are_comments else f"thread of {len(delivery.texts)}"


def progress_words(delivery: Delivery) -> str:
    """How far a post has got of which a part is live, as a sentence; "" before, and once all of it is."""
    live, count = len(delivery.live), len(delivery.texts)
    if not 0 < live < count:
        return ""
    if delivery.parts_are_comments:
        return "The post is live, its first comment is not."
    return f"{live} of {count} parts {'is' if live == 1 else 'are'} live."


def measured_words(measured: Measured) -> str:
    """How long a post is at an account, for mrkdwn: "212 of 280", "part 2 of 3: 301 of 280 (21 too many)"."""
    if measured.parts > measured.most_parts:
        most = measured.most_parts
        return f"takes {most} {'part' if most == 1 else 'parts'}, this has {measured.parts}"
    too_many = f" ({measured.excess:,} too many)" if measured.excess > 0 else ""
    return f"{_part_words(measured)}{measured.length:,} of {measured.limit:,}{too_many}"


def _part_words(measured: Measured) -> str:
    if measured.parts == 1:
        return ""
    if measured.takes_comments:
        return "first comment: " if measured.part else "post: "
    return f"part {measured.part + 1} of {measured.parts}: "


def say(*sentences: str) -> str:
    """Put those sentences together that aren't empty."""
    return " ".join(filter(None, sentences))


def whole_text(delivery: Delivery) -> str:
    """What a post says, or what of it is not live if a part of it is."""
    return delivery.unpublished_text or delivery.post.text


def unpublished_media(delivery: Delivery) -> tuple[Media, ...]:
    """What goes with ``whole_text``: the first part's pictures, unless that one is live."""
    return () if delivery.live else delivery.post.media


def preview(text: str, media: Sequence[Media] = ()) -> str:
    """The beginning of a post in one line, and what it carries, for mrkdwn: "Look! [2 pictures]"."""
    carried = f"[{media_words(media)}]" if media else ""
    return say(escape(one_line(text, _PREVIEW_UNITS)), carried)


def carried(media: Sequence[Media]) -> ContextBlock | None:
    """What a post carries, as a line below its text; None for nothing."""
    return note(f"With {media_words(media)}.") if media else None


def preview_of(delivery: Delivery) -> str:
    """The beginning of what a delivery has yet to say, and what goes with it, in one line, for mrkdwn."""
    return preview(whole_text(delivery), unpublished_media(delivery))


def media_words(media: Sequence[Media]) -> str:
    """Word what a post carries: "2 pictures, 1 without a description"; "" for nothing.

    Of videos, few platforms take a description: none is missed there.
    """
    counts = Counter(each.kind for each in media)
    words = tuple(_count(kind, counts[kind]) for kind in MediaKind if counts[kind])
    bare = sum(not each.alt_text for each in media if each.kind is not MediaKind.VIDEO)
    if not bare:
        return join_words(words)
    lacking = "without a description" if len(media) == 1 else f"{bare} without a description"
    return f"{join_words(words)}, {lacking}"


def _count(kind: MediaKind, count: int) -> str:
    one, many = _MEDIA[kind]
    return one if count == 1 else f"{count} {many}"


def day_and_time(at: datetime, zone: str) -> str:
    """A moment in short: "Tue 24 Nov 2026, 09:30"."""
    local = at.astimezone(find_zone(zone))
    return f"{describe_day(local)}, {describe_clock(local)}"


def count_posts(count: int) -> str:
    """Word a number of posts."""
    return "1 post" if count == 1 else f"{count} posts"


def posts_are(count: int) -> str:
    """Word a number of posts with its verb."""
    return f"{count_posts(count)} {'is' if count == 1 else 'are'}"


def join_words(words: tuple[str, ...]) -> str:
    """Join phrases as one says them: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def cancel_button(delivery: Delivery, label: str = "Cancel post") -> ButtonElement:
    """The button that cancels a post, after a question."""
    return button(label, POST_CANCEL, delivery.delivery_id, style="danger", confirm=_cancel_question(delivery))


def edit_button(delivery: Delivery) -> ButtonElement | None:
    """The button that opens the editor of a post, for all its accounts; None once a part of it is live."""
    return None if delivery.live else button("Edit", POST_EDIT, delivery.delivery_id)


def _cancel_question(delivery: Delivery) -> ConfirmObject:
    what = "The rest of it" if delivery.live else "It"
    return ask_first(
        "Cancel this post?",
        f"{what} will not be published on {one_line(delivery.account_name, 60)}. Its text is kept.",
        do="Cancel post",
        keep="Keep it",
    )


def view_button(delivery: Delivery) -> ButtonElement | None:
    """The button that opens a published post, where the platform gave an address."""
    url = delivery.published_url
    return link_button("View post", LINK_OPEN, url) if url is not None and is_web_address(url) else None
