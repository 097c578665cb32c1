"""Withdrawing access at a platform, as well as that works: what we keep is erased whatever comes of it."""

from __future__ import annotations

import logging

from ..platforms import NotSupported, PlatformNotReady, Platforms
from ..plugin.errors import PlatformError
from ..plugin.types import Credential

__all__ = ["withdraw"]

log = logging.getLogger(__name__)


async def withdraw(platforms: Platforms, name: str, credential: Credential, *, is_last: bool = True) -> bool | None:
    """Invalidate a credential at its platform.

    Args:
        platforms: the installed platforms.
        name: the platform's.
        credential: what to withdraw.
        is_last: whether no other connection, in any workspace, stands on the same grant.

    Returns:
        Whether it worked (a failure is logged); None where the platform has no way to do so.
    """
    try:
        await platforms.revoke(name, credential, is_last=is_last)
    except NotSupported:
        return None
    except (PlatformError, PlatformNotReady) as error:
        log.warning(
            "access could not be withdrawn at the platform",
            extra={"event": "revoke.failed", "platform": name, "error": type(error).__name__},
        )
        return False
    return True
