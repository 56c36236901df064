"""The shop with a known amount of Python work before every request: what `authbench calibrate --inject` runs as B."""

from collections.abc import Callable, Iterable
from typing import Any

from apps.shop.environment import number
from apps.shop.wsgi import application as shop

TURNS = number("AUTHBENCH_BURDEN_TURNS", 0, smallest=0)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The shop's answer, TURNS turns of a loop later (PEP 3333)."""
    burden(TURNS)
    return shop(environ, start_response)


def burden(turns: int) -> int:
    """Ordinary Python: integers and a branch, no call and nothing kept."""
    total = 0
    for turn in range(turns):
        if turn & 3:
            total += turn
        else:
            total ^= turn
    return total
