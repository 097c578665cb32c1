"""The command ``logicspike``."""

from __future__ import annotations

import asyncio
import difflib
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .settings import Settings, SettingsInvalid, is_loopback, load_settings

if TYPE_CHECKING:
    from .app import Role
    from .platforms import Platforms

__all__ = ["main"]


class _Group(click.Group):
    """A group that names the nearest command when one is unknown."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint} `logicspike --help` lists all.", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="logicspike", message="logicspike %(version)s")
def main() -> None:
    """A Slack bot by which a team connects its social accounts and schedules posts.

    \b
    Try it without any account:   logicspike demo
    Check your set-up:            logicspike doctor
    Run it:                       logicspike serve
    """


@main.command()
@click.option("--host", help="Address to listen on. Default: HOST, or 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on. Default: PORT, or 3000.")
@click.option(
    "--role",
    type=click.Choice(["all", "web", "worker"]),
    default="all",
    show_default=True,
    help="web answers Slack and browsers, worker publishes, all does both.",
)
def serve(host: str | None, port: int | None, role: Role) -> None:
    """Run the bot: Slack, the connect pages and the scheduler, in one process or, by --role, in several.

    Any number of processes may run against one database; a worker listens on no port.

    Settings come from the environment and from .env in this folder; .env.example lists all of them.
    Ctrl-C or SIGTERM finishes what is in flight, then stops.

    \b
    Example:
      logicspike serve --port 8080
      logicspike serve --role worker
    """
    from .app import serve as run

    settings = _settings(host=host, port=port)
    if missing := settings.missing_for_serving():
        _refuse(SettingsInvalid(missing))
    _log_to_terminal()
    _run(lambda: run(settings, role))


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="Port of the demo's page.")
@click.option("--no-browser", is_flag=True, help="Don't open the page in a browser.")
def demo(port: int, *, no_browser: bool) -> None:
    """Try everything in your browser: a small Slack, every platform's stand-in, nothing to sign up for.

    Nothing leaves this computer, and nothing is kept when it stops.

    \b
    Example:
      logicspike demo --port 3100
    """
    from .sandbox.run import run_demo

    _run(lambda: run_demo(port=port, opens_browser=not no_browser))


@main.command()
def doctor() -> None:
    """Check settings, database, Slack, clock and each platform; one sentence per finding.

    \b
      ✓ is right   ✗ must be mended   ! works, but not for long, or is odd
      ? can't be seen from here: the sentence says where to look

    Nothing is posted, and no platform is asked for more than a sign of life. Exits with 1 if something must be mended.

    \b
    Example:
      logicspike doctor
    """
    from .doctor import list_sections, show
    from .plugin import SetupLevel

    try:
        settings = load_settings()
    except SettingsInvalid as error:
        for problem in error.problems:
            click.echo(f"✗ {problem}")
        sys.exit(1)
    findings = asyncio.run(show(list_sections(settings), out=sys.stdout, errors=sys.stderr))
    sys.exit(1 if any(finding.level is SetupLevel.PROBLEM for finding in findings) else 0)


@main.command()
@click.option("--url", help="Address of your bot, https. Default: PUBLIC_URL.")
def manifest(url: str | None) -> None:
    """Print the Slack app manifest for your address and command names, ready to paste.

    \b
    Example:
      logicspike manifest --url https://bot.example.com
    """
    from .slack.manifest import CommandNames, build_manifest, render_manifest

    settings = _settings(public_url=url)
    names = CommandNames(connect=settings.slack_command_connect, schedule=settings.slack_command_schedule)
    is_socket_mode = settings.slack_app_token is not None
    if is_loopback(settings.public_url) and not is_socket_mode:
        click.echo(f"Slack can't reach {settings.public_url}: name your bot's https address by --url.", err=True)
    click.echo(render_manifest(build_manifest(settings.public_url, names, is_socket_mode=is_socket_mode)), nl=False)


@main.command()
def platforms() -> None:
    """List the installed platforms, their versions, and whether they can be used.

    \b
    Example:
      logicspike platforms
    """
    from .clock import SystemClock
    from .platforms import Platforms

    settings = _settings()
    found = Platforms.load(
        environment=settings.environment,
        clock=SystemClock(),
        disabled=settings.logicspike_disabled_platforms,
    )
    versions = found.versions()
    for name in sorted({*found.names, *found.quarantined}):
        problems = (found.quarantined[name],) if name in found.quarantined else found.problems(name)
        click.echo(f"{'✗' if problems else '✓'} {name:<12} {versions.get(name, '?')}")
        for problem in problems:
            click.echo(f"    {problem}")
        _show_credential_sets(found, name)
    for name in settings.logicspike_disabled_platforms:
        click.echo(f"– {name:<12} switched off (LOGICSPIKE_DISABLED_PLATFORMS)")
    if not versions and not settings.logicspike_disabled_platforms:
        click.echo("No platform is installed. Install one, for example: pip install logicspike-NAME")


def _show_credential_sets(found: Platforms, name: str) -> None:
    for each in found.list_optional(name) if name in found.names else ():
        problems = found.problems(name, each.credential_set)
        is_left_out = found.is_untouched(name, each.credential_set)
        sign = "–" if is_left_out else "✗" if problems else "✓"
        click.echo(f"  {sign} {each.typed}: {each.title} (optional)")
        for problem in problems:
            click.echo(f"      {problem}")


def _settings(**overrides: object) -> Settings:
    try:
        return load_settings(**overrides)  # type: ignore[arg-type]
    except SettingsInvalid as error:
        _refuse(error)


def _refuse(error: SettingsInvalid) -> NoReturn:
    click.echo("The settings are not complete:", err=True)
    for problem in error.problems:
        click.echo(f"  {problem}", err=True)
    click.echo("Set them in the environment or in .env (see .env.example), or try `logicspike demo`.", err=True)
    sys.exit(2)


def _log_to_terminal() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    from .app import StartFailed

    try:
        asyncio.run(work())
    except StartFailed as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
