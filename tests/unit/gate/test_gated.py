"""Every figure that the gate looks at, once."""

from authbench.gate.counts import READ
from authbench.gate.gated import CPU, ELAPSED, GATED
from authbench.gate.instructions import METRIC
from authbench.metric import METRICS


def test_every_figure_is_found_under_its_own_name() -> None:
    assert all(name == gated.name for name, gated in GATED.items())


def test_each_tier_has_the_figures_that_are_measured_for_it() -> None:
    tiers = {tier: {name for name, gated in GATED.items() if gated.tier == tier} for tier in (0, 1, 2)}
    assert tiers[0] >= {*READ, "credential_bytes"}
    assert (tiers[1], tiers[2]) == ({METRIC}, {CPU, ELAPSED})


def test_names_shared_with_the_metrics_of_a_run_mean_the_same() -> None:
    for name in GATED.keys() & METRICS.keys():
        assert GATED[name].unit == METRICS[name].unit
        assert (GATED[name].judged == "exact") == METRICS[name].exact
