"""How large a credential grows, and the size at which the stack breaks."""

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

from apps.contract.credentials import wire_bytes
from apps.contract.registry import Carrier
from authbench.conformance.checks import Subject
from authbench.semantics.findings import Edge
from authbench.semantics.probands import Probands

SMALLEST, LARGEST = 512, 65_536  # bytes of a header line
TIMEOUT_S = 5.0
# The header that a login travels in, and how a value of any length begins that is none. The control has no login.
HEADERS: dict[Carrier, tuple[str, str]] = {
    "cookie": ("Cookie", "__Host-sessionid="),
    "bearer": ("Authorization", "Bearer "),
    "page": ("X-Page-State", ""),
}
PASSED = frozenset({200, 401})  # the application has decided


def credential_sizes(probands: Probands) -> dict[int, int]:
    """Permissions of a user -> bytes that each request carries for it."""
    few = probands.by_role["guest"]
    sizes = {len(few.user.caller.permissions): wire_bytes(few.credential)}
    return sizes | {many: wire_bytes(each.credential) for many, each in probands.by_permissions.items()}


def refused_sizes(subject: Subject, probands: Probands) -> dict[int, int]:
    """Permissions of a user -> status, where the stack does not let the user in because the credential is too large."""
    refused = {}
    for many, each in probands.by_permissions.items():
        status = subject.anonymous.as_bearer_of(each.credential).call("whoami").status
        if status != 200:
            refused[many] = status
    return refused


def header_limit(url: str, carrier: Carrier) -> Edge:
    """The longest line of the credential's header that reaches the application at that address."""
    name, start = HEADERS[carrier]

    def status(size: int) -> int | None:
        return _status(url, name, start.ljust(size - len(f"{name}: \r\n"), "a"))

    return search(status, SMALLEST, LARGEST)


def search(status: Callable[[int], int | None], smallest: int, largest: int) -> Edge:
    """Bisects sizes for the largest that passes. Raises ValueError where the smallest does not."""
    if (found := status(smallest)) not in PASSED:
        raise ValueError(f"a header of {smallest} bytes was answered {found}")
    refused = status(largest)
    if refused in PASSED:
        return Edge(bytes=None, status=None, tried_bytes=largest)
    low, high = smallest, largest
    while high - low > 1:
        middle = (low + high) // 2
        found = status(middle)
        if found in PASSED:
            low = middle
        else:
            high, refused = middle, found
    return Edge(bytes=low, status=refused, tried_bytes=largest)


def _status(url: str, name: str, value: str) -> int | None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/api/whoami", headers={name: value})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None  # closed without an answer
    finally:
        connection.close()
