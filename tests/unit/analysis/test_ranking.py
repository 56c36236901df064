"""The order follows the numbers; neighbours too close share a rank."""

from authbench.analysis.estimate import Observation
from authbench.analysis.ranking import places, ranking


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
