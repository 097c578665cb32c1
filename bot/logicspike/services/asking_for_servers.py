"""Where each member chooses a server: the field on the connect page, and a sign-in at what they typed."""

from __future__ import annotations

from ..chosen_servers import ServerRefused, read_server, show_server
from ..connectables import Connectable
from ..platforms import Platforms
from ..plugin.errors import PlatformError
from ..plugin.types import Account, AuthorizationLink, AuthorizationRequest

__all__ = ["authorize_at", "suggest_server"]


def suggest_server(platforms: Platforms, name: str, account: Account | None) -> str:
    """What stands in the field for the member's server at first; "" where there is no such field.

    Args:
        platforms: the installed platforms.
        name: the platform's.
        account: the one whose access is renewed, at its own server.
    """
    suggested = platforms.suggested_server(name)
    if suggested and account is not None and account.url:
        return show_server(account.url)
    return show_server(suggested) if suggested else ""


async def authorize_at(
    platforms: Platforms, asked: Connectable, request: AuthorizationRequest, *, typed: str
) -> tuple[AuthorizationLink, str]:
    """Get the link to the consent page and, where each member chooses a server, the one that it's at.

    Args:
        platforms: the installed platforms.
        asked: what is to be connected.
        request: what the link must carry.
        typed: the server, as the member wrote it.

    Raises:
        ServerRefused: it is none, or no sign-in can be started there; the member may have mistyped it.
        PlatformNotReady, PlatformError: as for ``Platforms.authorize``.
    """
    suggested = platforms.suggested_server(asked.platform)
    if not suggested:
        return await platforms.authorize(asked.platform, request, credential_set=asked.credential_set), ""
    server = read_server(typed, suggested=suggested)
    try:
        link = await platforms.authorize(asked.platform, request, credential_set=asked.credential_set, server=server)
    except PlatformError as error:
        raise ServerRefused(f"{error.explanation} Is {show_server(server)} the right server?") from error
    return link, server
