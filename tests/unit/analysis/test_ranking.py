"""The order follows the numbers; neighbours too close share a rank."""

from authbench.analysis.estimate import Observation
from authbench.analysis.ranking import adjusted, places, ranking


def rows(*values):
    return [Observation(n, n, value) for n, value in enumerate(values)]


def test_the_order_is_that_of_the_geometric_means():
    groups = ranking({"b": rows(2.0, 2.01, 2.02), "a": rows(3.0, 3.01, 3.0), "c": rows(1.0, 1.01, 1.0)})

    assert groups == (("c",), ("b",), ("a",))


def test_neighbours_whose_ratio_may_be_one_share_a_group():
    groups = ranking({"a": rows(1.0, 1.1, 1.0), "b": rows(1.05, 1.02, 1.06), "c": rows(5.0, 5.0, 5.1)})

    assert groups == (("a", "b"), ("c",))
    assert places(groups) == {"a": (1, True), "b": (1, True), "c": (3, False)}


def test_drift_that_hits_both_does_not_make_a_tie():
    groups = ranking({"a": rows(1.0, 2.0, 3.0), "b": rows(1.1, 2.2, 3.31)})

    assert groups == (("a",), ("b",))


def test_one_launch_ranks_nothing():
    assert ranking({"a": rows(1.0), "b": rows(9.0)}) == (("a", "b"),)


def test_what_was_not_measured_has_no_place():
    assert ranking({"a": [], "b": rows(1.0, 1.0)}) == (("b",),)
    assert places(()) == {}


def test_a_strategy_that_missed_the_slow_block_is_not_flattered():
    """By its own mean `a` would come first; in every block that both have it needs more."""
    a = [Observation(0, 0, 1.1), Observation(1, 1, 1.11)]
    b = [Observation(0, 0, 1.0), Observation(1, 1, 1.0), Observation(2, 2, 1.8)]
    c = [Observation(0, 0, 2.0), Observation(1, 1, 2.01), Observation(2, 2, 3.61)]

    assert ranking({"a": a, "b": b, "c": c})[0][0] == "b"
    assert adjusted({"a": a, "b": b, "c": c})["a"] > adjusted({"a": a, "b": b, "c": c})["b"]


def test_an_order_that_the_pair_contradicts_is_a_tie():
    """`b` is second by way of blocks that `a` has not, yet needs less in those that both have."""
    a = rows(1.0, 1.0, 1.0)
    b = [*rows(0.98, 0.981, 0.979), *[Observation(n, n, 3.0) for n in (3, 4, 5, 6)]]
    c = [*rows(1.0, 1.0, 1.0), *[Observation(n, n, 1.0) for n in (3, 4, 5, 6)]]

    assert ("a", "b") in [tuple(sorted(set(group) & {"a", "b"})) for group in ranking({"a": a, "b": b, "c": c})]
