"""The application as a function: cold starts, frozen instances, and the connections that they hold."""

from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.serverless.plan import ServerlessPlan


def measure(ground: Ground, plan: ServerlessPlan) -> None:
    """Records an observation a combination of levels and launch. Raises StackError where a part fails."""
    raise StackError(f"{plan.kind}: cannot be measured yet with {len(ground.strategies)} strategies")
