"""Verdicts: each word, and what it takes."""

import math

import pytest
from scipy import stats

from authbench.analysis.estimate import Observation, ratio
from authbench.analysis.verdict import equivalence_p, holm, judge


def made(*ratios):
    ones = [Observation(n, n, 1.0) for n in range(len(ratios))]
    return ratio([Observation(n, n, value) for n, value in enumerate(ratios)], ones)


@pytest.mark.parametrize(
    ("ratios", "word"),
    [
        ((0.80, 0.81, 0.79, 0.80), "better"),
        ((1.20, 1.21, 1.19, 1.20), "worse"),
        ((1.001, 0.999, 1.002, 0.998), "equivalent"),
        ((1.0101, 1.0100, 1.0099, 1.0100), "equivalent"),  # significant, and too small to matter
        ((0.9, 1.2, 0.95, 1.1), "inconclusive"),
        ((1.02, 1.026, 1.034, 1.028), "inconclusive"),  # a difference, maybe smaller than the margin
        ((1.3,), "inconclusive"),
    ],
)
def test_the_word(ratios, word):
    found = made(*ratios)

    assert judge(found, found.p_value(), 0.03, "lower").word == word


def test_where_more_is_better_the_words_change_places():
    found = made(1.2, 1.21, 1.19, 1.2)

    assert judge(found, found.p_value(), 0.03, "higher").word == "better"


def test_a_difference_that_holm_does_not_confirm_is_inconclusive():
    found = made(1.2, 1.25, 1.15, 1.2)

    assert judge(found, found.p_value(), 0.03, "lower").word == "worse"
    assert judge(found, 0.051, 0.03, "lower").word == "inconclusive"


def test_nothing_to_compare_is_inconclusive_with_its_reason():
    verdict = judge(None, None, 0.03, "lower")

    assert (verdict.word, verdict.why) == ("inconclusive", "no block holds both sides")


def test_one_launch_is_never_significant():
    assert "needs two" in judge(made(5.0), None, 0.03, "lower").why


def test_holm_is_step_down_and_keeps_order_and_gaps():
    assert holm([0.01, None, 0.04, 0.03]) == (pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06))
    assert holm([None]) == (None,)
    assert holm([]) == ()


def test_equivalence_is_the_larger_of_two_one_sided_tests():
    found = made(1.0, 1.01, 0.99, 1.02)
    error = found.log_sd / 2
    upper = stats.t.cdf((found.log_mean - math.log(1.03)) / error, 3)
    lower = stats.t.sf((found.log_mean - math.log(0.97)) / error, 3)

    assert equivalence_p(found, 0.03) == pytest.approx(max(upper, lower))


def test_an_interval_inside_the_margin_is_what_two_tests_at_two_and_a_half_per_cent_say():
    for spread in (0.001, 0.01, 0.015, 0.02, 0.03):
        found = made(1 - spread, 1 + spread, 1 + spread / 2, 1 - spread / 2)
        word = judge(found, found.p_value(), 0.03, "lower").word

        assert (word == "equivalent") == (equivalence_p(found, 0.03) <= 0.025)


def test_why_there_is_no_ratio_comes_through():
    assert judge(None, None, 0.03, "lower", "all zero").why == "all zero"


def test_a_test_that_could_not_be_done_costs_the_others_nothing():
    assert holm([0.02, None, None]) == (pytest.approx(0.02), None, None)
