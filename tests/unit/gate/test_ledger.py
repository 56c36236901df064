"""The ledger of twins: append-only, counted as k of n, and nobody else's file."""

import json
from pathlib import Path

import pytest
from scipy import stats

from authbench.errors import UsageError
from authbench.gate.ledger import count, upper_bound, write_down
from authbench.gate.result import Twin
from authbench.journal import Journal
from tests.unit.gate.made import CPU, twin


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_twin_is_a_line_with_what_was_said_of_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.jsonl"
    write_down(path, [twin("pass", [0.0, 0.001]), Twin(strategy="b", metric=CPU, outcome="inconclusive", bounds=None)])
    first, second = lines(path)
    assert {key: first[key] for key in ("strategy", "metric", "outcome", "launches")} == {
        "strategy": "jwt",
        "metric": CPU,
        "outcome": "pass",
        "launches": 2,
    }
    assert first["ratio"] == pytest.approx(1.0005, abs=1e-6)
    assert (second["ratio"], second["launches"], second["outcome"]) == (None, 0, "inconclusive")
    assert first["utc"] == second["utc"]


def test_what_was_written_stays_and_all_of_it_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    assert write_down(path, [twin("pass"), twin("regression")]).twins == 2
    before = path.read_bytes()
    found = write_down(path, [twin("regression"), twin("pass"), twin("pass")])
    assert path.read_bytes().startswith(before)
    assert (found.path, found.alarms, found.twins) == (str(path), 2, 5)
    assert found.upper == pytest.approx(upper_bound(2, 5))
    assert count(path) == found


def test_a_run_without_twins_adds_nothing(tmp_path: Path) -> None:
    found = write_down(tmp_path / "ledger.jsonl", [])
    assert (found.alarms, found.twins, found.upper) == (0, 0, 1.0)


def test_no_alarm_in_sixty_shows_only_that_fewer_than_4_9_percent_are_false() -> None:
    assert upper_bound(0, 60) == pytest.approx(0.0487, abs=1e-4)
    assert f"{100 * upper_bound(0, 60):.1f}" == "4.9"


@pytest.mark.parametrize(("alarms", "of"), [(0, 1), (0, 60), (1, 60), (5, 60), (59, 60), (60, 60), (0, 3000)])
def test_the_upper_bound_is_the_exact_one_sided_one(alarms: int, of: int) -> None:
    exact = stats.binomtest(alarms, of, alternative="less").proportion_ci(confidence_level=0.95, method="exact")
    assert upper_bound(alarms, of) == pytest.approx(exact.high)


def test_nothing_tried_shows_nothing() -> None:
    assert upper_bound(0, 0) == 1.0


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_down(path, [twin(), twin("regression")])
    path.write_bytes(path.read_bytes()[:-20])
    found = write_down(path, [twin()])
    assert (found.alarms, found.twins) == (0, 2)
    assert len(lines(path)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "not json\n",
        '{"utc": "now"}\n',
        "[1, 2]\n",
        "null\n",
        "\n",
        '{"strategy": "jwt", "trial": 1}\n',
        "# Readme\n\nText\n",
    ],
)
def test_another_file_is_no_ledger_and_says_which_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "README.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"README\.md:1: not an entry of a gate's ledger; name another with --ledger"):
        write_down(path, [twin()])


def test_an_entry_of_another_shape_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_down(path, [twin()])
    with path.open("a", encoding="utf-8") as file:
        file.write('{"more": 1}\n')
    with pytest.raises(UsageError, match=r"ledger\.jsonl:2: "):
        count(path)


NOT_ASKED_FIRST = (
    "ledger.py:47: the file is opened, cut to its last line end and appended to before it is known to be a ledger"
)


@pytest.mark.parametrize("data", [b"# Readme\n\nText\n", b"# Readme\n\nan unfinished line", b"all of it in one line"])
def test_another_file_is_left_as_it_is(tmp_path: Path, data: bytes) -> None:
    """`--ledger README.md` by mistake must not cost the file."""
    path = tmp_path / "README.md"
    path.write_bytes(data)
    with pytest.raises(UsageError):
        write_down(path, [twin()])
    assert path.read_bytes() == data


def test_a_file_that_is_no_text_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"\xff\xfe\x00\n")
    with pytest.raises(UsageError, match="not an entry of a gate's ledger"):
        write_down(path, [twin()])


@pytest.mark.parametrize("name", [".", "file/ledger.jsonl"])
def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write") as caught:
        write_down(tmp_path / name, [twin()])
    assert "\n" not in str(caught.value)


def test_a_full_disk_does_not_advise_to_resume_a_run() -> None:
    with pytest.raises(UsageError, match="No space left") as caught:
        write_down(Path("/dev/full"), [twin()])
    assert "run --resume" not in str(caught.value)


def test_a_ledger_that_another_gate_holds_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Journal(path), pytest.raises(UsageError, match="another authbench is writing here"):
        write_down(path, [twin()])


def test_a_twin_without_an_answer_makes_the_rate_no_better(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_down(path, [twin("pass")] * 3)
    found = write_down(path, [twin("inconclusive")] * 50)
    assert (found.alarms, found.twins) == (0, 3)
