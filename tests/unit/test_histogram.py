"""Histograms: our reading of them agrees with HdrHistogram's own, and merging is addition."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authbench.histogram import HistogramError, decode, merge, new_histogram

VALUES = st.lists(st.integers(1, 59_000_000), min_size=1, max_size=200)

UNHURRIED = settings(deadline=None, max_examples=40)


def recorded(values):
    histogram = new_histogram()
    for value in values:
        histogram.record_value(value)
    return histogram


def payload(values):
    return recorded(values).encode().decode()


@UNHURRIED
@given(VALUES, st.sampled_from((0.01, 0.5, 0.9, 0.99, 0.999, 1.0)))
def test_quantiles_are_hdrhistograms_own(values, share):
    theirs = recorded(values)

    assert decode(payload(values)).quantile_us(share) == theirs.get_value_at_percentile(100 * share)


@UNHURRIED
@given(VALUES)
def test_mean_and_spread_are_hdrhistograms_own(values):
    theirs, ours = recorded(values), decode(payload(values))

    assert ours.mean_us() == pytest.approx(theirs.get_mean_value(), rel=1e-3)
    assert ours.spread_us() == pytest.approx(theirs.get_stddev(), rel=1e-2, abs=2)


@UNHURRIED
@given(VALUES, VALUES)
def test_merging_is_addition(first, second):
    together = merge([decode(payload(first)), decode(payload(second))])

    assert together.total == len(first) + len(second)
    assert together.quantile_us(0.5) == recorded(first + second).get_value_at_percentile(50)


def test_an_empty_histogram_has_no_quantile():
    empty = decode(payload([]))

    assert (empty.total, empty.quantile_us(0.5), empty.mean_us(), empty.max_us()) == (0, None, 0.0, 0.0)
    assert merge([]).quantile_us(0.99) is None


@pytest.mark.parametrize(("samples", "supported"), [(4999, False), (5000, True)])
def test_p99_needs_fifty_samples_beyond(samples, supported):
    assert decode(payload([10] * samples)).supports(0.99) is supported


@pytest.mark.parametrize("text", ["", "x", "AAAA", "HISTFAAAAA==", "§"])
def test_what_is_no_histogram_is_named_so(text):
    with pytest.raises(HistogramError):
        decode(text)
