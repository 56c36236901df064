"""What an experiment's records say in the end, where something was observed more than once."""

from collections.abc import Callable, Iterable

from authbench.observed import Observation


def settled(observations: Iterable[Observation], usable: Callable[[Observation], bool]) -> list[Observation]:
    """One of each that is usable: the last, but one that counts before one that does not."""
    found: dict[tuple[object, ...], Observation] = {}
    for each in observations:
        if usable(each) and (each.valid or each.key() not in found or not found[each.key()].valid):
            found[each.key()] = each
    return list(found.values())
