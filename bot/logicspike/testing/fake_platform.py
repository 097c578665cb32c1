"""A base for stateful fakes of platforms: real HTTP, real OAuth checks, a ledger, and faults that can be switched on.

A fake is written once by its plugin's author and used three times: in the sandbox, in the plugin's tests, and in the
contract. It needs no pytest. A subclass adds the platform's own paths and its own bodies, and uses what is here for
what all have in common: codes that die on use and in time, PKCE, tokens, revocation, faults, the timeline.
"""

from __future__ import annotations

import abc
import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urljoin

import aiohttp
from aiohttp import web
from yarl import URL

from .fake_browser import press_allow, press_cancel
from .fake_faults import ACTIONS, MEDIA_ACTIONS, MEDIA_SWITCHES, SWITCHES, ErrorAnswer, Switch
from .fake_ledger import FakeCard, FakeMedia, LedgerEntry, build_threads
from .fake_oauth import (
    AccessToken,
    CodeRefused,
    ConsentRequest,
    FakeAccount,
    FakeAuthorizationServer,
    FakeClock,
    Grant,
    RefreshRefused,
)
from .fake_pages import draw_picture, render_consent, render_timeline
from .fake_uploads import FakeUpload, FakeUploads, UploadRefused, UploadState

__all__ = [
    "ACTIONS",
    "SWITCHES",
    "AccessToken",
    "CodeRefused",
    "ConsentRequest",
    "ErrorAnswer",
    "FakeAccount",
    "FakeCard",
    "FakeEvent",
    "FakeMedia",
    "FakePlatform",
    "FakeUpload",
    "FakeUploads",
    "Grant",
    "LedgerEntry",
    "RefreshRefused",
    "UploadRefused",
    "UploadState",
    "press_allow",
    "press_cancel",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeEvent:
    """A callback of the platform's own, as it is sent: the bytes, and the headers that go with them."""

    body: bytes
    headers: Mapping[str, str]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakePlatform(FakeAuthorizationServer, abc.ABC):
    """A platform's stand-in: one aiohttp application that answers for all of its origins.

    Subclasses set the class attributes, add routes in ``add_routes`` and shape the answers. Construct it with the
    client id and secret the bot will use and with the bot's redirect_uri; nothing else is accepted.

    Args:
        client_id: of the developer app.
        client_secret: of the developer app.
        clock: what the time is here (``now()``, aware UTC).
        redirect_uris: those registered with the developer app; empty accepts any.
        slow_seconds: how late an answer is while the fault ``slow`` is on.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    accent: ClassVar[str] = "#444"
    endpoint_names: ClassVar[tuple[str, ...]]
    """The names of ``Platform.endpoints`` this application stands for."""
    people: ClassVar[tuple[FakeAccount, ...]] = ()
    """Who can press Allow; the first one is preselected."""
    credential_sets: ClassVar[tuple[str, ...]] = ()
    """The names of ``Platform.credential_sets``; each is a developer app of its own here, see ``clients``."""
    events: ClassVar[dict[str, str]] = {}
    """The platform's own callbacks, as in ``Platform.events``, with a label for the panel; made by ``build_event``."""
    extra_actions: ClassVar[dict[str, str]] = {}
    """Further one-time faults of this platform: name to label; handled in ``perform``."""
    extra_switches: ClassVar[dict[str, str]] = {}
    """Further lasting faults of this platform: name to label; asked with ``is_on``."""
    takes_media: ClassVar[bool] = False
    """Whether posts may have media: adds the faults ``forget_uploads`` and ``fail_processing``."""
    error_answers: ClassVar[Mapping[str, Sequence[ErrorAnswer]]] = {}
    """The real platform's refusals by the names of the rows in the plugin's error table; given by ``refuse_with``."""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        clock: FakeClock,
        redirect_uris: Sequence[str] = (),
        slow_seconds: float = 4.0,
    ) -> None:
        super().__init__(
            client_id=client_id,
            client_secret=client_secret,
            clock=clock,
            redirect_uris=redirect_uris,
            credential_sets=self.credential_sets,
        )
        self.slow_seconds = slow_seconds
        self.ledger: list[LedgerEntry] = []
        self.requests: list[tuple[str, str]] = []
        """Method and path of every call but those of the pages, in order."""
        self._consents: dict[str, ConsentRequest] = {}
        labels = SWITCHES | (MEDIA_SWITCHES if self.takes_media else {}) | self.extra_switches
        self._switches = {name: Switch(label=label) for name, label in labels.items()}
        self.uploads = FakeUploads(clock=clock, is_failing=lambda: self.takes_media and self._use("fail_processing"))
        self._sequence = 0
        self._refusing: tuple[ErrorAnswer, str] | None = None

    # --- what a subclass fills in -----------------------------------------------------------------------------------

    @abc.abstractmethod
    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the platform's own paths."""

    @abc.abstractmethod
    def is_create(self, request: web.Request) -> bool:
        """Whether this call publishes something."""

    @abc.abstractmethod
    def rate_limited(self, request: web.Request) -> web.StreamResponse:
        """The platform's own "slow down"."""

    def unavailable(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - for subclasses
        """The platform's own "we're down"."""
        return web.json_response({"message": "Service Unavailable"}, status=503)

    def build_event(self, name: str, person: FakeAccount) -> FakeEvent:
        """A callback as the platform sends it when this person is concerned: signed, with the grant's id in it.

        Raises:
            NotImplementedError: the platform has no such callbacks.
        """
        raise NotImplementedError(f"{self.title} sends no {name}")

    def perform(self, action: str) -> None:
        """Do a one-time fault; a subclass adds its own and leaves the rest to this.

        Raises:
            KeyError: no such fault.
        """
        match action:
            case "expire":
                self.expire_access_tokens()
            case "revoke":
                self.revoke_all()
            case "forget_uploads":
                self.uploads.forget()
            case _:
                raise KeyError(action)

    # --- the application ---------------------------------------------------------------------------------------------

    def build_app(self) -> web.Application:
        """The application that stands for the platform: its paths, ``/`` (the timeline), and the consent form."""
        app = web.Application(middlewares=[self._with_faults], client_max_size=32 * 1024 * 1024)
        app.router.add_get("/", self._show_timeline)
        app.router.add_post("/sandbox/consent/{consent_id}", self._decide)
        app.router.add_get("/sandbox/media/{media_id}", self._serve_media)
        self.add_routes(app.router)
        return app

    async def _show_timeline(self, _request: web.Request) -> web.Response:
        return self.show_timeline(self.ledger)

    def show_timeline(self, entries: Sequence[LedgerEntry]) -> web.Response:
        """A page with the threads that these posts belong to, the newest first."""
        threads = [thread for thread in build_threads(self.ledger) if any(entry in entries for entry in thread)]
        page = render_timeline(title=self.title, accent=self.accent, threads=threads)
        return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})

    def show_picture(self, account: FakeAccount) -> web.Response:
        """An account's picture, for the address that the platform gives of it."""
        return web.Response(text=draw_picture(account.name), content_type="image/svg+xml")

    async def _serve_media(self, request: web.Request) -> web.Response:
        served = self.uploads.get_served(request.match_info["media_id"])
        if served is None:
            raise web.HTTPNotFound(text="No post has this file.")
        content_type, content = served
        return web.Response(body=content, content_type=content_type, headers={"Cache-Control": "no-store"})

    def show_consent(self, consent: ConsentRequest) -> web.Response:
        """The consent page for an authorize request the subclass has checked."""
        consent_id = secrets.token_urlsafe(12)
        self._consents[consent_id] = consent
        page = render_consent(
            title=self.title,
            accent=self.accent,
            scopes=consent.scopes,
            people=self.people,
            action=f"/sandbox/consent/{consent_id}",
        )
        return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _decide(self, request: web.Request) -> web.Response:
        consent = self._consents.pop(request.match_info["consent_id"], None)
        if consent is None:
            raise web.HTTPGone(text="This consent page was used already; start again from Slack.")
        form = await request.post()
        if form.get("decision") != "allow":
            answer = self.canceled_parameters()
        else:
            person = next((p for p in self.people if p.id == form.get("person")), self.people[0])
            answer = {"code": self.issue_code(consent, person)}
        target = URL(consent.redirect_uri).update_query(answer | {"state": consent.state})
        raise web.HTTPFound(str(target))

    def canceled_parameters(self) -> dict[str, str]:
        """What the platform adds to the redirect when the person presses Cancel."""
        return {"error": "access_denied"}

    @web.middleware
    async def _with_faults(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/" or request.path.startswith("/sandbox/"):
            return await handler(request)
        self.requests.append((request.method, request.path))
        if self._use("slow"):
            await asyncio.sleep(self.slow_seconds)
        if self.is_page(request):
            return await handler(request)
        if self._use("unavailable"):
            return self.unavailable(request)
        if self._use("rate_limit"):
            return self.rate_limited(request)
        if self._use("garbage"):
            return web.Response(text="<html>Sorry, something went wrong.</html>", content_type="text/html")
        if self._refusing is not None and request.path.endswith(self._refusing[1]):
            return self._refusing[0].to_response()
        return await self._with_faults_after(request, handler)

    async def _with_faults_after(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if not self.is_create(request) or response.status >= 300:
            return response
        if self._use("error_after_accept"):
            return web.Response(status=502, text="Bad Gateway")
        if self._use("accept_then_drop") and request.transport is not None:
            request.transport.abort()
        return response

    def is_page(self, request: web.Request) -> bool:  # noqa: ARG002 - for subclasses
        """Whether this path is seen by the member's browser (the authorize page) rather than called by the bot."""
        return False

    # --- towards the bot ----------------------------------------------------------------------------------------------

    def list_variables(self, address: str) -> dict[str, str]:
        """The environment by which the bot takes this application, served at an address, for the platform."""
        prefix = _variable(self.name)
        variables = {f"{prefix}_ENDPOINT_{_variable(endpoint)}": address for endpoint in self.endpoint_names}
        for credential_set, client in self.clients.items():
            of_set = f"{prefix}_{_variable(credential_set)}" if credential_set else prefix
            variables |= {f"{of_set}_CLIENT_ID": client.client_id, f"{of_set}_CLIENT_SECRET": client.client_secret}
        return variables

    async def send_event(self, name: str, person: FakeAccount) -> int:
        """End the person's grants and tell the bot by a callback of the platform's own; the status it answered.

        Raises:
            aiohttp.ClientError: the bot doesn't answer.
        """
        event = self.build_event(name, person)
        self.revoke_person(person)
        address = urljoin(self.redirect_uris[0], name)
        async with (
            aiohttp.ClientSession() as http,
            http.post(address, data=event.body, headers=event.headers) as answer,
        ):
            return answer.status

    # --- faults -------------------------------------------------------------------------------------------------------

    def switch(self, name: str, *, on: bool = True, times: int | None = None) -> None:
        """Switch a lasting fault on or off; with ``times`` it goes off by itself after that many uses.

        Raises:
            KeyError: no such fault.
        """
        state = self._switches[name]
        state.is_on, state.times_left = on, times if on else None

    def refuse_with(self, refusal: ErrorAnswer | str | None, *, path: str = "") -> None:
        """Refuse every call whose path ends with ``path``, until told another; None takes all again.

        Args:
            refusal: a name among ``error_answers``, for its first answer; or an answer.
            path: the end of the path; empty for every call but those of the pages.

        Raises:
            KeyError: no such name.
        """
        answer = self.error_answers[refusal][0] if isinstance(refusal, str) else refusal
        self._refusing = (answer, path) if answer is not None else None

    def is_on(self, name: str) -> bool:
        """Whether a lasting fault is on."""
        return self._switches[name].is_on

    def _use(self, name: str) -> bool:
        state = self._switches[name]
        if not state.is_on:
            return False
        if state.times_left is not None:
            state.times_left -= 1
            state.is_on = state.times_left > 0
        return True

    def actions(self) -> dict[str, str]:
        """One-time faults: name to label."""
        return ACTIONS | (MEDIA_ACTIONS if self.takes_media else {}) | self.extra_actions

    def switches(self) -> dict[str, str]:
        """Lasting faults: name to label."""
        return {name: state.label for name, state in self._switches.items()}

    # --- the ledger ---------------------------------------------------------------------------------------------------

    def next_number(self) -> int:
        """1, 2, 3, …: for ids that read well."""
        self._sequence += 1
        return self._sequence

    def find_entry(self, post_id: str) -> LedgerEntry | None:
        """The post with this id; None when there is none."""
        return next((entry for entry in self.ledger if entry.id == post_id), None)

    def record(
        self,
        *,
        post_id: str,
        account: FakeAccount,
        text: str,
        link: str | None = None,
        media: Sequence[FakeMedia] = (),
        reply_to: str | None = None,
        card: FakeCard | None = None,
    ) -> LedgerEntry:
        """Write a post into the ledger: from here on it is live."""
        entry = LedgerEntry(
            id=post_id,
            account=account,
            text=text,
            link=link,
            at=self.clock.now(),
            media=tuple(media),
            reply_to=reply_to,
            card=card,
        )
        self.ledger.append(entry)
        return entry


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
