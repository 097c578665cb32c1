"""Every name by which Slack calls back: commands' actions, modals and blocks; values carry ids only, never content."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTIONS",
    "BLOCK_ACCOUNTS",
    "BLOCK_ALT_TEXT",
    "BLOCK_AT",
    "BLOCK_COUNT",
    "BLOCK_FILES",
    "BLOCK_KEPT_FILES",
    "BLOCK_TEXT",
    "BLOCK_WHEN",
    "COMPOSER",
    "CONNECT_ASK_AGAIN",
    "CONNECT_CHOOSE",
    "CONNECT_LIST",
    "CONNECT_RECONNECT",
    "CONNECT_START",
    "DISCONNECT_ASK",
    "DISCONNECT_CANCEL_POSTS",
    "DISCONNECT_HOLD_POSTS",
    "DISCONNECT_KEEP",
    "DISCONNECT_MOVE_POSTS",
    "DRAFT_DISCARD",
    "DRAFT_PICK_ACCOUNT",
    "DRAFT_PICK_TIME",
    "EDITOR",
    "LATE_DROP",
    "LATE_PUBLISH",
    "LINK_OPEN",
    "MODALS",
    "OUTCOME_AGAIN",
    "OUTCOME_DROP",
    "OUTCOME_LIVE",
    "POST_CANCEL",
    "POST_EDIT",
    "POST_LIST",
    "SCHEDULE_OPEN",
    "TYPED",
]

CONNECT_START: Final = "connect.start"
CONNECT_RECONNECT: Final = "connect.reconnect"
CONNECT_ASK_AGAIN: Final = "connect.ask_again"
CONNECT_CHOOSE: Final = "connect.choose"
CONNECT_LIST: Final = "connect.list"
DISCONNECT_ASK: Final = "disconnect.ask"
DISCONNECT_HOLD_POSTS: Final = "disconnect.hold_posts"
DISCONNECT_CANCEL_POSTS: Final = "disconnect.cancel_posts"
DISCONNECT_MOVE_POSTS: Final = "disconnect.move_posts"
DISCONNECT_KEEP: Final = "disconnect.keep"
SCHEDULE_OPEN: Final = "schedule.open"
DRAFT_PICK_ACCOUNT: Final = "draft.pick_account"
DRAFT_PICK_TIME: Final = "draft.pick_time"
DRAFT_DISCARD: Final = "draft.discard"
POST_CANCEL: Final = "post.cancel"
POST_EDIT: Final = "post.edit"
POST_LIST: Final = "post.list"
OUTCOME_LIVE: Final = "outcome.live"
OUTCOME_AGAIN: Final = "outcome.again"
OUTCOME_DROP: Final = "outcome.drop"
LATE_PUBLISH: Final = "late.publish"
LATE_DROP: Final = "late.drop"
LINK_OPEN: Final = "link.open"

ACTIONS: Final = {
    CONNECT_START: "what is typed for a platform or one of its credential sets: sends a private link by DM",
    CONNECT_RECONNECT: "connection id: sends a private link that renews this account",
    CONNECT_ASK_AGAIN: (
        "what is typed, or that:connection id to renew: sends a link by which the platform asks for what was left out"
    ),
    CONNECT_CHOOSE: "connection id:position of the account in the list that was shown",
    CONNECT_LIST: "nothing: shows the accounts",
    DISCONNECT_ASK: "connection id: asks what becomes of its posts",
    DISCONNECT_HOLD_POSTS: "connection id: disconnects and holds its posts",
    DISCONNECT_CANCEL_POSTS: "connection id: disconnects and cancels its posts",
    DISCONNECT_MOVE_POSTS: "connection id:other connection id: moves the posts, then disconnects",
    DISCONNECT_KEEP: "connection id: changes nothing",
    SCHEDULE_OPEN: "draft id, or post:delivery id, or nothing: opens the composer",
    DRAFT_PICK_ACCOUNT: "draft id:connection id: answers which account was meant",
    DRAFT_PICK_TIME: "draft id:Unix seconds: answers which time was meant",
    DRAFT_DISCARD: "draft id: throws the draft away",
    POST_CANCEL: "delivery id: cancels a post that has not gone out",
    POST_EDIT: "delivery id: opens the editor of its post",
    POST_LIST: "nothing: shows what is scheduled",
    OUTCOME_LIVE: "delivery id:attempt id: the author has seen the post live",
    OUTCOME_AGAIN: "delivery id:attempt id: the author wants it posted again",
    OUTCOME_DROP: "delivery id:attempt id: the author gives the post up",
    LATE_PUBLISH: "delivery id: a post that is overdue or held goes out now",
    LATE_DROP: "delivery id: an overdue post is cancelled",
    LINK_OPEN: "nothing: a button that opens a page; Slack reports the click all the same",
}
"""What each button's or menu's value holds, and what a click does."""

COMPOSER: Final = "composer"
"""The callback_id of the composer modal; its private_metadata is a draft id or empty."""

EDITOR: Final = "editor"
"""The callback_id of the editor modal; its private_metadata is a delivery id and the revision that is shown."""

MODALS: Final = {
    COMPOSER: "writes a post and schedules it; `private_metadata` holds a draft id, or nothing",
    EDITOR: "changes a scheduled post; `private_metadata` holds delivery id:revision of the post that is shown",
}
"""What each modal is for."""

BLOCK_ACCOUNTS: Final = "accounts"
BLOCK_TEXT: Final = "text"
BLOCK_WHEN: Final = "when"
BLOCK_AT: Final = "at"
BLOCK_COUNT: Final = "count"
BLOCK_FILES: Final = "files"
BLOCK_KEPT_FILES: Final = "kept_files"
BLOCK_ALT_TEXT: Final = "alt_text"

TYPED: Final = {
    BLOCK_TEXT: "the text, as it is typed: its length is shown below it",
    BLOCK_ACCOUNTS: "the accounts, as they are chosen: the same",
}
"""The fields of modals that report while they are filled in."""
