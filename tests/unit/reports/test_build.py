"""The report's files: complete, inert, and the same to the byte at every rebuild."""

import errno
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from authbench.errors import UsageError
from reports.build import build
from tests.unit.analysis.synthetic import TRUTHS, World, make
from tests.unit.reports.folder import hostile_manifest, hostile_world, write, written

ROOT = Path(__file__).parents[3]
SMALL = World(launches=2, truths=TRUTHS[:5])


def digests(paths):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(written(tmp_path_factory.mktemp("run"), SMALL))


def test_the_files_are_there(built):
    names = {path.name for path in built.files}

    assert {"summary.json", "report.html", "report.md"} <= names
    assert {"junit.xml", "step-summary.md", "trials.csv", "summary.csv", "benchmark.json", "bencher.json"} <= names
    assert {
        f"{chart}.{kind}" for chart in ("cpu", "latency", "connections", "pairs", "table") for kind in ("svg", "png")
    } <= names


def test_a_rebuild_gives_the_same_bytes(built, tmp_path):
    again = build(written(tmp_path / "elsewhere", SMALL))

    assert again.summary == built.summary
    assert digests(again.files) == digests(built.files)


def test_two_processes_write_the_same_bytes_whatever_the_hash_seed(built, tmp_path):
    build_it = "import sys, pathlib, reports.build as b; b.build(pathlib.Path(sys.argv[1]))"
    for seed in ("1", "2"):
        folder = written(tmp_path / seed, SMALL)
        subprocess.run(
            [sys.executable, "-c", build_it, str(folder)],
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            timeout=120,
        )
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        assert digests(built.files).items() <= digests(paths).items()
        assert len(paths) == len(built.files) + len(("manifest.json", "trials.jsonl", "series.jsonl"))


def full_disk(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt(_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("fault", "raised", "said"),
    [(full_disk, UsageError, r"cannot write the report \(No space left"), (interrupt, KeyboardInterrupt, None)],
)
def test_a_build_that_is_cut_short_leaves_whole_files(tmp_path, monkeypatch, fault, raised, said):
    folder = written(tmp_path, World(launches=1, truths=TRUTHS[:2]))
    build(folder)
    before = digests(sorted(path for path in folder.rglob("*") if path.is_file()))
    written(tmp_path, World(launches=1, truths=TRUTHS[:2], seed=8))
    flushed = []

    def fsync(descriptor):
        flushed.append(descriptor)
        if len(flushed) == 4:
            fault(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(raised, match=said):
        build(folder)
    after = digests(sorted(path for path in folder.rglob("*") if path.is_file()))

    assert set(after) == set(before)
    new = {name for name in after if after[name] != before[name]} - {"manifest.json", "trials.jsonl", "series.jsonl"}
    assert new == {"summary.json", "report.html", "report.md"}


def test_nothing_in_the_files_tells_when_or_where_they_were_built(built):
    text = b"".join(path.read_bytes() for path in built.files if path.suffix != ".png")

    assert b"<dc:date>" not in text
    assert str(built.files[0].parent).encode() not in text


def test_text_in_a_chart_stays_text_with_its_units(built):
    by_name = {path.name: path.read_text(encoding="utf-8") for path in built.files if path.suffix == ".svg"}

    assert "session-db-claims</text>" in by_name["cpu.svg"]
    for name, unit in {
        "cpu": "(ms)",
        "latency": "(ms, log)",
        "connections": "(s)",
        "pairs": "(ms)",
        "table": "ms",
    }.items():
        assert unit in by_name[f"{name}.svg"], name
        assert "authbench run compare --profile quick --seed 7" in by_name[f"{name}.svg"]
        assert "Example CPU at 2.4 GHz" in by_name[f"{name}.svg"]


def test_charts_of_an_earlier_build_do_not_linger(tmp_path):
    folder = written(tmp_path, World(launches=2, truths=TRUTHS[:3], workloads=("whoami", "orders")))
    build(folder)
    assert (folder / "charts" / "cpu-2.svg").is_file()

    build(written(tmp_path, World(launches=2, truths=TRUTHS[:3])))

    assert sorted(path.name for path in (folder / "charts").glob("cpu*")) == ["cpu.png", "cpu.svg"]


def test_hostile_names_are_inert_in_every_file(tmp_path):
    manifest, trials, series = make(hostile_world())
    files = build(write(tmp_path, hostile_manifest(manifest), trials, series)).files
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    told = (tmp_path / "report.md").read_text(encoding="utf-8")

    assert "<script" not in page.lower()
    assert not re.search(r"<[^>]*\son\w+\s*=", re.sub(r'"[^"]*"', '""', page))
    assert "<img src=http" not in page
    assert "{{ 7 * 7 }}" in page
    assert "<script" not in told.lower()
    assert "http://" not in told
    assert "@someone" not in told
    for path in files:
        if path.suffix == ".svg":
            assert "<script" not in path.read_text(encoding="utf-8").lower()


@pytest.mark.parametrize(
    "world",
    [
        World(launches=1, truths=TRUTHS[:2]),
        World(launches=2, truths=TRUTHS[2:3]),
        World(launches=2, truths=TRUTHS[:2], loads=("saturate",)),
        World(launches=2, truths=TRUTHS[:2], loads=("rate@0.3",)),
        World(launches=2, truths=TRUTHS[:3], stuck=frozenset({"none", "session-db", "session-db-claims"})),
        World(launches=2, truths=TRUTHS[:3], rejected=frozenset({"none", "session-db", "session-db-claims"})),
        World(launches=2, truths=TRUTHS[:2], requests=20),
    ],
    ids=["one launch", "one strategy", "no rate", "no saturation", "nothing valid", "nothing verified", "few requests"],
)
def test_a_thin_run_still_has_a_report(tmp_path, world):
    manifest, trials, _ = make(world)

    summary = build(write(tmp_path, manifest, trials)).summary

    assert summary.answer
    assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json: cannot read"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "not a manifest"),
        (lambda folder: (folder / "trials.jsonl").unlink(), "no trials.jsonl"),
        (lambda folder: (folder / "report.html").mkdir(), "cannot write the report"),
    ],
)
def test_a_folder_that_is_none_is_refused_in_one_line(tmp_path, spoil, said):
    folder = written(tmp_path, World(launches=1, truths=TRUTHS[:1]))
    spoil(folder)

    with pytest.raises(UsageError, match=re.escape(said)) as refused:
        build(folder)

    assert "\n" not in str(refused.value)


def test_a_newer_manifest_is_refused(tmp_path):
    manifest, trials, _ = make(World(launches=1, truths=TRUTHS[:1]))
    write(tmp_path, manifest.model_copy(update={"schema_version": 99}), trials)

    with pytest.raises(UsageError, match="schema 99"):
        build(tmp_path)
