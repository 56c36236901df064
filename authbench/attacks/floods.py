"""Family `floods`: strangers must leave nothing behind."""

import secrets
from collections.abc import Iterator

from authbench.attacks.findings import Try
from authbench.attacks.target import Attack, NotApplicable, Target
from authbench.conformance.checks import foreign

FAMILY = "floods"
REQUESTS = 200
SHARE = 4  # of the requests, one in so many comes without any credential


def anonymous(target: Target) -> Iterator[Try]:
    """Requests without a credential and with random ones: no row, no key of the cache, no file more than before."""
    if target.stock is None:
        raise NotApplicable("nobody can look into its stores")
    before = target.stock()
    statuses: dict[int, int] = {}
    for number in range(REQUESTS):
        headers = () if number % SHARE == 0 else target.carrying(_random(target.text))
        answer = target.ask(
            "preferences" if number % 10 == 5 else "whoami", headers, {"theme": "x"} if number % 10 == 5 else None
        )
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
    refused = sum(count for status, count in statuses.items() if 400 <= status < 500)
    came = ", ".join(f"{count} of {status}" for status, count in sorted(statuses.items()))
    yield Try(sent=f"{REQUESTS} requests of strangers", expected="4xx each", came=came, held=refused == REQUESTS)
    after = target.stock()
    for store, entries in after.items():
        more = max(entries - before.get(store, 0), 0)
        yield Try(sent=f"the same, counted in {store}", expected="0 more", came=f"{more} more", held=not more)


def _random(text: str) -> str:
    """Of the same form, and nobody's."""
    changed = foreign(text)
    return changed if changed != text else secrets.token_urlsafe(32)


ATTACKS = (Attack("anonymous requests", FAMILY, "CWE-770", anonymous),)
