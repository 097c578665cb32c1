"""What X's errors mean for us: one table, each row with its source; the first row that fits decides.

X answers errors as problem documents, ``{"title", "detail", "type", "status"}``, here and there with an ``errors``
list of ``code`` and ``message`` from its older API. Of ``type`` its last segment counts. For much X has no code, only
its ``detail``: that is compared whole, never searched for words. The status decides where X says nothing beside it.
"""

from __future__ import annotations

from typing import Final

from logicspike.plugin import ErrorTable

from .app_errors import APP_ROWS
from .post_errors import POST_ROWS
from .token_errors import TOKEN_ROWS
from .upload_errors import UPLOAD_ROWS

__all__ = ["TABLE"]

TABLE: Final = ErrorTable(
    platform="twitter",
    title="X",
    look_at="the account at x.com",
    note="Of `type` the last segment counts. Where X gives no code, its `detail` is compared as a whole; where it says "
    "nothing at all, the status decides. A limit ends when X's `x-rate-limit-reset` says so, or its 24-hour headers "
    "where those are used up, else in 15 minutes. A duplicate is looked up once: a part of a thread, or a post with "
    "files, that is found is this post itself and counts as published; of another post, the author reads the address.",
    rows=(*TOKEN_ROWS, *APP_ROWS, *UPLOAD_ROWS, *POST_ROWS),
)
"""What X is known to refuse with."""
