"""Every kind of experiment there is."""

from authbench.experiments.faults.measurement import measure as faults
from authbench.experiments.faults.plan import FaultsPlan
from authbench.experiments.ground import Ground
from authbench.experiments.growth.measurement import measure as growth
from authbench.experiments.growth.plan import GrowthPlan
from authbench.experiments.payload.measurement import measure as payload
from authbench.experiments.payload.plan import PayloadPlan
from authbench.experiments.plans import ExperimentPlan
from authbench.experiments.reading.measurement import measure as reading
from authbench.experiments.reading.plan import ReadingPlan
from authbench.experiments.relay.measurement import measure as relay
from authbench.experiments.relay.plan import RelayPlan
from authbench.experiments.revival.measurement import measure as revival
from authbench.experiments.revival.plan import RevivalPlan
from authbench.experiments.rotation.measurement import measure as rotation
from authbench.experiments.rotation.plan import RotationPlan
from authbench.experiments.routing.measurement import measure as routing
from authbench.experiments.routing.plan import RoutingPlan
from authbench.experiments.serverless.measurement import measure as serverless
from authbench.experiments.serverless.plan import ServerlessPlan
from authbench.experiments.services.measurement import measure as services


def measure(ground: Ground, plan: ExperimentPlan) -> None:
    """Runs the experiment; what it observes is recorded as it is seen. Raises StackError where a part fails."""
    if isinstance(plan, FaultsPlan):
        faults(ground, plan)
    elif isinstance(plan, GrowthPlan):
        growth(ground, plan)
    elif isinstance(plan, PayloadPlan):
        payload(ground, plan)
    elif isinstance(plan, ReadingPlan):
        reading(ground, plan)
    elif isinstance(plan, RelayPlan):
        relay(ground, plan)
    elif isinstance(plan, RevivalPlan):
        revival(ground, plan)
    elif isinstance(plan, RotationPlan):
        rotation(ground, plan)
    elif isinstance(plan, RoutingPlan):
        routing(ground, plan)
    elif isinstance(plan, ServerlessPlan):
        serverless(ground, plan)
    else:
        services(ground, plan)
