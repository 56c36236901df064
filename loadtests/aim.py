"""The address that load goes to: looked up once, and loopback unless the bench has the target's own consent."""

import ipaddress
import socket

from loadtests.plan import PlanError, origin


def aim(url: str, *, elsewhere: bool = False) -> tuple[int, tuple[str, int]]:
    """Address family and socket address of the URL's host, which is not asked for again.

    `elsewhere`: it may be another machine's, since `authbench load` has seen that the target allows it. Raises
    PlanError where there is no such host, and where it is not loopback but has to be.
    """
    host, port = origin(url)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise PlanError(f"url {url!r}: {error}") from error
    found = str(address[0])
    if not elsewhere and not ipaddress.ip_address(found.partition("%")[0]).is_loopback:
        raise PlanError(f"url {url!r}: {found} is not loopback; `authbench load --allow-target` loads other machines")
    return int(family), (found, port)
