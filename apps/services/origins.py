"""Protection against requests that a page of another origin makes a browser send: the rule of the shop's middleware."""

import re
from collections.abc import Sequence

from apps.contract.endpoints import SAFE_METHODS
from apps.contract.origins import is_same_origin
from apps.services.answers import Refusal

HOST = re.compile(r"([a-z0-9.-]+|\[[a-f0-9]*:[a-f0-9.:]+\])(?::[0-9]+)?")


def check_origin(
    method: str, *, site: str | None, origin: str | None, host: str | None, allowed_hosts: Sequence[str]
) -> None:
    """Raises Refusal for an unsafe request of another origin, and for a host that is not allowed where it matters.

    `site`, `origin` and `host` are the request's headers of (nearly) these names; docs/shop.md explains the rule.
    """
    if method in SAFE_METHODS:
        return
    if not is_same_origin(site, origin, lambda: _allowed(host or "", allowed_hosts)):
        raise Refusal(403, "cross-origin request refused")


def _allowed(host: str, allowed_hosts: Sequence[str]) -> str:
    """The host as sent, where Django's ALLOWED_HOSTS would let it pass."""
    found = HOST.fullmatch(host.lower())
    name = found[1].removesuffix(".") if found else ""
    if not name or not any(_matches(name, pattern.lower()) for pattern in allowed_hosts):
        raise Refusal(400, "the request is malformed")
    return host


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("."):
        return name.endswith(pattern) or name == pattern[1:]
    return pattern in ("*", name)
