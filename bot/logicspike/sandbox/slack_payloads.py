"""The bodies Slack sends to an app: commands, interactions and events, field by field.

Shapes after docs.slack.dev/interactivity and docs.slack.dev/apis/events-api, checked 2026-11-23.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from .slack_out import Sent
from .slack_state import BOT, TEAM, Conversation, Json, Member, Message
from .slack_views import View

__all__ = ["block_actions", "command", "event", "message_action", "shortcut", "view_closed", "view_submission"]

# Apps must not rely on it; Slack still sends the field.
VERIFICATION_TOKEN = "legacy-verification-token"
_FORM = "application/x-www-form-urlencoded"


def command(
    *, member: Member, conversation: Conversation, name: str, text: str, response_url: str, trigger_id: str
) -> Sent:
    """A slash command."""
    form = {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM.id,
        "team_domain": TEAM.domain,
        "channel_id": conversation.id,
        "channel_name": _channel_name(conversation),
        "user_id": member.id,
        "user_name": member.name,
        "command": name,
        "text": text,
        "api_app_id": TEAM.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }
    return Sent(body=urlencode(form).encode(), content_type=_FORM)


def block_actions(
    *,
    member: Member,
    conversation: Conversation | None,
    where: Message | View,
    action: Json,
    values: Json,
    trigger_id: str,
    response_url: str,
) -> Sent:
    """A click on a button, or a choice, in a message or in a modal."""
    payload = _interaction("block_actions", member) | {"trigger_id": trigger_id, "actions": [action]}
    if isinstance(where, View):
        payload |= {"container": {"type": "view", "view_id": where.id}, "view": where.to_json()}
        return _form(payload)
    container = {
        "type": "message",
        "message_ts": where.ts,
        "channel_id": where.channel,
        "is_ephemeral": where.is_ephemeral,
    }
    payload |= {"container": container, "response_url": response_url, "state": {"values": values}}
    if conversation is not None:
        payload["channel"] = {"id": conversation.id, "name": _channel_name(conversation)}
    if not where.is_ephemeral:
        payload["message"] = where.to_json()
    return _form(payload)


def view_submission(*, member: Member, view: View, trigger_id: str) -> Sent:
    """The submit button of a modal."""
    payload = _interaction("view_submission", member)
    return _form(payload | {"trigger_id": trigger_id, "view": view.to_json(), "response_urls": []})


def view_closed(*, member: Member, view: View, is_cleared: bool) -> Sent:
    """A modal closed without submitting; sent only when the view asks for it."""
    return _form(_interaction("view_closed", member) | {"view": view.to_json(), "is_cleared": is_cleared})


def shortcut(*, member: Member, callback_id: str, action_ts: str, trigger_id: str) -> Sent:
    """A global shortcut."""
    payload = _interaction("shortcut", member)
    return _form(payload | {"callback_id": callback_id, "action_ts": action_ts, "trigger_id": trigger_id})


def message_action(
    *,
    member: Member,
    conversation: Conversation,
    message: Message,
    callback_id: str,
    action_ts: str,
    trigger_id: str,
    response_url: str,
) -> Sent:
    """A shortcut in a message's menu."""
    payload = _interaction("message_action", member) | {
        "callback_id": callback_id,
        "action_ts": action_ts,
        "trigger_id": trigger_id,
        "response_url": response_url,
        "message_ts": message.ts,
        "message": message.to_json(),
        "channel": {"id": conversation.id, "name": _channel_name(conversation)},
    }
    return _form(payload)


def event(*, body: Json, event_id: str, event_time: int) -> Sent:
    """An event in its envelope."""
    envelope = {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM.id,
        "api_app_id": TEAM.app_id,
        "event": body,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": event_time,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM.id,
                "user_id": BOT,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }
    return Sent(body=json.dumps(envelope).encode(), content_type="application/json")


def _interaction(kind: str, member: Member) -> dict[str, Any]:
    return {
        "type": kind,
        "team": {"id": TEAM.id, "domain": TEAM.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {"id": member.id, "username": member.name, "name": member.name, "team_id": TEAM.id},
        "api_app_id": TEAM.app_id,
        "token": VERIFICATION_TOKEN,
    }


def _form(payload: Json) -> Sent:
    return Sent(body=urlencode({"payload": json.dumps(payload)}).encode(), content_type=_FORM)


def _channel_name(conversation: Conversation) -> str:
    return "directmessage" if conversation.is_im else conversation.name
