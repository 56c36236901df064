"""Every observation of an experiment as rows of CSV, a value each, so that a pivot table can turn it any way."""

from collections.abc import Sequence

from authbench.observed import Observation
from reports.exports.table_csv import table


def observations_csv(observations: Sequence[Observation]) -> bytes:
    """Kind, launch, every factor that occurs, measure, value, and whether it counts; in the order of the records."""
    factors = list(dict.fromkeys(name for each in observations for name in each.levels))
    head = ["kind", "launch", *factors, "measure", "value", "valid", "reasons"]
    rows = (
        [
            *(each.kind, each.launch),
            *(each.levels.get(name) for name in factors),
            *(measure, value),
            "true" if each.valid else "false",
            " ".join(reason.code for reason in each.reasons),
        ]
        for each in observations
        for measure, value in each.values.items()
    )
    return table(head, rows)
