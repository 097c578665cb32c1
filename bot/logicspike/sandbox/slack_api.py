"""Slack's Web API as the bot sees it: the methods LogicSpike calls, with Slack's checks, errors and answers."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from aiohttp import web

from .block_rules import check_message_blocks, check_view
from .slack_files import FakeFiles
from .slack_out import Refused, Triggers
from .slack_responses import ResponseRefused, ResponseUrls
from .slack_state import BOT, TEAM, Conversation, Json, Member, Message, Workspace
from .slack_views import MAX_STACK, View, Views

__all__ = ["DEFAULT_SCOPES", "ApiCall", "WebApi"]

DEFAULT_SCOPES: Final = frozenset({"commands", "chat:write", "files:read", "im:write", "users:read", "team:read"})
_MAX_TEXT: Final = 40_000  # docs.slack.dev/reference/methods/chat.postMessage, checked 2026-11-23
_SECRET_ARGUMENTS: Final = frozenset({"token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One call the bot made, without its token, and Slack's error or ""."""

    method: str
    args: Json
    error: str = ""


@dataclass(slots=True)
class _Fault:
    error: str = ""
    seconds: float = 0.0
    retry_after: int | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class _Method:
    run: Callable[[Any, Json], dict[str, Any]]
    scope: str = ""
    needs_token: bool = field(default=True, kw_only=True)


