"""Logs are read from where they stood, whole lines only."""

from pathlib import Path

from authbench.experiments.faults.logs import Log


def test_only_what_is_new_and_whole_and_ones_own(tmp_path: Path) -> None:
    old, new = tmp_path / "old.log", tmp_path / "new.log"
    old.write_text("m1x1 200\n")
    log = Log([old, new])
    assert log.lines("m1") == []
    with old.open("a") as file:
        file.write("m1x2 200\nm2x1 200\nm1x3 20")
    new.write_text("m1x4 503\n")
    assert log.lines("m1") == ["m1x2 200", "m1x4 503"]


def test_it_waits_for_what_must_come_and_then_tells_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = Log([path])
    path.write_text("m1x1 200 200\n")
    assert log.lines_with(["m1x1"], "m1") == ["m1x1 200 200"]


def test_what_never_comes_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: object) -> None:
    import authbench.experiments.faults.logs as module

    monkeypatch.setattr(module, "WRITTEN_WITHIN_S", 0.05)  # type: ignore[attr-defined]
    assert Log([tmp_path / "a.log"]).lines_with(["m1x1"], "m1") == []
