"""The application as a function: cold starts, frozen instances, and the connections that they hold."""

from typing import Literal

from authbench.records import Frozen


class ServerlessPlan(Frozen):
    """What the experiment varies beside the strategy."""

    kind: Literal["serverless"]

    def estimated_seconds(self, strategies: int, launches: int) -> float:
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        return 1.0 * strategies * launches
