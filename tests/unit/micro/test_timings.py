"""What pytest-benchmark wrote is read, and what it did not is refused in one line."""

import json
from pathlib import Path

import pytest

from authbench.errors import UsageError
from authbench.micro.timings import Timing, read_launch

BENCHMARK = {
    "name": "test_verify[PyJWT-HS256]",
    "group": "verify HS256",
    "stats": {"median": 39.5e-6, "min": 37e-6, "rounds": 500, "mean": 41e-6},
    "extra_info": {"subject": "PyJWT", "version": "2.15.1", "bytes": 405},
}


def test_seconds_become_microseconds(tmp_path: Path) -> None:
    path = tmp_path / "launch.json"
    path.write_text(json.dumps({"version": "5.3.1", "benchmarks": [BENCHMARK]}))
    (timing,) = read_launch(path, 2)
    assert timing == Timing(2, "verify HS256", "PyJWT", "2.15.1", pytest.approx(39.5), pytest.approx(37), 500, 405)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "benchmarks: Field required"),
        ("no JSON", "Invalid JSON"),
        (json.dumps({"benchmarks": [{**BENCHMARK, "extra_info": {}}]}), "subject: Field required"),
        (json.dumps({"benchmarks": [{**BENCHMARK, "stats": {"median": 0, "min": 0, "rounds": 1}}]}), "greater than 0"),
    ],
)
def test_another_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "launch.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"launch\.json: not what loadtests/micro writes") as caught:
        read_launch(path, 1)
    assert said in str(caught.value)


def test_no_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_launch(tmp_path / "none.json", 1)
