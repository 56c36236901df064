"""What the user asked `authbench run` to do."""

from dataclasses import dataclass
from pathlib import Path

from authbench.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for."""

    scenario: Scenario
    seed: int
    folder: Path
    command: str  # as typed, for the manifest
    resume: bool = False
