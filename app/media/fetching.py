"""Fetching from addresses that people typed: never from a private network, never without limits.

The name is looked up once, every answer is checked, and the connection goes to the very address that was checked:
a name that changes its mind in between (DNS rebinding) gains nothing. Redirects are checked the same way.
"""

import ipaddress
import socket
import time
from urllib.parse import urljoin, urlsplit

import httpx
from flask import current_app

MOST_REDIRECTS = 3
TIMEOUT_SECONDS = 15  # for the next bytes
MOST_SECONDS = 60  # for all: a server that sends on and on must not hold up a sender
NO_ADDRESS = "The attachment's address must be valid and begin with https://."


class CannotFetch(Exception):
    """The text is fit for people."""


def is_trusted(host: str) -> bool:
    """A private host that the operator allows (GREENROOM_MEDIA_HOSTS)."""
    return host.lower() in current_app.config["MEDIA_HOSTS"]


def host_of(address: str) -> str | None:
    """The host of an address that may be fetched; None for what is no such address."""
    try:
        parts, url = urlsplit(address), httpx.URL(address)
    except (ValueError, httpx.InvalidURL):
        return None
    plain = address.isprintable() and " " not in address and not parts.username
    if not (plain and parts.hostname and url.host and may_use_scheme(parts.scheme, parts.hostname)):
        return None
    return parts.hostname if url.port is None or 0 < url.port < 65536 else None


def may_use_scheme(scheme: str, host: str) -> bool:
    return scheme == "https" or (scheme == "http" and is_trusted(host))


def may_be_public(host: str) -> bool:
    """False for what is private on its face; a name is looked up only when it is fetched."""
    if is_trusted(host):
        return True
    try:
        return _is_public(host)
    except ValueError:
        return "." in host and not host.lower().rstrip(".").endswith((".local", ".internal", ".localhost"))


NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _is_public(address: str) -> bool:
    """Also of the IPv4 address that an IPv6 one may lead to. Raises ValueError for what is no address."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if found in NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner and not _is_public(str(inner)):
            return False
    return found.is_global and not found.is_multicast


def fetch(address: str, most_bytes: int) -> bytes:
    """Raises CannotFetch."""
    ends = time.monotonic() + MOST_SECONDS
    for _ in range(MOST_REDIRECTS + 1):
        found = _fetch_once(address, most_bytes, ends)
        if isinstance(found, bytes):
            return found
        try:
            address = urljoin(address, found)
        except ValueError as error:
            raise CannotFetch(NO_ADDRESS) from error
    raise CannotFetch("The attachment's address redirects too often.")


def _fetch_once(address: str, most_bytes: int, ends: float) -> bytes | str:
    """The content, or the address that it redirects to. ends: by the monotonic clock."""
    host = host_of(address)
    if host is None:
        raise CannotFetch(NO_ADDRESS)
    url = httpx.URL(address)
    pinned = url.copy_with(host=_public_address(host, url.port or (443 if url.scheme == "https" else 80)))
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client,
            client.stream(
                "GET", pinned, headers={"Host": url.netloc.decode()}, extensions={"sni_hostname": host}
            ) as answer,
        ):
            if answer.is_redirect:
                return answer.headers.get("Location", "")
            if answer.status_code != 200:
                raise CannotFetch(f"The attachment's address answered {answer.status_code}.")
            return _read(answer, most_bytes, ends)
    except httpx.HTTPError as error:
        raise CannotFetch("The attachment's address cannot be reached.") from error


def _read(answer: httpx.Response, most_bytes: int, ends: float) -> bytes:
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > most_bytes:
            raise CannotFetch("The attachment is too large.")
        if time.monotonic() > ends:
            raise CannotFetch("The attachment's address takes too long to answer.")
    return bytes(content)


def _public_address(host: str, port: int) -> str:
    try:
        found = [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:  # no name of the internet has such parts
        raise CannotFetch("The attachment's address cannot be found.") from error
    if not is_trusted(host) and not all(_is_public(str(each)) for each in found):
        raise CannotFetch("The attachment's address is on a private network.")
    return str(found[0])
