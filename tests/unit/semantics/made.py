"""A row of what a strategy buys, made up."""

from typing import Any

from authbench.semantics.findings import EVENTS, Edge, Obeyed, Semantics, Skew

EDGE = Edge(bytes=8190, status=431, tried_bytes=65_536)


def row(strategy: str = "session-db", **changed: Any) -> Semantics:
    """A strategy that does everything right, but for what is changed."""
    return Semantics(
        **{
            "strategy": strategy,
            "obeyed": {event: Obeyed(after_s=0.01, within_s=3.0) for event in EVENTS},
            "poll_s": 0.05,
            "expires_in_s": 43_200.0,
            "stolen_after_logout": (),
            "replayed": True,
            "fixated": False,
            "altered_tried": 36,
            "altered_accepted": 0,
            "altered_as_others": 0,
            "accepted_elsewhere": (),
            "skew": Skew(ahead_s=300.0, right_at_ahead=True, ahead_at_right=True),
            "credential_bytes": {1: 59, 100: 59, 1000: 59},
            "refused_sizes": {},
            "header_at_balancer": EDGE,
            "header_at_replica": EDGE,
            "storable": (),
            "invariable": (),
            **changed,
        }
    )
