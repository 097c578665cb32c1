"""Withdrawing access at a platform, as well as that works: what we keep is erased whatever comes of it."""

from __future__ import annotations

import logging

from ..platforms import NotSupported, PlatformNotReady, Platforms
from ..plugin.errors import PlatformError
from ..plugin.types import Credential

__all__ = ["withdraw"]

log = logging.getLogger(__name__)


async def withdraw(platforms: Platforms, name: str, credential: Credential) -> bool | None:
    """Invalidate a credential at its platform.

    Returns:
        Whether it worked (a failure is logged); None where the platform has no way to do so.
    """
    try:
        await platforms.revoke(name, credential)
    except NotSupported:
        return None
    except (PlatformError, PlatformNotReady) as error:
        log.warning(
            "access could not be withdrawn at the platform",
            extra={"event": "revoke.failed", "platform": name, "error": type(error).__name__},
        )
        return False
    return True
