"""Builds the Bolt app: who listens to what, and what happens to everything else."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.logger.messages import warning_client_prioritized_and_token_skipped, warning_token_skipped
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from ..services.ports import StoreUnavailable
from ..tasks import TooBusy
from .authorize import CachedAuthorize
from .clicks import Clicks
from .client import keep_off_proxy
from .composing import ComposerListeners
from .connect import ConnectListeners
from .counting import CountingListeners
from .editing import EditorListeners
from .events import EVENTS, WorkspaceEvents
from .forms import Forms
from .interaction import Unreadable, read_interaction
from .manifest import CommandNames
from .message import build_message, paragraph
from .messages import something_broke
from .notifier import DirectMessages
from .posts import PostListeners
from .refusing import TOO_BUSY, build_refusal
from .replies import Replies, new_reference
from .schedule import ScheduleListeners
from .services import SlackServices
from .surface import COMPOSER, EDITOR, TYPED

__all__ = ["build_slack_app"]

log = logging.getLogger(__name__)

_ANYTHING: Final = re.compile(".*", re.DOTALL)
_TYPED: Final = re.compile("|".join(map(re.escape, TYPED)))
_LOG_CHARS: Final = 200


def build_slack_app(
    *,
    client: AsyncWebClient,
    signing_secret: str,
    authorize: CachedAuthorize,
    services: SlackServices,
    commands: CommandNames | None = None,
    make_app: Callable[..., AsyncApp] = AsyncApp,
) -> AsyncApp:
    """Build the Bolt app; everything it needs is handed in, so that Bolt's own look at the environment decides nothing.

    Args:
        client: the Web API over the shared session; carries the bot token.
        signing_secret: the Slack app's.
        authorize: knows which workspace is welcome.
        services: what the listeners call.
        commands: what the commands are called; None for the usual names.
        make_app: the class to build; a test hands in one that takes notes.

    Raises:
        ValueError: the signing secret is empty, or the client has no session.
    """
    if not signing_secret.strip():
        raise ValueError("the Slack signing secret is empty")
    if client.session is None:
        raise ValueError("the Slack client must share the bot's session")
    messages = DirectMessages(client)
    replies = Replies(session=client.session, messages=messages, requests=services.requests, tasks=services.tasks)
    gate = _Gate(authorize, replies)
    app = make_app(
        name="logicspike.slack.bolt",  # Bolt sets up the logger of this name: it must not be the whole bot's
        logger=_quiet_logger(),
        client=_without_token(client),
        signing_secret=signing_secret,
        authorize=authorize,
        before_authorize=gate.check,
        process_before_response=True,
        raise_error_for_unhandled_request=True,  # to answer them ourselves: Bolt logs their bodies
        ssl_check_enabled=False,  # the route does it, and this one reads a token from the environment
    )
    _register(app, services, replies, authorize, commands or CommandNames())
    return app


def _register(
    app: AsyncApp, services: SlackServices, replies: Replies, authorize: CachedAuthorize, commands: CommandNames
) -> None:
    """Register few listeners, the frequent ones first: Bolt asks each in turn whether a request is for it."""
    posts = PostListeners(services=services)
    connect = ConnectListeners(services=services, replies=replies, commands=commands)
    forms = Forms(services=services, replies=replies)
    counting = CountingListeners(services=services)
    composer = ComposerListeners(services=services, forms=forms, counting=counting)
    editor = EditorListeners(services=services, forms=forms, counting=counting)
    schedule = ScheduleListeners(
        services=services, replies=replies, composer=composer, editor=editor, posts=posts, commands=commands
    )
    listeners = (connect, schedule, composer, editor, posts)
    clicks = Clicks({action: answer for each in listeners for action, answer in each.answers.items()}, replies)
    workspace = WorkspaceEvents(
        leaving=services.leaving, authorize=authorize, requests=services.requests, tasks=services.tasks
    )
    app.command(commands.schedule)(schedule.on_schedule)
    app.command(commands.connect)(connect.on_connect)
    app.action(_TYPED)(counting.on_typed)
    app.action(_ANYTHING)(clicks.on_click)
    app.view(COMPOSER)(composer.on_schedule_submitted)
    app.view(EDITOR)(editor.on_edit_submitted)
    for event in EVENTS:
        app.event(event)(workspace.on_event)
    app.command(_ANYTHING)(_UnknownCommand(commands).on_command)
    app.error(on_error)


class _UnknownCommand:
    """Slack sends whatever the manifest names: an old name that still points here gets an answer, not an error."""

    def __init__(self, commands: CommandNames) -> None:
        self._commands = commands

    async def on_command(self, ack: AsyncAck) -> None:
        names = self._commands
        log.warning("a command arrived that is not ours; does the manifest fit?", extra={"event": "slack.unknown"})
        await ack(
            text=f"I don't know this command. I'm here for `{names.connect}` and `{names.schedule}`.",
            response_type="ephemeral",
        )


async def on_error(error: Exception, body: Mapping[str, Any]) -> BoltResponse:
    """Answer a request whose listener failed before it was acknowledged, in the form that Slack shows for its kind."""
    match error:
        case BoltUnhandledRequestError():
            return BoltResponse(status=200, body="")
        case Unreadable():
            log.warning("a signed request could not be read", extra={"event": "slack.unreadable"})
            return BoltResponse(status=400, body="not readable")
        case StoreUnavailable():
            log.warning("an event could not be noted; Slack sends it again", extra={"event": "slack.event_later"})
            return BoltResponse(status=503, body="try again")
        case TooBusy():
            log.error("too many requests at once", extra={"event": "slack.too_busy"})
            return build_refusal(body, TOO_BUSY)
        case _:
            reference = new_reference()
            log.error(
                "a request failed (reference %s)",
                reference,
                exc_info=error,
                extra={"event": "slack.failed", "reference": reference},
            )
            return build_refusal(body, something_broke(reference).text)


class _Gate:
    """Lets in the requests of the workspace the bot is installed in; others get a sentence."""

    def __init__(self, authorize: CachedAuthorize, replies: Replies) -> None:
        self._authorize = authorize
        self._replies = replies

    async def check(
        self,
        body: Mapping[str, Any],
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[None]],  # noqa: A002 - Bolt injects by name
    ) -> BoltResponse | None:
        if context.client is not None:
            keep_off_proxy(context.client)  # Bolt makes a client for each request, which looks for a proxy anew
        refusal = self._authorize.find_refusal(context.team_id, context.enterprise_id)
        if refusal is None or _is_for_everybody(body):
            await next()
            return None
        if body.get("type") == "block_actions" and body.get("response_url"):
            # A click shows nothing of what its answer holds.
            self._replies.tell(
                read_interaction(body, context), build_message(refusal.explanation, paragraph(refusal.explanation))
            )
        return build_refusal(body, refusal.explanation)


def _is_for_everybody(body: Mapping[str, Any]) -> bool:
    """Slack's look at our address, and the news that the bot was removed, don't depend on a workspace's standing."""
    match body:
        case {"type": "url_verification"}:
            return True
        case {"type": "event_callback", "event": {"type": str(event)}}:
            return event in EVENTS
        case _:
            return False


def _without_token(client: AsyncWebClient) -> AsyncWebClient:
    """The client as Bolt wants it beside ``authorize``, which names the token for each request."""
    return AsyncWebClient(
        base_url=client.base_url,
        timeout=client.timeout,
        session=client.session,
        retry_handlers=client.retry_handlers,
    )


_NEEDLESS: Final = frozenset({warning_client_prioritized_and_token_skipped(), warning_token_skipped()})


def _scrub(record: logging.LogRecord) -> bool:
    """Keep what Bolt says about itself, and cut off what it quotes: bodies hold what people wrote."""
    text = record.getMessage()
    record.msg, record.args = text.partition("{")[0][:_LOG_CHARS], ()
    return text not in _NEEDLESS


def _quiet_logger() -> logging.Logger:
    """Bolt's loggers take their level and filters from this one."""
    logger = logging.getLogger("logicspike.slack.bolt")
    logger.setLevel(logging.WARNING)
    logger.addFilter(_scrub)
    return logger
