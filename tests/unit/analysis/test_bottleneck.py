"""What limited a window."""

import pytest

from authbench.analysis.bottleneck import limited_by
from tests.unit.analysis.synthetic import a_trial


def load(**changes):
    base = {"load__model": "saturate", "load__window_s": 1.0, "load__generator_busy": 0.3}
    return a_trial(**{**base, **changes}).load


@pytest.mark.parametrize(
    ("cpu_s", "changes", "label"),
    [
        ({"app": 0.6, "db": 0.3}, {}, "app CPU"),
        ({"app": 0.3, "db": 0.6}, {}, "database CPU"),
        ({"app": 0.1, "cache": 0.2}, {"load__generator_busy": 0.9}, "generator"),
        ({"app": 0.1, "cache": 0.2}, {}, "waiting"),
        ({"app": 0.1}, {"load__model": "rate"}, "offered rate"),
        ({"app": 0.9}, {"load__model": "rate", "load__offered_rps": 1e6}, "app CPU"),
        ({"app": 0.9}, {"load__window_s": 0.0}, "waiting"),
    ],
)
def test_the_busiest_part_is_named(cpu_s, changes, label):
    assert limited_by(load(**changes), cpu_s, 1) == label


def test_a_tier_may_be_full_while_cores_are_free():
    assert limited_by(load(), {"cache": 0.9, "app": 1.5}, 8, {"cache": 1, "app": 4}) == "cache CPU"
