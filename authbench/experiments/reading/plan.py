"""What whoever holds a credential can read in it without any key, and whether a page's script may hold it."""

from typing import Literal

from authbench.experiments.plan import Plan

SECONDS_A_LOGIN = 1.0


class ReadingPlan(Plan):
    """Nothing varies but the strategy."""

    kind: Literal["reading"]

    def estimated_seconds(self, strategies: int, launches: int) -> float:  # noqa: ARG002 - as every plan's
        """How long it takes on a machine of 2 cores: one start of replicas, one login a strategy."""
        return 3.0 + SECONDS_A_LOGIN * strategies
