"""What a scenario's [experiment] may say: one plan a kind, told apart by `kind`. Pure values: nothing is run here."""

from typing import Annotated

from pydantic import Field

from authbench.experiments.faults.plan import FaultsPlan
from authbench.experiments.growth.plan import GrowthPlan
from authbench.experiments.payload.plan import PayloadPlan
from authbench.experiments.reading.plan import ReadingPlan
from authbench.experiments.relay.plan import RelayPlan
from authbench.experiments.revival.plan import RevivalPlan
from authbench.experiments.rotation.plan import RotationPlan
from authbench.experiments.routing.plan import RoutingPlan
from authbench.experiments.serverless.plan import ServerlessPlan
from authbench.experiments.services.plan import ServicesPlan

ExperimentPlan = Annotated[
    FaultsPlan
    | GrowthPlan
    | PayloadPlan
    | ReadingPlan
    | RelayPlan
    | RevivalPlan
    | RotationPlan
    | RoutingPlan
    | ServerlessPlan
    | ServicesPlan,
    Field(discriminator="kind"),
]
