"""Operational laws and mean value analysis. Pure; times in seconds, rates a second.

Utilisation law U = X·D and Little's law N = X·R: P. J. Denning and J. P. Buzen, "The Operational Analysis of Queueing
Network Models", ACM Computing Surveys 10(3), 1978. Exact mean value analysis of a closed network: M. Reiser and S. S.
Lavenberg, JACM 27(2), 1980. A station of m servers stands for one of 1/m of the demand with the rest as a delay, after
A. Seidmann, P. J. Schweitzer and S. Shalev-Oren, Large Scale Systems 12(2), 1987.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Station:
    """What requests queue for: seconds of it that one request needs, and how many serve at once."""

    demand_s: float
    servers: float


def utilisation(rate_rps: float, station: Station) -> float:
    """Busy share of each server; above 1 the rate is not reached."""
    return rate_rps * station.demand_s / station.servers


def bound_rps(stations: Sequence[Station]) -> float:
    """The rate that the busiest station allows; infinite where nothing is demanded."""
    return min((each.servers / each.demand_s for each in stations if each.demand_s > 0), default=math.inf)


def open_response_s(rate_rps: float, stations: Sequence[Station]) -> float:
    """Mean response time under Poisson arrivals, each station a queue with exponential service (M/M/1 of its share).

    Infinite where a station cannot follow.
    """
    total = 0.0
    for each in stations:
        busy = utilisation(rate_rps, each)
        if busy >= 1:
            return math.inf
        share = each.demand_s / each.servers
        total += share / (1 - busy) + (each.demand_s - share)
    return total


def closed(stations: Sequence[Station], customers: int, think_s: float = 0.0) -> tuple[float, float]:
    """(throughput a second, mean response time) of a closed network of that many customers: exact recursion."""
    shares = [each.demand_s / each.servers for each in stations]
    delay_s = think_s + sum(each.demand_s - share for each, share in zip(stations, shares, strict=True))
    queues = [0.0] * len(stations)
    rate_rps = response_s = 0.0
    for number in range(1, customers + 1):
        residence = [share * (1 + queue) for share, queue in zip(shares, queues, strict=True)]
        rate_rps = number / (delay_s + sum(residence))
        response_s = number / rate_rps - think_s
        queues = [rate_rps * each for each in residence]
    return rate_rps, response_s
