from dataclasses import replace
from pathlib import Path

import pytest

from authbench.errors import StackError
from authbench.metric import STACK_TIERS
from authbench.relaying.control import CONTROL_PORT, CONTROL_TOKEN
from authbench.stack.relay import VALKEY, Relay, RelayStatus, pressing

RELAY = Relay(round_trip_ms=0.25, postgres_port=1, valkey_port=2, status_port=3, to_postgres=4, to_valkey=5)


def test_the_command_says_what_leads_where(tmp_path: Path) -> None:
    service = RELAY.service(tmp_path / "relay.log")
    assert service.command[1:] == ("-m", "authbench.relaying", "250.0", "3", "postgres:1:4", "valkey:2:5")


def test_its_control_is_told_by_the_environment_alone(tmp_path: Path) -> None:
    commanded = replace(RELAY, control_port=7)
    service = commanded.service(tmp_path / "relay.log")
    assert service.command == RELAY.service(tmp_path / "relay.log").command
    assert service.environment[CONTROL_PORT] == "7"
    assert service.environment[CONTROL_TOKEN] == commanded.token
    assert commanded.token not in repr(commanded) + repr(service)
    assert CONTROL_PORT not in RELAY.service(tmp_path / "relay.log").environment


def test_one_that_takes_no_commands_or_is_gone_says_so() -> None:
    with pytest.raises(StackError, match="takes no commands"):
        RELAY.set_toxic(VALKEY, "down")
    with pytest.raises(StackError, match="does not take commands"):
        replace(RELAY, control_port=9).clear_toxic(VALKEY)


def test_no_strategy_pays_for_it(tmp_path: Path) -> None:
    assert RELAY.service(tmp_path / "relay.log").tier not in STACK_TIERS


def test_it_runs_where_the_bench_does_unless_told_otherwise(tmp_path: Path) -> None:
    assert RELAY.service(tmp_path / "relay.log").cores == ()
    assert RELAY.service(tmp_path / "relay.log", (0, 1)).cores == (0, 1)


def test_the_pressing_command_hides_the_password(tmp_path: Path) -> None:
    service = pressing(RELAY, "hush", 16, 400.0, 2.5, tmp_path)
    assert service.command[1:] == ("-m", "authbench.relaying.pressing", "2", "16", "400.0", "2.5")
    assert "hush" not in repr(service)
    assert "hush" in service.environment.values()


def test_a_relay_that_does_not_run_does_not_answer() -> None:
    gone = replace(RELAY, status_port=9)
    with pytest.raises(StackError, match="does not answer"):
        gone.status()


def test_the_status_is_checked() -> None:
    passed = {"accepted": 1, "open": 1, "exchanges": 2, "bytes_up": 11, "bytes_down": 6}
    found = RelayStatus.model_validate({"round_trip_us": 250.0, "routes": {"valkey": passed}, "late_us": [[3, 7]]})
    assert (found.routes["valkey"].exchanges, found.late_us) == (2, ((3, 7),))
