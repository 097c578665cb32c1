"""The calls Facebook makes to an app: signed requests, as the fake sends them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta

__all__ = ["sign_request"]


def sign_request(user_id: str, *, app_secret: str, now: datetime) -> str:
    """What stands in the field ``signed_request``, for one person."""
    # developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback, checked 2026-11-25
    issued_at = int(now.timestamp())
    said = {
        "user_id": user_id,
        "algorithm": "HMAC-SHA256",
        "issued_at": issued_at,
        "expires": issued_at + int(timedelta(hours=1).total_seconds()),
    }
    payload = _encode(json.dumps(said).encode())
    return f"{_encode(hmac.new(app_secret.encode(), payload.encode(), hashlib.sha256).digest())}.{payload}"


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
