"""From samples of connections to one window's record."""

from authbench.probes.database import summarise


def test_peaks_and_means() -> None:
    samples = (
        {"session-db-1": {"idle": 2, "active": 1}, "session-db-2": {"idle": 1}},
        {"session-db-1": {"idle": 2}},
        {},
        {"session-db-2": {"idle": 3}},
    )
    found = summarise(samples, statements=12, opened=1)
    assert found.connections_peak == 4
    assert found.connections_mean == (4 + 2 + 0 + 3) / 4
    assert found.connections_by_state == {"active": 0.25, "idle": 2.0}
    assert found.connections_by_replica == {"session-db-1": 3, "session-db-2": 3}
    assert (found.statements, found.connections_opened) == (12, 1)
