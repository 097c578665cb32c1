"""One Mastodon server's stand-in, for the tests and the demo: it registers apps, processes media, knows its keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Final

from aiohttp import BodyPartReader, web

from logicspike.testing import (
    AccessToken,
    CodeRefused,
    ConsentRequest,
    FakeAccount,
    FakePlatform,
    FakeUpload,
    LedgerEntry,
    UploadState,
)

from .counting import MAX_CHARS, count_characters

_LARGE: Final = ("video/", "image/gif")  # processed after the answer, since 4.0
_MOST_MEDIA: Final = 4
_UPLOAD_LIFETIME: Final = timedelta(days=1)
_KEY_LIFETIME: Final = timedelta(hours=1)
_SCOPES: Final = frozenset({"read:accounts", "read:statuses", "write:media", "write:statuses"})
_TYPES: Final = {"image": "image", "gif": "gifv", "video": "video"}


class FakeMastodon(FakePlatform):
    """Mastodon on loopback."""

    name = "mastodon"
    title = "Mastodon"
    accent = "#6364ff"
    endpoint_names: ClassVar[tuple[str, ...]] = ("server",)
    takes_media = True
    people: ClassVar[tuple[FakeAccount, ...]] = (
        FakeAccount(id="109001", name="Acme Inc", handle="acme"),
        FakeAccount(id="109002", name="Robin Park", handle="robin"),
    )
    extra_switches: ClassVar[dict[str, str]] = {"limited": "Limit the account (403)"}

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self._redirect_uris: dict[str, str] = {}
        self._keys: dict[tuple[str, str], tuple[str, Any]] = {}
        self._apps: dict[str, str] = {}

    # --- what the base asks for ---------------------------------------------------------------------------------------

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add Mastodon's paths."""
        router.add_post("/api/v1/apps", self._register)
        router.add_get("/oauth/authorize", self._authorize)
        router.add_post("/oauth/token", self._token)
        router.add_post("/oauth/revoke", self._revoke)
        router.add_get("/api/v1/accounts/verify_credentials", self._verify)
        router.add_get("/api/v1/accounts/{id}/statuses", self._list)
        router.add_post("/api/v2/media", self._upload)
        router.add_get("/api/v1/media/{id}", self._look)
        router.add_post("/api/v1/statuses", self._create)
        router.add_get("/api/v1/statuses/{id}/source", self._source)
        router.add_get("/@{handle}", self._show_profile)
        router.add_get("/@{handle}/{id}", self._show)
        router.add_get("/avatars/{id}.png", self._show_avatar)

    def is_page(self, request: web.Request) -> bool:
        """What browsers open."""
        return request.path == "/oauth/authorize" or request.path.startswith(("/@", "/avatars/"))

    def is_create(self, request: web.Request) -> bool:
        """Posting."""
        return request.method == "POST" and request.path == "/api/v1/statuses"

    def rate_limited(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - of any call
        """300 calls in five minutes."""
        reset = (self.clock.now() + timedelta(minutes=5)).replace(tzinfo=None).isoformat(timespec="microseconds")
        headers = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{reset}Z"}
        return web.json_response({"error": "Too many requests"}, status=429, headers=headers)

    # --- signing in ---------------------------------------------------------------------------------------------------

    async def _register(self, request: web.Request) -> web.Response:
        body = await request.json()
        client = self.register_client()
        self._redirect_uris[client.client_id] = body["redirect_uris"]
        self._apps[client.client_id] = body["client_name"]
        return web.json_response(
            {
                "id": str(self.next_number()),
                "name": body["client_name"],
                "website": None,
                "scopes": body["scopes"].split(),
                "redirect_uris": [body["redirect_uris"]],
                "client_id": client.client_id,
                "client_secret": client.client_secret,
                "client_secret_expires_at": 0,
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        if self._redirect_uris.get(query.get("client_id", "")) != query.get("redirect_uri"):
            return web.Response(status=400, text="Client authentication failed, or the redirect URI is not registered.")
        scopes = tuple(query.get("scope", "read").split())
        if not set(scopes) <= _SCOPES:
            return web.Response(status=400, text="The requested scope is invalid, unknown, or malformed.")
        return self.show_consent(
            ConsentRequest(
                redirect_uri=query["redirect_uri"],
                state=query["state"],
                scopes=scopes,
                code_challenge=query.get("code_challenge"),
            )
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if not self.is_our_client(str(form.get("client_id")), str(form.get("client_secret"))):
            return _oauth_error(401, "invalid_client", "Client authentication failed due to unknown client.")
        try:
            verifier = form.get("code_verifier")
            grant = self.redeem_code(
                str(form.get("code")), str(form.get("redirect_uri")), str(verifier) if verifier else None
            )
        except CodeRefused:
            return _oauth_error(400, "invalid_grant", "The provided authorization grant is invalid.")
        token = self.issue_access_token(grant, lifetime=None)
        created_at = int(self.clock.now().timestamp())
        scope = " ".join(grant.scopes)
        return web.json_response(
            {"access_token": token, "token_type": "Bearer", "scope": scope, "created_at": created_at}
        )

    async def _revoke(self, request: web.Request) -> web.Response:
        form = await request.post()
        if not self.is_our_client(str(form.get("client_id")), str(form.get("client_secret"))):
            return _oauth_error(403, "unauthorized_client", "You are not authorized to revoke this token")
        self.revoke_token(str(form.get("token")))
        return web.json_response({})

    async def _verify(self, request: web.Request) -> web.Response:
        held = self._who_calls(request, "read:accounts")
        return web.json_response(self._to_account(request, held.account))

    def _who_calls(self, request: web.Request, scope: str) -> AccessToken:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            ended = {"revoked": "The access token was revoked", "expired": "The access token expired"}
            raise _error(web.HTTPUnauthorized, ended.get(wrong, "The access token is invalid"))
        if scope not in held.grant.scopes:
            raise _error(web.HTTPForbidden, "This action is outside the authorized scopes")
        if self.is_on("limited"):
            raise _error(web.HTTPForbidden, "Your login is currently disabled")
        return held

    # --- media --------------------------------------------------------------------------------------------------------

    async def _upload(self, request: web.Request) -> web.Response:
        held = self._who_calls(request, "write:media")
        upload = self.uploads.begin(str(self.next_number()), account=held.account, lifetime=_UPLOAD_LIFETIME)
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "description":
                upload.alt_text = (await part.read(decode=True)).decode()
            else:
                upload.content += await part.read(decode=True)
        is_large = (upload.content_type or "").startswith(_LARGE)
        self.uploads.finish(upload, looks=2 if is_large else 0)
        if upload.state is UploadState.FAILED and not is_large:
            raise _error(
                web.HTTPUnprocessableEntity, "Validation failed: File content type is invalid, File is invalid"
            )
        return web.json_response(self._to_attachment(request, upload), status=202 if is_large else 200)

    async def _look(self, request: web.Request) -> web.Response:
        self._who_calls(request, "write:media")
        upload = self.uploads.look(request.match_info["id"])
        if upload is None or upload.is_used:
            raise _error(web.HTTPNotFound, "Record not found")
        if upload.state is UploadState.FAILED:
            raise _error(web.HTTPUnprocessableEntity, "Error processing thumbnail for uploaded media")
        status = 206 if upload.state is UploadState.PROCESSING else 200
        return web.json_response(self._to_attachment(request, upload), status=status)

    def _to_attachment(self, request: web.Request, upload: FakeUpload) -> dict[str, object]:
        is_ready = upload.state is UploadState.READY
        return {
            "id": upload.id,
            "type": _TYPES.get(str(upload.kind), "unknown"),
            "url": f"{request.url.origin()}/sandbox/media/{upload.id}" if is_ready else None,
            "description": upload.alt_text or None,
        }

    # --- statuses -----------------------------------------------------------------------------------------------------

    async def _create(self, request: web.Request) -> web.Response:
        held = self._who_calls(request, "write:statuses")
        key = (held.account.id, request.headers.get("Idempotency-Key", ""))
        known_id, until = self._keys.get(key, ("", self.clock.now()))
        known = self.find_entry(known_id) if until > self.clock.now() else None
        entry = known or self._publish(held, await request.json())
        if key[1] and known is None:
            self._keys[key] = (entry.id, self.clock.now() + _KEY_LIFETIME)
        return web.json_response(self._to_status(request, entry))

    def _publish(self, held: AccessToken, body: dict[str, Any]) -> LedgerEntry:
        text, reply_to = body.get("status", ""), body.get("in_reply_to_id")
        if reply_to is not None and self.find_entry(reply_to) is None:
            raise _error(web.HTTPNotFound, "The post you are trying to reply to does not appear to exist.")
        media_ids = body.get("media_ids", [])
        self._check_media(media_ids)
        if not text and not media_ids:
            raise _error(web.HTTPUnprocessableEntity, "Validation failed: Text can't be blank")
        if count_characters(text) > MAX_CHARS:
            raise _error(
                web.HTTPUnprocessableEntity, f"Validation failed: Text character limit of {MAX_CHARS} exceeded"
            )
        media = [self.uploads.take(media_id, account=held.account) for media_id in media_ids]
        post_id = str(113_000_000_000_000_000 + self.next_number())
        return self.record(post_id=post_id, account=held.account, text=text, media=media, reply_to=reply_to)

    def _check_media(self, media_ids: list[str]) -> None:
        found = [upload for each in media_ids if (upload := self.uploads.find(each)) and not upload.is_used]
        if len(found) < len(media_ids):
            missing = ", ".join(set(media_ids) - {upload.id for upload in found})
            raise _error(web.HTTPUnprocessableEntity, f"Media {missing} not found or already attached")
        if len(found) > 1 and any(str(upload.kind) == "video" for upload in found):
            raise _error(web.HTTPUnprocessableEntity, "Cannot attach a video to a post that already contains images")
        if len(found) > _MOST_MEDIA:
            raise _error(web.HTTPUnprocessableEntity, "Cannot attach more than 4 files")
        if any(upload.state is not UploadState.READY for upload in found):
            raise _error(web.HTTPUnprocessableEntity, "Cannot attach files that have not finished processing.")

    async def _list(self, request: web.Request) -> web.Response:
        self._who_calls(request, "read:statuses")
        mine = [entry for entry in reversed(self.ledger) if entry.account.id == request.match_info["id"]]
        return web.json_response(
            [self._to_status(request, entry) for entry in mine[: int(request.query.get("limit", "20"))]]
        )

    async def _source(self, request: web.Request) -> web.Response:
        self._who_calls(request, "read:statuses")
        entry = self.find_entry(request.match_info["id"])
        if entry is None:
            raise _error(web.HTTPNotFound, "Record not found")
        return web.json_response({"id": entry.id, "text": entry.text, "spoiler_text": ""})

    def _to_status(self, request: web.Request, entry: LedgerEntry) -> dict[str, object]:
        return {
            "id": entry.id,
            "created_at": entry.at.isoformat(timespec="milliseconds"),
            "in_reply_to_id": entry.reply_to,
            "url": f"{request.url.origin()}/@{entry.account.handle}/{entry.id}",
            "content": f"<p>{entry.text}</p>",
            "account": self._to_account(request, entry.account),
            "media_attachments": [{"id": medium.id, "description": medium.alt_text} for medium in entry.media],
            "application": {"name": next(iter(self._apps.values()), ""), "website": None},
        }

    def _to_account(self, request: web.Request, account: FakeAccount) -> dict[str, object]:
        origin = request.url.origin()
        return {
            "id": account.id,
            "username": account.handle,
            "acct": account.handle,
            "display_name": account.name,
            "url": f"{origin}/@{account.handle}",
            "avatar": f"{origin}/avatars/{account.id}.png",
        }

    async def _show_avatar(self, request: web.Request) -> web.Response:
        person = next((person for person in self.people if person.id == request.match_info["id"]), None)
        return self.show_picture(person) if person is not None else web.Response(status=404)

    async def _show_profile(self, request: web.Request) -> web.Response:
        handle = request.match_info["handle"]
        return self.show_timeline([entry for entry in self.ledger if entry.account.handle == handle])

    async def _show(self, request: web.Request) -> web.Response:
        entries = [entry for entry in self.ledger if entry.id == request.match_info["id"]]
        if not entries:
            raise web.HTTPNotFound(text="The page you are looking for isn't here.")
        return self.show_timeline(entries)


def _error(kind: type[web.HTTPException], sentence: str) -> web.HTTPException:
    return kind(text=f'{{"error": "{sentence}"}}', content_type="application/json")


def _oauth_error(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)
