"""Facebook's own calls to us: a person removed the app, or asks for their data to be deleted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any, Final

from logicspike.plugin import PlatformContext, PlatformEvent, PlatformEventOutcome, PlatformEventRefused

__all__ = ["DATA_DELETION", "DEAUTHORIZE", "EVENTS", "read_event", "read_signed_request"]

DEAUTHORIZE: Final = "deauthorize"
"""The person removed the app."""
DATA_DELETION: Final = "data-deletion"
"""The person asks for what we keep about them to be deleted."""
EVENTS: Final = (DEAUTHORIZE, DATA_DELETION)

_ALGORITHM: Final = "HMAC-SHA256"
_LONGEST: Final = 4096
# The day is that of github.com/python-social-auth/social-core, social_core/backends/facebook.py, checked 2026-11-23;
# clocks may differ a little.
_OLDEST: Final = timedelta(days=1)
_NEWEST: Final = timedelta(minutes=5)


def read_event(ctx: PlatformContext, event: PlatformEvent) -> PlatformEventOutcome:
    """Tell what a verified callback asks for.

    Raises:
        PlatformEventRefused: it isn't Facebook's, or is too old.
    """
    person = read_signed_request(event.form.get("signed_request", ""), app_secret=ctx.client.client_secret, now=ctx.now)
    if event.name == DATA_DELETION:
        # developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback, checked
        # 2026-11-25
        answer = {"url": event.status_url, "confirmation_code": event.confirmation_code}
        return PlatformEventOutcome(erased_grants=(person,), answer=answer)
    return PlatformEventOutcome(ended_grants=(person,))


def read_signed_request(text: str, *, app_secret: str, now: datetime) -> str:
    """Verify a ``signed_request`` and read whom it is about.

    Args:
        text: the form field, as it came.
        app_secret: what it is signed with.
        now: aware UTC.

    Returns:
        The app-scoped id of the person.

    Raises:
        PlatformEventRefused: the signature doesn't fit, or it can't be read, or is too old.
    """
    signature, payload = _split(text)
    # Over the payload as it was sent, still encoded.
    expected = hmac.new(app_secret.encode(), payload.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(expected, _decode(signature)):
        raise PlatformEventRefused("The signature of Facebook's call doesn't fit the app secret.")
    said = _parse(payload)
    if said.get("algorithm") != _ALGORITHM:
        raise PlatformEventRefused("Facebook's call is signed in another way than HMAC-SHA256.")
    issued_at, person = said.get("issued_at"), said.get("user_id")
    if type(issued_at) is not int or not _is_fresh(issued_at, now):
        raise PlatformEventRefused("Facebook's call is too old, or has no time.")
    if not isinstance(person, str) or not (person.isascii() and person.isdigit()):
        raise PlatformEventRefused("Facebook's call doesn't say whom it is about.")
    return person


def _split(text: str) -> tuple[str, str]:
    parts = text.split(".")
    if len(text) > _LONGEST or not text.isascii() or len(parts) != 2:
        raise PlatformEventRefused("Facebook's call holds no signed_request, or one that can't be read.")
    return parts[0], parts[1]


def _decode(text: str) -> bytes:
    # base64url; with its padding stripped, or not
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise PlatformEventRefused("Facebook's call can't be read.") from None


def _parse(payload: str) -> dict[str, Any]:
    try:
        said = json.loads(_decode(payload))
    except (ValueError, RecursionError):
        raise PlatformEventRefused("Facebook's call can't be read.") from None
    if not isinstance(said, dict):
        raise PlatformEventRefused("Facebook's call can't be read.")
    return said


def _is_fresh(issued_at: int, now: datetime) -> bool:
    age = now.timestamp() - issued_at
    return -_NEWEST.total_seconds() <= age <= _OLDEST.total_seconds()
