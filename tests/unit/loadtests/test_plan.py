"""A plan is checked before anything is sent."""

import pytest

from loadtests.plan import PlanError, host_header, origin, parse

FIRE = {
    "url": "http://127.0.0.1:8000",
    "requests": "/tmp/requests.jsonl",
    "model": "rate",
    "rate_rps": 300.0,
    "arrivals": "constant",
    "duration_s": 2.0,
    "count": None,
    "connections": 64,
    "timeout_s": 10,
    "seed": 7,
}


def test_the_benchs_command_is_understood():
    plan = parse(FIRE)
    assert (plan.model, plan.rate_rps, plan.count, plan.seed) == ("rate", 300.0, None, 7)


def test_the_bench_and_the_generator_agree_on_the_keys():
    from authbench.generator import Fire

    fire = Fire(url="http://127.0.0.1:1", requests="r", model="saturate", connections=4, count=9, first=3)
    plan = parse(fire.model_dump())
    assert (plan.count, plan.first) == (9, 3)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"url": "https://127.0.0.1"}, "http://"),
        ({"url": "http://127.0.0.1:99999"}, "[Pp]ort"),
        ({"model": "both"}, "model"),
        ({"arrivals": "bursts"}, "arrivals"),
        ({"rate_rps": None}, "rate_rps"),
        ({"rate_rps": 0}, "rate_rps"),
        ({"duration_s": None}, "duration_s"),
        ({"duration_s": -1}, "duration_s"),
        ({"count": 0}, "count"),
        ({"count": True}, "count"),
        ({"first": -1}, "first"),
        ({"first": 0.5}, "first"),
        ({"connections": 0}, "connections"),
        ({"connections": 1.5}, "connections"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"duration_s": 80_000, "rate_rps": 3000}, "planned"),
        ({"typo": 1}, "typo"),
        ({"url": None}, "url"),
    ],
)
def test_unusable_plans_are_refused_in_one_line(change, word):
    with pytest.raises(PlanError, match=word) as refused:
        parse({**FIRE, **change})
    assert "\n" not in str(refused.value)


def test_urls():
    assert origin("http://localhost") == ("localhost", 80)
    assert origin("http://[::1]:8000/x") == ("::1", 8000)
    assert host_header("http://shop.test:8000/x") == "shop.test:8000"
