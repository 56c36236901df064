"""When requests are due and what they ask: a Poisson stream, the same for every strategy of one seed. Pure."""

from collections.abc import Iterator, Sequence
from random import Random


def arrivals(rate_rps: float, endpoints: Sequence[str], draw: Random) -> Iterator[tuple[float, str]]:
    """(seconds since the load began, endpoint), for ever; each round of `endpoints` in another order."""
    at_s = 0.0
    while True:
        for endpoint in draw.sample(endpoints, k=len(endpoints)):
            at_s += draw.expovariate(rate_rps)
            yield at_s, endpoint
