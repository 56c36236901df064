"""Where load may go: this machine's loopback, or a host that the user names and that says itself that it may.

The host is looked up once, and the address that was checked is the one that is used: neither another answer of the
name server, nor a redirect, nor a proxy variable leads anywhere else. docs/safety.md says it for users.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from authbench.consent import CONSENT, gives_consent
from authbench.errors import UsageError

# RFC 1123's names. The last label is no number, or resolvers would take the whole for an address in some spelling.
NAME = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$|0x[0-9a-f]*$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
LOCALHOST = "localhost"


@dataclass(frozen=True, slots=True)
class Destination:
    """A host that was looked up: what everything after it connects to."""

    host: str  # as the user wrote it, in lower case
    address: str
    port: int

    @property
    def origin(self) -> str:
        """`http://address:port`."""
        return f"http://{_bracketed(self.address)}:{self.port}"

    @property
    def authority(self) -> str:
        """`host:port`, as requests and the target's consent name it."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the address is this machine's own."""
        return ipaddress.ip_address(self.address).is_loopback


def checked_target(url: str, allowed: frozenset[str] = frozenset()) -> Destination:
    """Where the URL leads, looked up once.

    Raises UsageError for anything but plain HTTP to `localhost` or a loopback address as it is usually written, unless
    the host stands in `allowed` letter by letter and the target itself consents. Credentials in the URL, odd spellings
    of an address (decimal, octal, hexadecimal, mapped) and names that are no host names are refused either way.
    """
    destination = _looked_up(url)
    if destination.is_loopback and destination.host in (LOCALHOST, destination.address):
        return destination
    if destination.host not in allowed:
        raise UsageError(
            f"{url}: load goes to loopback only; {destination.host} is {destination.address}. "
            f"If that machine is yours to load, let it serve {CONSENT} and say --allow-target {destination.host}"
        )
    if (why := gives_consent(destination.address, destination.port, destination.authority)) is not None:
        raise UsageError(f"{url}: the target does not say that it may be loaded: {why}")
    return destination


def _looked_up(url: str) -> Destination:
    parts = _parts(url)
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, parts.port or 80, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{url}: {host} does not resolve ({getattr(error, 'strerror', None) or error})") from error
    address = str(found[0][4][0])
    if "%" in address:
        raise UsageError(f"{url}: {address} belongs to one network interface; give an address without a zone")
    return Destination(host, address, parts.port or 80)


def _parts(url: str) -> SplitResult:
    """The URL, where nothing in it can be read in two ways. Raises UsageError."""
    plain = "give http://HOST:PORT/PATH without user or password"
    if not url.isascii() or not url.isprintable() or any(each in url for each in " \\"):
        raise UsageError(f"{url!r}: not a target; {plain}, in ASCII and without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url}: {error}") from error
    host = parts.hostname or ""
    if parts.scheme != "http" or not host or "@" in parts.netloc or port == 0 or parts.netloc.endswith(":"):
        raise UsageError(f"{url}: not a target; {plain}")
    if not _is_address(host) and not NAME.fullmatch(host):
        raise UsageError(f"{url}: {host} is neither a host name nor an address as it is usually written")
    return parts


def _is_address(host: str) -> bool:
    """Whether it is an address in its one usual spelling; an IPv4 address in an IPv6 one's clothes is not."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    return str(ip) == host and getattr(ip, "ipv4_mapped", None) is None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
