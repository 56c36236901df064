"""One request through chains and fan-outs of services, each of which checks the caller."""

from typing import Literal

from authbench.records import Frozen


class ServicesPlan(Frozen):
    """What the experiment varies beside the strategy."""

    kind: Literal["services"]

    def estimated_seconds(self, strategies: int, launches: int) -> float:
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        return 1.0 * strategies * launches
