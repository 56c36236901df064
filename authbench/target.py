"""Where load may go: this machine's loopback, or a host that the user allowed by name."""

import ipaddress
import socket
from urllib.parse import urlsplit

from authbench.errors import UsageError


def checked_target(url: str, allowed: frozenset[str] = frozenset()) -> str:
    """The URL's origin with its host resolved once: `http://address:port`.

    Raises UsageError for anything but plain HTTP to loopback, unless the host stands in `allowed` letter by letter.
    Credentials in the URL, odd spellings of an address (decimal, mapped) and names that resolve elsewhere are refused,
    since the address that was checked is the one that is used.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or 80
    except ValueError as error:
        raise UsageError(f"{url}: {error}") from error
    host = parts.hostname or ""
    if parts.scheme != "http" or not host or "@" in parts.netloc:
        raise UsageError(f"{url}: not a target; give http://HOST:PORT without user or password")
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
    except OSError as error:
        raise UsageError(f"{url}: {host} does not resolve ({error.strerror})") from error
    ip = ipaddress.ip_address(address)
    literal_or_localhost = host == "localhost" or str(ip) == host
    if not (ip.is_loopback and literal_or_localhost) and host not in allowed:
        raise UsageError(
            f"{url}: load goes to loopback only; {host} is {address}. "
            f"If that machine is yours to load, say --allow-target {host}"
        )
    shown = f"[{address}]" if ip.version == 6 else address
    return f"http://{shown}:{port}"
