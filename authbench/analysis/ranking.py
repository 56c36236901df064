"""The order of strategies by CPU a request, and which neighbours are too close to rank."""

from collections.abc import Mapping, Sequence

from authbench.analysis.estimate import Observation, geometric_mean, ratio


def ranking(observations: Mapping[str, Sequence[Observation]]) -> tuple[tuple[str, ...], ...]:
    """Groups of strategies, least CPU first; within a group in the order of their geometric means.

    Two neighbours share a group where the interval of their own within-block ratio includes 1, or where they have
    none: the run cannot say which is first. A strategy without a geometric mean is left out.
    """
    means = {name: geometric_mean(rows, "ms") for name, rows in observations.items()}
    order = sorted((mean.value, name) for name, mean in means.items() if mean is not None)
    groups: list[list[str]] = []
    for _, name in order:
        if groups and too_close(observations[groups[-1][-1]], observations[name]):
            groups[-1].append(name)
        else:
            groups.append([name])
    return tuple(tuple(group) for group in groups)


def too_close(first: Sequence[Observation], second: Sequence[Observation]) -> bool:
    """Whether the run cannot say which of the two needs less."""
    between = ratio(second, first)
    return between is None or not between.excludes(1)


def places(groups: Sequence[Sequence[str]]) -> dict[str, tuple[int, bool]]:
    """strategy -> (rank, tied); all of a group share the first of its places, as in sports."""
    found: dict[str, tuple[int, bool]] = {}
    for group in groups:
        rank = len(found) + 1
        found |= dict.fromkeys(group, (rank, len(group) > 1))
    return found
