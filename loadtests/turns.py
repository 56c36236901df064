"""Whose turn it is: the prepared requests in the order of their file, for ever."""

import itertools
from collections.abc import Iterator, Sequence

from loadtests.prepared import Request


def in_turn(requests: Sequence[Request], first: int = 0) -> Iterator[Request]:
    """The requests in their order, from place `first` on, over and over.

    A user with a one-time token who awaits an answer has none to send, so his turn is passed over, as long as anybody
    else is free: with more users than requests in flight nobody sends a token twice. In the order of the file alone
    that would hold only while no answer takes as long as a whole round of the others.
    """
    ordered = [*requests[first:], *requests[:first]] if first else requests
    return _free_ones(ordered) if any(request.rolls for request in requests) else itertools.cycle(ordered)


def _free_ones(requests: Sequence[Request]) -> Iterator[Request]:
    for request in requests:
        if request.rolls:
            request.chain.in_flight = False  # a window that broke off left some behind
    passed = 0
    for request in itertools.cycle(requests):
        if request.rolls:
            if request.chain.in_flight and passed < len(requests):
                passed += 1
                continue
            request.chain.in_flight = True
        passed = 0
        yield request
