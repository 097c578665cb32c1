"""What Facebook's errors mean for us: a table of rows, each with its source; first match wins.

The Graph API answers errors with ``{"error": {"message", "type", "code", "error_subcode", "fbtrace_id", …}}``, most of
them with status 400. Rows match the integers ``code`` and ``error_subcode``, never the status.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from logicspike.plugin import (
    AuthorizationFailed,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    Problem,
    ReconnectRequired,
    TokenExpired,
    oauth2,
)

from .verdicts import (
    CLIENT_SECRET_REFUSED,
    PROOF_REFUSED,
    Call,
    GraphError,
    expired,
    member_action,
    missing_permission,
    operator,
    rate_limited,
    reconnect,
    rejected,
    unclear,
)

__all__ = []
