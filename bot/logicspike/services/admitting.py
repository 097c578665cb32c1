"""What is checked again before anything is done at a platform for a delivery, and the credential to do it with."""

from __future__ import annotations

from ..domain import Connection, ConnectionStatus, Delivery
from ..platforms import PlatformNotReady, Platforms
from ..plugin.errors import (
    MemberActionRequired,
    OperatorActionRequired,
    PlatformError,
    PostRejected,
    ReconnectRequired,
)
from .media_rules import check_media
from .refreshing import ConnectionGone, FreshCredential, Refreshing
from .settling import Refusal

__all__ = ["Admitting", "NotAdmitted"]


class NotAdmitted(Exception):
    """Nothing may be done, or can be done now; ``why`` says what becomes of the delivery."""

    def __init__(self, error: Exception, connection: Connection | None) -> None:
        super().__init__()
        self.why = Refusal(error=error, connection=connection)


class Admitting:
    """Lets deliveries through to their platforms.

    Args:
        platforms: the installed platforms.
        refreshing: hands out fresh credentials.
    """

    def __init__(self, *, platforms: Platforms, refreshing: Refreshing) -> None:
        self._platforms = platforms
        self._refreshing = refreshing

    async def admit(
        self, delivery: Delivery, connection: Connection | None, opened: FreshCredential | None = None
    ) -> FreshCredential:
        """Check that the author may still use the account, and get a credential that works now.

        Args:
            delivery: what is to go out.
            connection: where to; None when it is gone.
            opened: a credential of the same account that worked a moment ago.

        Raises:
            NotAdmitted: with the reason.
            StoreUnavailable: the database did not answer.
        """
        if connection is None or connection.status is ConnectionStatus.DISCONNECTED:
            raise NotAdmitted(ReconnectRequired(f"{delivery.account_name} is not connected any more."), None)
        if connection.owner_id != delivery.author_id:
            raise NotAdmitted(
                MemberActionRequired(f"You may not post with {connection.account.name} any more."), connection
            )
        self._check_content(delivery, connection)
        try:
            if opened is not None and self._refreshing.is_still_good(opened.connection):
                return opened
            return await self._refreshing.get_credential(connection)
        except (PlatformError, PlatformNotReady) as error:
            raise NotAdmitted(error, connection) from error
        except ConnectionGone as error:
            gone = ReconnectRequired(f"{delivery.account_name} is not connected any more.")
            raise NotAdmitted(gone, None) from error

    def _check_content(self, delivery: Delivery, connection: Connection) -> None:
        if problems := self._platforms.problems(delivery.platform, connection.credential_set):
            raise NotAdmitted(OperatorActionRequired(problems[0]), connection)
        part = delivery.next_part
        found = check_media(self._platforms.get(delivery.platform), part.media)
        found += self._platforms.validate(delivery.platform, connection.account, part)
        if found:
            raise NotAdmitted(PostRejected(*found), connection)