class WebApi:
    """Answers ``/api/<method>`` and ``/response/<id>``.

    Args:
        workspace, views, files, triggers, responses: what the calls read and change.
        bot_token: the only token that is let in.
        scopes: what the app was granted; a method without its scope answers ``missing_scope``.
    """

    def __init__(
        self,
        *,
        workspace: Workspace,
        views: Views,
        files: FakeFiles,
        triggers: Triggers,
        responses: ResponseUrls,
        bot_token: str,
        scopes: Collection[str] = DEFAULT_SCOPES,
    ) -> None:
        self.workspace = workspace
        self.views = views
        self.files = files
        self.triggers = triggers
        self.responses = responses
        self.scopes = frozenset(scopes)
        self.calls: list[ApiCall] = []
        self.homes: dict[str, Json] = {}
        self._token = bot_token
        self._faults: dict[str, _Fault] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the API's paths."""
        router.add_route("*", "/api/{method}", self._answer)
        router.add_post("/response/{response_id}", self._respond)

    def fail(self, method: str, error: str, *, times: int | None = None, retry_after: int | None = None) -> None:
        """Let a method answer this error, for ever or so many times; ``ratelimited`` comes as a 429."""
        self._faults[method] = _Fault(error=error, times=times, retry_after=retry_after)

    def slow(self, method: str, seconds: float, *, times: int | None = None) -> None:
        """Let a method take so long."""
        self._faults[method] = _Fault(seconds=seconds, times=times)

    def heal(self) -> None:
        """Let every method work again."""
        self._faults.clear()

    async def _suffer(self, method: str) -> None:
        fault = self._faults.get(method)
        if fault is None:
            return
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self._faults[method]
        await asyncio.sleep(fault.seconds)
        if fault.error:
            raise Refused(fault.error, retry_after=fault.retry_after)

    async def _answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        args = await _read_args(request)
        shown = {name: value for name, value in args.items() if name not in _SECRET_ARGUMENTS}
        try:
            await self._suffer(method)
            result = self._call(method, args, _bearer(request) or args.get("token"))
        except Refused as refusal:
            self._record(ApiCall(method=method, args=shown, error=refusal.error))
            return self._refusal(refusal)
        self._record(ApiCall(method=method, args=shown))
        return web.json_response({"ok": True} | result, headers={"X-OAuth-Scopes": ",".join(sorted(self.scopes))})

    def _record(self, call: ApiCall) -> None:
        self.calls.append(call)
        self.workspace.changes.note()

    def _call(self, name: str, args: Json, token: str | None) -> dict[str, Any]:
        method = self._METHODS.get(name)
        if method is None:
            raise Refused("unknown_method", req_method=name)
        if method.needs_token and not token:
            raise Refused("not_authed")
        if method.needs_token and not hmac.compare_digest(str(token).encode(), self._token.encode()):
            raise Refused("invalid_auth")
        if method.scope and method.scope not in self.scopes:
            raise Refused("missing_scope", needed=method.scope, provided=",".join(sorted(self.scopes)))
        return method.run(self, args)

    def _refusal(self, refusal: Refused) -> web.Response:
        retry_after = refusal.extra.pop("retry_after", None)
        body: dict[str, Any] = {"ok": False, "error": refusal.error} | refusal.extra
        if refusal.messages:
            body["response_metadata"] = {"messages": refusal.messages}
        if refusal.error == "ratelimited":
            return web.json_response(body, status=429, headers={"Retry-After": str(retry_after or 1)})
        return web.json_response(body)

    async def _respond(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        try:
            self.responses.use(request.match_info["response_id"], body)
        except ResponseRefused as refusal:
            return web.Response(status=refusal.status, text=refusal.text)
        return web.Response(text="ok")

    def _member(self, user_id: object) -> Member:
        member = self.workspace.members.get(str(user_id))
        if member is None:
            raise Refused("user_not_found")
        return member

    def _conversation(self, args: Json) -> Conversation:
        found = self.workspace.find_conversation(str(args.get("channel") or ""))
        if found is None:
            raise Refused("channel_not_found")
        return found

    def _own_message(self, args: Json, error: str) -> Message:
        message = self.workspace.find_message(self._conversation(args).id, str(args.get("ts")))
        if message is None or message.is_ephemeral:
            raise Refused("message_not_found")
        if message.user != BOT:
            raise Refused(error)
        return message

    def _files_info(self, args: Json) -> dict[str, Any]:
        file = self.files.find(str(args.get("file") or ""))
        if file is None:
            raise Refused("file_not_found")
        if file.is_deleted:
            raise Refused("file_deleted")
        return {"file": file.to_json(self.files.base_url), "comments": [], "response_metadata": {"next_cursor": ""}}

    def _api_test(self, args: Json) -> dict[str, Any]:
        if args.get("error"):
            raise Refused(str(args["error"]))
        return {"args": {name: value for name, value in args.items() if name not in _SECRET_ARGUMENTS}}

    def _auth_test(self, _args: Json) -> dict[str, Any]:
        return {
            "url": f"https://{TEAM.domain}.slack.com/",
            "team": TEAM.name,
            "user": self.workspace.members[BOT].name,
            "team_id": TEAM.id,
            "user_id": BOT,
            "bot_id": TEAM.bot_id,
            "is_enterprise_install": False,
        }

    def _users_info(self, args: Json) -> dict[str, Any]:
        return {"user": self._print_user(self._member(args.get("user")))}

    def _users_list(self, args: Json) -> dict[str, Any]:
        everybody = list(self.workspace.members.values())
        start = int(args.get("cursor") or 0)
        end = start + int(args.get("limit") or len(everybody))
        users = [self._print_user(member) for member in everybody[start:end]]
        return {"members": users, "response_metadata": {"next_cursor": str(end) if end < len(everybody) else ""}}

    def _print_user(self, member: Member) -> dict[str, Any]:
        return {
            "id": member.id,
            "team_id": TEAM.id,
            "name": member.name,
            "deleted": False,
            "real_name": member.real_name,
            "tz": member.tz,
            "tz_label": member.tz,
            "tz_offset": int(member.tz_offset(self.workspace.clock.now()).total_seconds()),
            "profile": {"real_name": member.real_name, "display_name": member.display_name, "team": TEAM.id},
            "is_admin": member.is_admin,
            "is_owner": member.is_owner,
            "is_primary_owner": member.is_owner,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_bot": member.is_bot,
            "is_app_user": False,
            "updated": 1700000000,
        }

    def _team_info(self, _args: Json) -> dict[str, Any]:
        return {"team": {"id": TEAM.id, "name": TEAM.name, "domain": TEAM.domain, "email_domain": "", "icon": {}}}

    def _conversations_open(self, args: Json) -> dict[str, Any]:
        if args.get("channel"):
            conversation = self._conversation(args)
        else:
            users = [user for user in str(args.get("users") or "").split(",") if user]
            if len(users) != 1:
                raise Refused("users_list_not_supplied" if not users else "not_enough_users")
            if self._member(users[0]).is_bot:
                raise Refused("cannot_dm_bot")
            conversation = self.workspace.im_of(users[0])
        channel: dict[str, Any] = {"id": conversation.id}
        if str(args.get("return_im", "")).lower() in ("true", "1"):
            channel |= {"is_im": conversation.is_im, "user": conversation.member_id, "is_open": True}
        return {"no_op": True, "already_open": True, "channel": channel}

    def _post_message(self, args: Json) -> dict[str, Any]:
        conversation = self._conversation(args)
        text, blocks = _content(args)
        message = self.workspace.post(
            channel=conversation.id, user=BOT, text=text, blocks=blocks, thread_ts=args.get("thread_ts")
        )
        return {"channel": conversation.id, "ts": message.ts, "message": message.to_json()}

    def _post_ephemeral(self, args: Json) -> dict[str, Any]:
        conversation, member = self._conversation(args), self._member(args.get("user"))
        if not conversation.includes(member.id):
            raise Refused("user_not_in_channel")
        text, blocks = _content(args)
        message = self.workspace.post(channel=conversation.id, user=BOT, text=text, blocks=blocks, only_for=member.id)
        return {"message_ts": message.ts}

    def _update(self, args: Json) -> dict[str, Any]:
        # Text without blocks takes the blocks away; blocks without text keep the text.
        message = self._own_message(args, "cant_update_message")
        text, blocks = _content(args)
        edited = self.workspace.edit(message, text=text or message.text, blocks=blocks)
        return {"channel": edited.channel, "ts": edited.ts, "text": edited.text, "message": edited.to_json()}

    def _delete(self, args: Json) -> dict[str, Any]:
        message = self._own_message(args, "cant_delete_message")
        self.workspace.delete(message)
        return {"channel": message.channel, "ts": message.ts}

    def _views_open(self, args: Json) -> dict[str, Any]:
        spec = _view(args, "modal")
        user_id = self.triggers.exchange(str(args.get("trigger_id")))
        return {"view": self.views.open(user_id, spec).to_json()}

    def _views_push(self, args: Json) -> dict[str, Any]:
        spec = _view(args, "modal")
        user_id = self.triggers.exchange(str(args.get("trigger_id")))
        stack = self.views.stack_of(user_id)
        if not stack:
            raise Refused("not_found")
        if len(stack) >= MAX_STACK:
            raise Refused("push_limit_reached")
        return {"view": self.views.push(user_id, spec).to_json()}

    def _views_update(self, args: Json) -> dict[str, Any]:
        spec = _view(args, "modal")
        view: View | None = self.views.find(view_id=args.get("view_id"), external_id=args.get("external_id"))
        if view is None:
            raise Refused("not_found")
        if args.get("hash") and args["hash"] != view.hash:
            raise Refused("hash_conflict")
        return {"view": self.views.update(view, spec).to_json()}

    def _views_publish(self, args: Json) -> dict[str, Any]:
        spec, member = _view(args, "home"), self._member(args.get("user_id"))
        self.homes[member.id] = spec
        return {"view": {"id": f"VH{member.id}", "type": "home", "team_id": TEAM.id, "blocks": spec["blocks"]}}

    _METHODS: ClassVar[Mapping[str, _Method]] = {
        "api.test": _Method(_api_test, needs_token=False),
        "auth.test": _Method(_auth_test),
        "users.info": _Method(_users_info, "users:read"),
        "users.list": _Method(_users_list, "users:read"),
        "team.info": _Method(_team_info, "team:read"),
        "files.info": _Method(_files_info, "files:read"),
        "conversations.open": _Method(_conversations_open, "im:write"),
        "chat.postMessage": _Method(_post_message, "chat:write"),
        "chat.postEphemeral": _Method(_post_ephemeral, "chat:write"),
        "chat.update": _Method(_update, "chat:write"),
        "chat.delete": _Method(_delete, "chat:write"),
        "views.open": _Method(_views_open),
        "views.push": _Method(_views_push),
        "views.update": _Method(_views_update),
        "views.publish": _Method(_views_publish),
    }


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None


async def _read_args(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}
    return {**request.query, **{name: str(value) for name, value in (await request.post()).items()}}


def _content(args: Json) -> tuple[str, list[Json]]:
    text, blocks = str(args.get("text") or ""), _parsed(args.get("blocks"), "invalid_blocks_format") or []
    if not text and not blocks:
        raise Refused("no_text")
    if len(text) > _MAX_TEXT:
        raise Refused("msg_too_long")
    if problems := check_message_blocks(blocks):
        raise Refused("invalid_blocks", problems)
    return text, blocks


def _view(args: Json, kind: str) -> Json:
    spec = _parsed(args.get("view"), "invalid_arguments")
    problems = check_view(spec)
    if any("view_too_large" in problem for problem in problems):
        raise Refused("view_too_large")
    if problems:
        raise Refused("invalid_arguments", problems)
    if spec["type"] != kind:
        raise Refused("invalid_arguments", [f"[ERROR] must be a {kind} [json-pointer:/view/type]"])
    return dict(spec)


def _parsed(value: Any, error: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise Refused(error) from None
