"""Warnings as typed values: they travel with a number from where they arise to every place that shows it."""

from typing import Literal

from authbench.records import Frozen

CautionCode = Literal[
    "too-few-launches",  # no interval, or one that the bootstrap cannot check
    "bootstrap-disagrees",  # the interval's assumption of normal logs is doubtful, or launches stand apart
    "quantile-unsupported",  # fewer than 50 samples beyond it
    "unresolved-block",  # a block stayed invalid after all attempts
    "missing-launches",  # fewer launches than planned
    "statements-differ",  # measured counts are not those that verification recorded
    "not-measured",  # named in the scenario, absent from the records
    # of two runs beside each other
    "not-alternated",  # the machine may have drifted between the two runs
    "control-moved",  # the control's own figure changed, so that seconds cannot be compared
    "seconds-refused",  # other machine, parts or libraries: only ratios to the control and counts
    "runs-differ",  # one way in which they do
    "rates-differ",  # latency at open-model rates that are not the same
    "torn-record",  # the last line of the records was cut off and left out
]


class Caution(Frozen):
    """Something a reader must know about a number: a stable code, what it is about, one sentence."""

    code: CautionCode
    about: str
    message: str
