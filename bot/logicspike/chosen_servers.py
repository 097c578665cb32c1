"""The server of a federated network, as a member names it: read into an origin that may be asked for."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from yarl import URL

from .egress import is_loopback_origin

__all__ = ["ServerRefused", "read_server", "show_server"]

_HOST: Final = re.compile(r"(?=.{4,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
_LONGEST_INPUT: Final = 500


class ServerRefused(Exception):
    """What was typed names no server that can be asked.

    Args:
        explanation: a plain sentence for the member.
    """

    def __init__(self, explanation: str) -> None:
        super().__init__(explanation)
        self.explanation = explanation


def show_server(origin: str) -> str:
    """A server as people know it: its host name, and its port where that is not the usual one."""
    url = URL(origin)
    return (url.host if url.is_default_port() else url.host_port_subcomponent) or ""


def read_server(text: str, *, suggested: str) -> str:
    """Read a server's address, a profile's address or a handle (``@ann@example.social``): the server's origin.

    Only https at its usual port and a name that is public in form; where the name leads is checked when it is reached.

    Args:
        text: as typed.
        suggested: the origin that the operator or the plugin names; it is taken as it is.

    Raises:
        ServerRefused: it is none, or the suggested one is on this machine, as in the sandbox, and this is another.
    """
    named = text.strip()[:_LONGEST_INPUT].casefold()
    if named in {"", suggested, show_server(suggested)}:
        return suggested
    if is_loopback_origin(suggested):
        raise ServerRefused(f"Here only {show_server(suggested)} can be reached.")
    host = _read_host(re.split(r"[/?#]", named.removeprefix("https://").removeprefix("http://"))[0])
    if _HOST.fullmatch(host) is None or _is_address(host):
        raise ServerRefused(f"“{text.strip()[:60]}” is no server’s address. It looks like {show_server(suggested)}.")
    return f"https://{host}"


def _read_host(text: str) -> str:
    """The host name in what may have a user in front, in letters that name servers know; "" where there is none."""
    try:
        url = URL(f"https://{text.rpartition('@')[2].rstrip('.')}")
    except ValueError:
        return ""
    return "" if url.explicit_port is not None else url.raw_host or ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # The last label of a name is never a number alone; some resolvers read such a name as an address.
        return host.rpartition(".")[2].isdigit()
    return True
