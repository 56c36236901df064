import tomllib
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from apps.contract.registry import strategies
from authbench.faults.fault import NEEDS, POSSIBLE, TAKES, Action, Fault, Part

AMOUNTS: dict[str, Any] = {
    "latency_ms": 200.0,
    "jitter_ms": 20.0,
    "rate_kbps": 10.0,
    "timeout_ms": 50.0,
    "connections_left": 2,
    "ahead_s": -300.0,
    "stream": "upstream",
}


def fault(part: str, action: str, **more: Any) -> Fault:
    return Fault.model_validate({"part": part, "action": action, "at_s": 1.0, **more})


def said(part: str, action: str, **more: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        fault(part, action, **more)
    (only,) = caught.value.errors()
    message = only["msg"].removeprefix("Value error, ")
    assert "\n" not in message
    return message


def test_every_pair_either_makes_sense_or_is_one_line() -> None:
    for part in get_args(Part):
        for action in get_args(Action):
            given = {needed: AMOUNTS[needed] for needed in (NEEDS[action],)} if action in NEEDS else {}
            if action in POSSIBLE[part]:
                assert fault(part, action, **given).name.startswith(part)
            else:
                assert said(part, action, **given).startswith(f"{action} cannot be done to {part}: possible are ")


def test_every_action_takes_its_own_parameters_and_no_others() -> None:
    for part, actions in POSSIBLE.items():
        for action in actions:
            takes = TAKES.get(action, ())
            fault(part, action, **{name: AMOUNTS[name] for name in takes})
            for name, value in AMOUNTS.items():
                if name not in takes:
                    needed = {NEEDS[action]: AMOUNTS[NEEDS[action]]} if action in NEEDS else {}
                    assert f"takes no {name}" in said(part, action, **needed, **{name: value})


@pytest.mark.parametrize("action", NEEDS)
def test_a_parameter_that_an_action_cannot_do_without_is_named(action: Action) -> None:
    part = next(part for part, actions in POSSIBLE.items() if action in actions)
    assert said(part, action) == f"{part} {action} needs {NEEDS[action]}"


def test_other_nonsense_is_refused() -> None:
    assert "names a replica" in said("cache", "kill", number=2)
    assert "cannot be negative" in said("cache", "latency", latency_ms=5, jitter_ms=6)
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        fault("cache", "kill", for_s=-1)
    with pytest.raises(ValidationError, match="Extra inputs"):
        fault("cache", "kill", latencyms=1)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cache restarts", {"part": "cache", "action": "restart"}),
        ("replica 2 is killed", {"part": "replica", "action": "kill", "number": 2}),
        ("files are full", {"part": "files", "action": "fill"}),
        ("database: latency 200 ms", {"part": "database", "action": "latency", "latency_ms": 200}),
        ("cache: latency 5 ± 1 ms", {"part": "cache", "action": "latency", "latency_ms": 5, "jitter_ms": 1}),
        ("cache: bandwidth 10 KB/s", {"part": "cache", "action": "bandwidth", "rate_kbps": 10}),
        ("database: timeout", {"part": "database", "action": "timeout"}),
        (
            "database: timeout 50 ms upstream",
            {"part": "database", "action": "timeout", "timeout_ms": 50} | {"stream": "upstream"},
        ),
        ("database: reset_peer", {"part": "database", "action": "reset_peer", "stream": "downstream"}),
        ("database: 1 connection left", {"part": "database", "action": "exhaust", "connections_left": 1}),
        ("replica 1: clock 300 s behind", {"part": "replica", "action": "skew", "ahead_s": -300}),
    ],
)
def test_the_name_says_what_is_done(name: str, told: dict[str, Any]) -> None:
    assert Fault.model_validate({"at_s": 0, **told}).name == name


def test_names_tell_faults_apart_and_times_do_not_matter() -> None:
    assert fault("cache", "kill", for_s=1).name == fault("cache", "kill", for_s=2).name
    named = [
        fault(part, action, **{n: AMOUNTS[n] for n in TAKES.get(action, ())}).name
        for part, actions in POSSIBLE.items()
        for action in actions
    ]
    assert len(set(named)) == len(named)


def test_it_is_read_from_a_scenarios_text() -> None:
    (row,) = tomllib.loads('[[fault]]\npart = "cache"\naction = "kill"\nat_s = 3\nfor_s = 2.5\n')["fault"]
    assert Fault.model_validate(row) == fault("cache", "kill", at_s=3.0, for_s=2.5)


@pytest.mark.parametrize(
    ("part", "on_the_way", "not_on_the_way"),
    [
        ("replica", ["none", "session-db"], []),
        ("database", ["none", "session-db", "jwt-hs256"], []),
        ("cache", ["session-cached-db", "jwt-denylist"], ["session-db", "jwt-hs256"]),
        ("auth", ["opaque-introspection", "jwt-jwks"], ["jwt-hs256"]),
        ("files", ["session-file"], ["session-db"]),
    ],
)
def test_it_applies_where_the_strategy_has_the_part_on_its_way(
    part: Part, on_the_way: list[str], not_on_the_way: list[str]
) -> None:
    one = fault(part, next(action for action in POSSIBLE[part]))
    assert all(one.applies_to(strategies()[name]) for name in on_the_way)
    assert not any(one.applies_to(strategies()[name]) for name in not_on_the_way)
