"""What the bot tells people, as values: the Slack edge words and draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from ..domain import Connection, Delivery, Purpose

__all__ = [
    "AccountChoice",
    "AccountErased",
    "ConnectEnded",
    "ConnectFailed",
    "ConnectLink",
    "Connected",
    "DeliveryDelayed",
    "DeliveryFailed",
    "DeliveryHeld",
    "DeliveryPublished",
    "LateQuestion",
    "Notice",
    "OperatorTrouble",
    "OutcomeQuestion",
    "OutcomeSettled",
    "PostsPublished",
    "PreparationDelayed",
    "ReconnectNeeded",
    "Reconnected",
    "TokensEnding",
    "UploadEnded",
    "UploadUnderWay",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectLink:
    """The private link to connect, or reconnect, an account; for the member's eyes only.

    ``title`` says what is connected, ``platform_title`` where the member signs in.
    """

    title: str
    platform_title: str
    permissions: tuple[str, ...]
    workspace_name: str
    url: str
    purpose: Purpose
    account_name: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectEnded:
    """The member pressed Cancel at the platform; takes the place of the link. ``typed`` starts it once more."""

    typed: str
    platform_title: str
    connection_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectFailed:
    """The sign-in came back, but nothing could be connected; takes the place of the link, and ``typed`` starts anew.

    ``is_for_asking_again`` tells that something may have been declined or left out, which the platform is to ask again.
    """

    typed: str
    platform_title: str
    explanation: str
    connection_id: str | None
    is_for_asking_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChoice:
    """The sign-in can post to several accounts: which one? ``expected_name`` tells that another one came back.

    ``typed`` starts the sign-in once more, for an account that is not among them.
    """

    connection: Connection
    typed: str
    platform_title: str
    expected_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """An account is connected for the first time, or anew while nothing was waiting."""

    connection: Connection
    platform_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnected:
    """An account is back, and so are the posts that were held for it.

    Attributes:
        connection: the account.
        platform_title: for people.
        released: posts that go out now or at their time.
        late: posts that are asked about, since they are overdue.
    """

    connection: Connection
    platform_title: str
    released: tuple[Delivery, ...]
    late: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectNeeded:
    """The platform ended our access: the owner must connect again; nothing scheduled is lost."""

    connection: Connection
    platform_title: str
    explanation: str
    waiting: int
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErased:
    """The owner asked the platform to have their data erased here: the account goes, the posts' texts stay."""

    platform_title: str
    account_name: str
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensEnding:
    """Access that can't be renewed by itself ends soon: sign in again before.

    Attributes:
        connection: the account.
        platform_title: for people.
        ends_at: when the access ends.
        beyond: how many posts are for then or later.
        next_due_at: when the first of those is due.
    """

    connection: Connection
    platform_title: str
    ends_at: datetime
    beyond: int = 0
    next_due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPublished:
    """A post is live."""

    delivery: Delivery
    platform_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsPublished:
    """Many posts are live at once; ``titles`` says what people read for each platform's name."""

    deliveries: tuple[Delivery, ...]
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed:
    """A post will not go out as it is; ``problems`` says what to change."""

    delivery: Delivery
    platform_title: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDelayed:
    """A post is late for the first time, and tried again at ``delivery.next_try_at`` without anybody's help."""

    delivery: Delivery
    platform_title: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadUnderWay:
    """How much of a post's files is on its way to the platform; at 100 the platform is at work on them."""

    delivery: Delivery
    platform_title: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadEnded:
    """A post's files are at the platform, or aren't uploaded any more; takes the place of ``UploadUnderWay``."""

    delivery: Delivery
    platform_title: str
    is_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationDelayed:
    """What a post needs at its platform (files, a link's card) isn't there yet; it is tried again without any help."""

    delivery: Delivery
    platform_title: str
    explanation: str
    again_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryHeld:
    """A post waits for somebody; ``explanation`` says for what."""

    delivery: Delivery
    platform_title: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LateQuestion:
    """Posts are overdue by more than ten minutes: publish now, or drop?"""

    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeQuestion:
    """It can't be told whether a post is live: it's live, post again, or drop?"""

    delivery: Delivery
    platform_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSettled:
    """An unknown outcome is known now; takes the place of the question."""

    delivery: Delivery
    platform_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTrouble:
    """Posts are held because the bot's own developer app is in trouble; for admins."""

    platform: str
    platform_title: str
    explanation: str


Notice: TypeAlias = (
    ConnectLink
    | ConnectEnded
    | ConnectFailed
    | AccountChoice
    | Connected
    | Reconnected
    | ReconnectNeeded
    | AccountErased
    | TokensEnding
    | DeliveryPublished
    | PostsPublished
    | DeliveryDelayed
    | PreparationDelayed
    | UploadUnderWay
    | UploadEnded
    | DeliveryFailed
    | DeliveryHeld
    | LateQuestion
    | OutcomeQuestion
    | OutcomeSettled
    | OperatorTrouble
)
