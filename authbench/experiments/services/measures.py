"""What the experiment observes, each once."""

from authbench.observed import Measure

MEASURES: tuple[Measure, ...] = ()
