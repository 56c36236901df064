"""An outage is no refusal: while the cache does not answer, nobody may be told that he is logged out.

Valkey is stopped for as long as each replica is asked, as a host is that swaps or a network that drops packets: its
port stays open and nothing comes back.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from apps.contract.credentials import load
from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.conformance.visitor import Answer, Visitor
from authbench.stack import valkey

AT_ONCE = 4  # strategies; each waits for its client of the cache to give up
PATIENCE_S = 10.0


def refused_in_outage(
    stack: EmbeddedStack, strategies: Sequence[Strategy], minted: Mapping[str, Minted]
) -> dict[str, tuple[str, ...]]:
    """Strategy -> what it said that it cannot know, of those that use the cache; empty where none does wrong."""
    asked = [each for each in strategies if "cache" in each.stores]
    if not asked:
        return {}
    with httpx.Client(trust_env=False) as http, silenced(stack), ThreadPoolExecutor(AT_ONCE) as pool:
        problems = pool.map(lambda each: tuple(_problems(stack, http, each, minted[each.name])), asked)
        found = dict(zip((each.name for each in asked), problems, strict=True))
    return {name: said for name, said in found.items() if said}


@contextmanager
def silenced(stack: EmbeddedStack) -> Iterator[None]:
    """The cache takes connections and answers nobody while the block runs."""
    cache = stack.running(valkey.NAME)
    try:
        cache.pause()
        yield
    finally:
        cache.resume()


def accused(answer: Answer) -> Iterator[str]:
    """What an answer says against a caller of whom nothing can be known."""
    if answer.status in (401, 403):
        yield f"the cache's outage was answered {answer.status} on {answer.replica}: that is a refusal"
    deleted = [value for name, value in answer.headers if name.lower() == "set-cookie" and "max-age=0" in value.lower()]
    if deleted:
        names = ", ".join(each.partition("=")[0] for each in deleted)
        yield f"in the cache's outage {answer.replica} deleted the client's cookie ({names})"


def _problems(stack: EmbeddedStack, http: httpx.Client, strategy: Strategy, minted: Minted) -> Iterator[str]:
    url = stack.url(strategy.name)
    anonymous = Visitor(http, url, strategy, timeout_s=PATIENCE_S)
    for row in minted.unverified[: stack.replicas]:  # one each: round robin asks every replica
        visitor = anonymous.as_bearer_of(load(strategy.carrier, row["credential"]))
        try:
            yield from accused(visitor.call("whoami"))
        except httpx.HTTPError:
            continue  # no answer is no accusation
