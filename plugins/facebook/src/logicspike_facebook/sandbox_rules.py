"""What the fake Facebook checks, as functions of what it was asked: the dialog, links, and lists in parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

__all__ = [
    "MAX_CHARS",
    "MAX_COMMENT_CHARS",
    "MAX_PHOTOS",
    "MAX_PHOTO_BYTES",
    "MAX_VIDEO_BYTES",
    "MIN_VIDEO_BYTES",
    "PAGE_PERMISSIONS",
    "VERSIONS",
    "find_dialog_problem",
    "find_link_problem",
    "part_of",
    "read_scopes",
    "to_graph_time",
]

VERSIONS: Final = frozenset({"v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0"})
"""Those alive on 2026-11-23 (developers.facebook.com/docs/graph-api/changelog/versions, checked 2026-11-23)."""

PAGE_PERMISSIONS: Final = (
    "pages_show_list",
    "pages_manage_posts",
    "pages_read_engagement",
    "pages_manage_engagement",
    "business_management",
)
"""What this app was approved for, and what a configuration of it asks for."""

MAX_CHARS: Final = 63_206
"""Longest message (github.com/gitroomhq/postiz-app, facebook.provider.ts, checked 2026-11-23)."""

MAX_COMMENT_CHARS: Final = 8_000
"""Longest comment (not documented; typecount.com/blog/facebook-post-character-limit, checked 2026-11-25)."""

MAX_PHOTOS: Final = 10
"""Most photos of a post (github.com/inovector/mixpost, config/mixpost.php, checked 2026-11-23)."""

MAX_PHOTO_BYTES: Final = 10_000_000
"""Largest photo (developers.facebook.com/docs/graph-api/reference/photo, checked 2026-11-25)."""

MIN_VIDEO_BYTES: Final = 1_000
MAX_VIDEO_BYTES: Final = 2_000_000_000
"""Sizes of a video (developers.facebook.com/documentation/video-api/reference/error-codes, checked 2026-11-25)."""


def read_scopes(query: Mapping[str, str]) -> tuple[str, ...]:
    """What the dialog is asked for; commas or spaces between them."""
    if query.get("config_id"):
        return PAGE_PERMISSIONS
    return tuple(scope for scope in re.split(r"[ ,]+", query.get("scope", "")) if scope)


def find_dialog_problem(request: web.Request, *, client_id: str, is_registered: Callable[[str], bool]) -> str:
    """What the dialog says instead of asking the person; "" when all is well."""
    query, scopes = request.query, set(read_scopes(request.query))
    redirect_uri = query.get("redirect_uri", "")
    # The words on app id, redirect URI and scopes: observed, unattributed; the others are ours.
    checks = {
        "Invalid App ID: The provided app ID does not look like a valid app ID.": query.get("client_id") == client_id,
        "Unknown version of the dialog.": request.match_info["version"] in VERSIONS,
        "URL blocked: This redirect failed because the redirect URI is not white-listed in the app's client OAuth "
        "settings.": bool(redirect_uri) and is_registered(redirect_uri),
        "The parameter response_type must be code.": query.get("response_type", "code") == "code",
        "The parameter scope or config_id is required.": bool(scopes),
        f"Invalid Scopes: {', '.join(sorted(scopes))}.": scopes <= {*PAGE_PERMISSIONS, "public_profile"},
        "The parameter state is required.": bool(query.get("state")),
        "The parameter code_challenge_method must be S256.": "code_challenge" not in query
        or query.get("code_challenge_method") == "S256",
    }
    return next((problem for problem, is_fine in checks.items() if not is_fine), "")


def find_link_problem(link: str | None, *, is_reachable: bool) -> int | None:
    """Facebook's number for what is wrong with a link: 1500 malformed, 1609008 its own, 1609005 not to be opened."""
    if link is None:
        return None
    parts = urlsplit(link)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return 1500
    if f".{parts.hostname}".endswith(".facebook.com"):
        return 1609008
    return None if is_reachable else 1609005


def part_of(entries: Sequence[Mapping[str, object]], request: web.Request, *, largest: int) -> web.Response:
    """One part of a list, with the address of the next one."""
    # developers.facebook.com/docs/graph-api/results, checked 2026-11-23; that the address holds the token: observed,
    # unattributed
    size = min(int(request.query.get("limit", "25")), largest)
    start = int(request.query.get("after", "0"))
    end = min(start + size, len(entries))
    if start >= end:
        return web.json_response({"data": []})
    paging: dict[str, object] = {"cursors": {"before": str(start), "after": str(end)}}
    if end < len(entries):
        token = request.headers["Authorization"].partition(" ")[2]
        following = request.url.update_query({"after": str(end), "access_token": token})
        paging["next"] = str(following.without_query_params("appsecret_proof"))
    return web.json_response({"data": entries[start:end], "paging": paging})


def to_graph_time(at: datetime) -> str:
    """A time as the Graph API writes it: seconds, no colon in the offset."""
    # observed, unattributed
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")
