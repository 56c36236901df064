"""What `pytest-benchmark --benchmark-compare-fail=mean:5%` says of the builds that `authbench calibrate` measures.

    .venv/bin/python docs/experiments/pytest_benchmark_gate.py --repeats 20 --inject 5%

Every repeat starts fresh replicas of a build as base and as candidate, and of the same build with a known burden; times
`GET /api/whoami` of each over one kept connection as a pytest-benchmark test does, and asks it to compare the means.
Prints how often it failed where nothing had changed, and where the burden was there. The burden is found as
`calibrate` finds it. docs/method.md quotes the result.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from apps.contract.registry import strategies
from authbench.gate.against import alternation, arms_stack
from authbench.gate.arms import same_arms
from authbench.gate.calibrate import CalibrationOrder, titrate
from authbench.gate.calibration import clopper_pearson
from authbench.gate.limits import share
from authbench.progress import Silent
from authbench.runner import interruptible

TEST = """
import http.client, json, os
from urllib.parse import urlsplit

def test_whoami(benchmark):
    row = json.loads(open(os.environ["REQUESTS"]).readline())
    address = urlsplit(os.environ["URL"])
    connection = http.client.HTTPConnection(address.hostname, address.port)
    headers = dict(row["headers"])

    def ask():
        connection.request("GET", row["path"], headers=headers)
        return connection.getresponse().read()

    assert ask().decode() == row["exact"]
    benchmark(ask)
"""


def main() -> None:
    """Prints one JSON object."""
    options = _options()
    strategy = strategies()[options.strategy]
    inject = share(options.inject, "--inject")
    arms = (same_arms(strategy, injected=True),)
    order = CalibrationOrder((strategy,), minutes=1, inject=inject, windows=Path(os.devnull))
    alarms = found = 0
    with interruptible(), tempfile.TemporaryDirectory() as scratch, arms_stack(arms, Silent()) as stack:
        folder = Path(scratch)
        (folder / "test_rival.py").write_text(TEST)
        with alternation(stack, arms, seed=1) as measured:
            turns = titrate(order, stack, measured, Silent())
            for repeat in range(options.repeats):
                measured.launch(1, repeat, rounds=1)  # fresh processes, warm
                base = folder / f"{repeat}.json"
                _time(folder, stack, f"{strategy.name}-base", "--benchmark-json", str(base))
                against = ("--benchmark-compare-fail=mean:5%", f"--benchmark-compare={_stored(folder, base)}")
                alarms += _time(folder, stack, f"{strategy.name}-cand", *against)
                found += _time(folder, stack, f"{strategy.name}-slow", *against)
                print(f"{repeat + 1}: {alarms} false alarms, {found} found", file=sys.stderr)
    told = {
        "strategy": strategy.name,
        "repeats": options.repeats,
        "injected": inject,
        "turns": turns[strategy.name],
        "false_alarm_rate": alarms / options.repeats,
        "false_alarm_interval": clopper_pearson(alarms / options.repeats, options.repeats),
        "found_rate": found / options.repeats,
        "found_interval": clopper_pearson(found / options.repeats, options.repeats),
    }
    print(json.dumps(told))


def _time(folder: Path, stack: object, variant: str, *options: str) -> bool:
    """Whether pytest-benchmark failed the comparison. Raises RuntimeError where it failed for another reason."""
    environment = {
        **os.environ,
        "URL": stack.url(variant),  # type: ignore[attr-defined]
        "REQUESTS": str(stack.folder / f"requests-{variant}.jsonl"),  # type: ignore[attr-defined]
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-only", *options, "test_rival.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "Performance has regressed" not in done.stdout + done.stderr:
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode != 0


def _stored(folder: Path, result: Path) -> str:
    """Where pytest-benchmark looks for what it compares with."""
    store = folder / ".benchmarks" / json.loads(result.read_text())["machine_info"]["node"]
    store.mkdir(parents=True, exist_ok=True)
    number = f"{len(list(store.iterdir())) + 1:04}"
    (store / f"{number}_base.json").write_text(result.read_text())
    return str(store / f"{number}_base.json")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--strategy", default="jwt-hs256", choices=sorted(strategies()))
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--inject", default="5%")
    return parser.parse_args()


if __name__ == "__main__":
    main()
