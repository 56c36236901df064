"""Warnings as typed values: they travel with a number from where they arise to every place that shows it."""

from typing import Literal

from authbench.records import Frozen

CautionCode = Literal[
    "too-few-launches",  # no interval, or one that the bootstrap cannot check
    "bootstrap-disagrees",  # the interval's assumption of normal logs is doubtful
    "quantile-unsupported",  # fewer than 50 samples beyond it
    "unresolved-block",  # a block stayed invalid after all attempts
    "missing-launches",  # fewer launches than planned
    "statements-differ",  # measured counts are not those that verification recorded
    "not-measured",  # named in the scenario, absent from the records
]


class Caution(Frozen):
    """Something a reader must know about a number: a stable code, what it is about, one sentence."""

    code: CautionCode
    about: str
    message: str
