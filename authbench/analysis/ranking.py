"""The order of strategies by CPU a request, and which neighbours are too close to rank."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from authbench.analysis.estimate import Observation, geometric_mean, ratio


def ranking(observations: Mapping[str, Sequence[Observation]]) -> tuple[tuple[str, ...], ...]:
    """Groups of strategies, least CPU first; within a group in their order.

    Two neighbours are apart where the interval of their own within-block ratio lies above 1; else they share a group:
    the run cannot say which is first. A strategy without a geometric mean is left out.
    """
    levels = adjusted({name: rows for name, rows in observations.items() if geometric_mean(rows, "ms") is not None})
    groups: list[list[str]] = []
    for name in sorted(levels, key=lambda name: (levels[name], name)):
        if groups and too_close(observations[groups[-1][-1]], observations[name]):
            groups[-1].append(name)
        else:
            groups.append([name])
    return tuple(tuple(group) for group in groups)


def adjusted(observations: Mapping[str, Sequence[Observation]]) -> dict[str, float]:
    """Strategy -> its level on logs, as if all had been measured in all blocks; values must be positive.

    Least squares of log value = strategy + block. Where no block is missing this is the order of the geometric means;
    where a strategy lacks a slow block, its own mean would flatter it by the machine's drift.
    """
    names = list(observations)
    blocks = sorted({(row.launch, row.block) for rows in observations.values() for row in rows})
    column = {block: len(names) + number for number, block in enumerate(blocks)}
    values = [(names.index(name), row) for name in names for row in observations[name]]
    design = np.zeros((len(values), len(names) + len(blocks)))
    for line, (place, row) in enumerate(values):
        design[line, place] = design[line, column[row.launch, row.block]] = 1.0
    levels = np.linalg.lstsq(design, np.array([math.log(row.value) for _, row in values]), rcond=None)[0]
    return dict(zip(names, levels[: len(names)].tolist(), strict=True))


def too_close(first: Sequence[Observation], second: Sequence[Observation]) -> bool:
    """Whether the run cannot say that the second needs more."""
    between = ratio(second, first)
    return between is None or between.low is None or between.low <= 1


def places(groups: Sequence[Sequence[str]]) -> dict[str, tuple[int, bool]]:
    """strategy -> (rank, tied); all of a group share the first of its places, as in sports."""
    found: dict[str, tuple[int, bool]] = {}
    for group in groups:
        rank = len(found) + 1
        found |= dict.fromkeys(group, (rank, len(group) > 1))
    return found
