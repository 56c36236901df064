"""Whether a browser says that a request comes from a page of another origin: one rule for every framework."""

from collections.abc import Callable
from urllib.parse import urlsplit


def is_same_origin(site: str | None, origin: str | None, host: Callable[[], str]) -> bool:
    """What `Sec-Fetch-Site` says, else whether `Origin` names the host; True for clients that send neither.

    The rule of Go 1.25's net/http CrossOriginProtection and OWASP's Fetch Metadata defence. `host` is asked only where
    it decides, and may raise.
    """
    if site:
        return site in ("same-origin", "none")
    if not origin:
        return True
    try:
        netloc = urlsplit(origin).netloc
    except ValueError:  # a bracket without its partner
        return False
    return netloc == host()
