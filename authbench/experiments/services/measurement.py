"""One request through chains and fan-outs of services, each of which checks the caller."""

from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.services.plan import ServicesPlan


def measure(ground: Ground, plan: ServicesPlan) -> None:
    """Records an observation a combination of levels and launch. Raises StackError where a part fails."""
    raise StackError(f"{plan.kind}: cannot be measured yet with {len(ground.strategies)} strategies")
