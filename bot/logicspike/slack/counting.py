"""How long a text is, while it is written: one line below it, brought up to date as its author types."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import aiohttp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError, SlackClientError

from ..domain import Connection, Member
from ..services.measuring import Measuring
from ..services.people import SlackUnavailable
from ..services.ports import StoreUnavailable
from ..tasks import TooBusy
from ..texts import split_parts
from .interaction import Interaction, read_interaction
from .mrkdwn import clip_markup, name
from .services import SlackServices
from .surface import BLOCK_ACCOUNTS, BLOCK_COUNT, BLOCK_TEXT, EDITOR
from .views import count_block
from .wording import Titles, measured_words, title_of

__all__ = ["CountingListeners", "count_line"]

log = logging.getLogger(__name__)

_PAUSE: Final = timedelta(seconds=0.7)
"""How long a form rests between two updates, for each form of its workspace that is being typed in: Slack takes a
hundred views.update a minute from a workspace (Tier 4, docs.slack.dev/apis/web-api/rate-limits, checked 2026-11)."""
_CALL_LIMIT: Final = timedelta(seconds=10)
_FORMS_KEPT: Final = 500
_CONTEXT: Final = 2000
_GONE: Final = frozenset({"not_found", "hash_conflict", "view_not_found"})


def count_line(text: str, connections: Iterable[Connection], measuring: Measuring, titles: Titles) -> str:
    """How long a text is at each platform it goes to, for mrkdwn; what is too long stands out."""
    parts = split_parts(text)
    phrases: dict[str, None] = {}
    # Accounts of a kind count alike: a hundred of them are measured once.
    for connection in {(each.platform, each.account.kind): each for each in connections}.values():
        if (measured := measuring.measure(connection, parts)) is not None:
            words = f"{name(title_of(connection.platform, titles))} {measured_words(measured)}"
            is_too_much = measured.excess > 0 or measured.parts > measured.most_parts
            phrases[f"*{words}*" if is_too_much else words] = None
    if phrases:
        return clip_markup(" · ".join(phrases), _CONTEXT)
    return f"{len(text.strip()):,} characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """A form as it stood when its author typed something."""

    interaction: Interaction
    view: Mapping[str, Any]
    at: str

    @property
    def text(self) -> str:
        return str(_state(self.view, BLOCK_TEXT).get("value") or "")

    @property
    def chosen(self) -> frozenset[str]:
        options = _state(self.view, BLOCK_ACCOUNTS).get("selected_options")
        chosen = options if isinstance(options, list) else ()
        return frozenset(str(option.get("value")) for option in chosen if isinstance(option, Mapping))

    @property
    def line(self) -> str:
        """What the form said of the text by then."""
        match next((each for each in self.view["blocks"] if each.get("block_id") == BLOCK_COUNT), None):
            case {"elements": [{"text": str(line)}, *_]}:
                return line
            case _:
                return ""


@dataclass
class _Form:
    """An open form that is followed."""

    newest: _Typed | None = None
    typed_at: str = ""
    accounts: tuple[Connection, ...] | None = None
    hash: str = ""
    outdated: set[str] = field(default_factory=set)
    line: str | None = None
    is_followed: bool = False


class CountingListeners:
    """Follows what is typed in forms.

    Each form has one update under way at most, of the newest text; what was typed meanwhile is shown by the next. An
    update names the version of the form that it is for: one that is older than what stands there changes nothing. It
    hands back every field as it came, so that Slack leaves alone what stands in them.

    Args:
        services: the use cases.
    """

    def __init__(self, *, services: SlackServices) -> None:
        self._services = services
        self._measuring = Measuring(services.platforms)
        self._forms: OrderedDict[str, _Form] = OrderedDict()
        self._followed: dict[str, int] = {}

    def line(self, text: str, connections: Sequence[Connection]) -> str:
        """What a form says of a text when it opens."""
        return count_line(text, connections, self._measuring, self._services.titles())

    async def on_typed(self, ack: AsyncAck, body: Mapping[str, Any], context: AsyncBoltContext) -> None:
        """Count what was typed, or for which accounts, behind the ack."""
        view = body.get("view")
        if isinstance(view, Mapping) and _is_whole(view):
            at = str(body["actions"][0].get("action_ts") or "")
            self._note(view["id"], _Typed(interaction=read_interaction(body, context), view=view, at=at))
        await ack()

    def _note(self, view_id: str, typed: _Typed) -> None:
        form = self._forms.setdefault(view_id, _Form())
        self._forms.move_to_end(view_id)
        if typed.at < form.typed_at:
            return  # It was overtaken on its way.
        form.newest, form.typed_at = typed, typed.at
        if form.is_followed:
            return
        while len(self._forms) > _FORMS_KEPT:
            self._forms.popitem(last=False)
        try:
            self._services.tasks.defer(lambda: self._follow(form, typed.interaction.member.team_id))
        except TooBusy:
            return  # a count is the first thing to go without
        form.is_followed = True

    async def _follow(self, form: _Form, team_id: str) -> None:
        self._followed[team_id] = self._followed.get(team_id, 0) + 1
        try:
            while (typed := form.newest) is not None:
                form.newest = None
                if await self._show(form, typed):
                    await asyncio.sleep(_PAUSE.total_seconds() * self._followed[team_id])
        except (SlackClientError, SlackUnavailable, StoreUnavailable, aiohttp.ClientError, TimeoutError) as error:
            log.info("a count was left out: %s", type(error).__name__, extra={"event": "count.failed"})
        finally:
            form.is_followed = False
            self._followed[team_id] -= 1
            if not self._followed[team_id]:
                del self._followed[team_id]

    async def _show(self, form: _Form, typed: _Typed) -> bool:
        """Bring a form's line up to date; whether that took a call."""
        if form.accounts is None:
            form.accounts = await self._list_accounts(typed)
        is_editor = typed.view.get("callback_id") == EDITOR
        meant = [each for each in form.accounts if is_editor or each.connection_id in typed.chosen]
        line = self.line(typed.text, meant)
        version = str(typed.view["hash"])
        is_known = version in form.outdated
        if line == (form.line if is_known else typed.line):
            return False
        updated = await self._update(typed, line, form.hash if is_known else version)
        if updated is None:
            form.outdated.clear()
            return True
        form.outdated |= {version, form.hash}
        form.hash, form.line = updated, line
        return True

    async def _update(self, typed: _Typed, line: str, version: str) -> str | None:
        """Show a line in the form of this version; the version it has then, None when it is another by now."""
        client = typed.interaction.client
        try:
            async with asyncio.timeout(_CALL_LIMIT.total_seconds()):
                answer = await client.views_update(
                    view_id=typed.view["id"], hash=version, view=_with_line(typed.view, line)
                )
        except SlackApiError as error:
            # Closed, or another process has just shown what was typed after this.
            if error.response.get("error") in _GONE:
                return None
            raise
        return str(answer["view"]["hash"])

    async def _list_accounts(self, typed: _Typed) -> tuple[Connection, ...]:
        """The accounts that may be meant in this form."""
        member = typed.interaction.member
        usable = await self._services.scheduling.list_usable(member)
        if typed.view.get("callback_id") != EDITOR:
            return usable
        wanted = await self._list_targets(member, str(typed.view.get("private_metadata")))
        return tuple(each for each in usable if each.connection_id in wanted)

    async def _list_targets(self, member: Member, metadata: str) -> frozenset[str]:
        post = await self._services.editing.find(member, metadata.rpartition(":")[0])
        return frozenset(each.connection_id for each in post.open) if post is not None else frozenset()


_KEPT: Final = ("type", "callback_id", "title", "submit", "close", "private_metadata", "external_id")
_SWITCHES: Final = ("clear_on_close", "notify_on_close")


def _with_line(view: Mapping[str, Any], line: str) -> dict[str, Any]:
    """The same form with another line: as Slack sent it, without what is Slack's own."""
    kept = {each: view[each] for each in (*_KEPT, *_SWITCHES) if view.get(each)}
    block = count_block(line).to_dict()
    return {**kept, "blocks": [block if each.get("block_id") == BLOCK_COUNT else each for each in view["blocks"]]}


def _is_whole(view: Mapping[str, Any]) -> bool:
    match view:
        case {"id": str(), "hash": str(), "blocks": [*blocks], "state": {"values": {}}}:
            return all(isinstance(block, Mapping) for block in blocks)
        case _:
            return False


def _state(view: Mapping[str, Any], block_id: str) -> Mapping[str, Any]:
    match view["state"]["values"].get(block_id):
        case {**actions} if isinstance(entry := actions.get(block_id), Mapping):
            return entry
        case _:
            return {}
