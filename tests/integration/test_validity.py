"""Every rule of METHOD.md, "When a trial does not count", fired by what it is there for, on the real stack."""

import contextlib
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from authbench.analysis.validity import Limits
from authbench.generator import GeneratorDiedError
from authbench.probes.bundle import Probes
from authbench.probes.contention import busy_ticks
from authbench.probes.cpu import stolen
from authbench.stack.processes import TICK_NS
from authbench.trial import DEATHS
from tests.integration.measured_stack import (
    RATE_RPS,
    Laboratory,
    busy_loop,
    codes,
    laboratory,
    send_all,
    upstream,
    wait_until,
)

pytestmark = [pytest.mark.slow, pytest.mark.alone]
SESSION, TOKEN = "session-db", "jwt-hs256"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with laboratory(tmp_path_factory.mktemp("laboratory")) as made:
        yield made


def in_database(lab: Laboratory, statement: str) -> None:
    with psycopg.connect(lab.stack.dsn(SESSION), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize("strategy", [SESSION, TOKEN])
@pytest.mark.parametrize("rate_rps", [None, RATE_RPS])
def test_an_undisturbed_window_has_nothing_wrong_with_its_answers(
    lab: Laboratory, strategy: str, rate_rps: float | None
) -> None:
    trial = lab.measure(strategy, rate_rps=rate_rps)
    # What a loud machine may do to it is left out: that is the machine's, not the stack's.
    loud = {"steal", "cpu-contended", "unsteady", "generator-late", "generator-busy", "rate-not-reached"}
    assert codes(trial) - loud == set(), trial.reasons
    assert trial.load.ok == trial.load.sent > 0


def test_a_rate_beyond_its_core_makes_the_generator_busy_and_late(lab: Laboratory) -> None:
    """nginx answers by itself. Which of the two tires first depends on the machine, hence several rates."""
    seen: list[set[str]] = []
    with lab.balancing(lambda text: text.replace(f"proxy_pass http://{TOKEN};", "return 503;")):
        for pid in lab.stack.pids("nginx"):
            with contextlib.suppress(PermissionError):
                os.setpriority(os.PRIO_PROCESS, pid, -20)
        for rate_rps in (30_000.0, 45_000.0, 60_000.0, 120_000.0) * 3:
            seen.append(codes(lab.measure(TOKEN, rate_rps=rate_rps)))
            if {"generator-busy", "generator-late"} <= set.union(*seen):
                return
    pytest.fail(f"neither busy nor late: {seen}")


def test_a_rate_beyond_the_stack_is_not_reached(lab: Laboratory) -> None:
    capacity_rps = lab.bench().capacity_rps(SESSION, "whoami", 0.5)
    trial = lab.measure(SESSION, rate_rps=3 * capacity_rps)
    assert "rate-not-reached" in codes(trial)
    assert trial.limited_by != "offered rate"


def test_a_replica_that_is_paused_in_the_window(lab: Laboratory) -> None:
    pids = lab.stack.pids(f"{SESSION}-1")

    def pause() -> None:
        time.sleep(0.2)
        send_all(pids, signal.SIGSTOP)
        time.sleep(2)
        send_all(pids, signal.SIGCONT)

    trial = lab.measure(SESSION, meanwhile=pause)
    assert "rate-not-reached" in codes(trial)
    assert trial.load.ok == trial.load.sent  # late, but right


def test_a_replica_that_hangs_for_good(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its requests get no answer, and its share goes to nobody."""
    pids = lab.stack.pids(f"{SESSION}-1")
    real, stopped, over = lab.generator.fire, threading.Event(), threading.Event()
    monkeypatch.setattr(lab.generator, "fire", lambda plan: real(plan.model_copy(update={"timeout_s": 1.5})))

    def hang() -> None:
        send_all(pids, signal.SIGSTOP)
        stopped.set()
        over.wait(4)
        send_all(pids, signal.SIGCONT)

    trial = lab.measure(SESSION, meanwhile=hang)
    assert stopped.is_set()
    assert {"errors", "unfair-share"} <= codes(trial)
    assert trial.load.failures["timeout"] == trial.load.unknown > 0


def test_a_store_that_slows_down_in_the_window(lab: Laboratory) -> None:
    """PostgreSQL runs for 5 of every 50 ms from the window's middle on: as on a neighbour's busy disk."""
    pids = lab.stack.pids("postgres")

    def slow() -> None:
        until = time.monotonic() + 1.0
        time.sleep(0.5)
        while time.monotonic() < until:
            send_all(pids & lab.stack.pids("postgres"), signal.SIGSTOP)
            time.sleep(0.045)
            send_all(pids & lab.stack.pids("postgres"), signal.SIGCONT)
            time.sleep(0.005)

    trial = lab.measure(SESSION, rate_rps=None, meanwhile=slow)
    assert "unsteady" in codes(trial), trial.load.half_service_us


def test_a_lock_that_somebody_holds_in_the_store(lab: Laboratory) -> None:
    with psycopg.connect(lab.stack.dsn(SESSION)) as connection:

        def hold() -> None:
            time.sleep(0.6)
            connection.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
            time.sleep(2)
            connection.rollback()

        trial = lab.measure(SESSION, meanwhile=hold)
    assert "rate-not-reached" in codes(trial)
    assert trial.load.ok == trial.load.sent


def test_an_app_that_answers_500(lab: Laboratory) -> None:
    def spoil() -> None:
        time.sleep(0.2)
        in_database(lab, "ALTER TABLE shop_user RENAME TO shop_user_gone")
        time.sleep(0.4)
        in_database(lab, "ALTER TABLE shop_user_gone RENAME TO shop_user")

    trial = lab.measure(SESSION, meanwhile=spoil)
    assert "errors" in codes(trial)
    assert any(kind.startswith("status 5") for kind in trial.load.failures), trial.load.failures


def test_half_of_the_answers_refused_break_littles_law_too(lab: Laboratory) -> None:
    """All requests are in flight, only right ones count as done."""
    rows = list(lab.minted[TOKEN].rows)
    refused = [{**row, "credential": {"access_token": "a.b.c"}} if at % 2 else row for at, row in enumerate(rows)]
    trial = lab.measure(TOKEN, file=lab.file_of("refused", TOKEN, refused))
    assert {"errors", "littles-law"} <= codes(trial)
    assert trial.load.refused > 0


def test_a_credential_of_another_user(lab: Laboratory) -> None:
    rows = list(lab.minted[TOKEN].rows)
    swapped = [{**row, "credential": other["credential"]} for row, other in zip(rows, rows[1:] + rows[:1], strict=True)]
    trial = lab.measure(TOKEN, file=lab.file_of("swapped", TOKEN, swapped))
    assert {"wrong-user", "errors"} <= codes(trial)
    assert trial.load.ok == 0


def test_no_request_that_could_be_sent(lab: Laboratory) -> None:
    port = lab.stack.url(TOKEN).rpartition(":")[2]
    with lab.balancing(lambda text: text.replace(f"listen 127.0.0.1:{port} backlog=4096;", "listen 127.0.0.1:9;")):
        trial = lab.measure(TOKEN)
    assert codes(trial) == {"no-requests"}
    assert trial.load.failures["connection refused"] > 0


@pytest.mark.parametrize("policy", ["weight", "ip_hash"])
def test_a_balancer_that_prefers_a_replica(lab: Laboratory, policy: str) -> None:
    def edit(block: str) -> str:
        return (
            block.replace("max_fails=0;", "max_fails=0 weight=4;", 1)
            if policy == "weight"
            else block.replace("{", "{\n    ip_hash;", 1)
        )

    with lab.balancing(lambda text: upstream(text, SESSION, edit)):
        trial = lab.measure(SESSION)
        assert "unfair-share" in codes(trial), trial.load.by_replica
        sticky = lab.measure(SESSION, bench=lab.bench(limits=Limits(round_robin=False)))
    assert "unfair-share" not in codes(sticky)


def test_somebody_elses_requests(lab: Laboratory) -> None:
    def ask() -> None:
        for _ in range(3):
            with urllib.request.urlopen(f"{lab.stack.url(SESSION)}/api/public") as answer:
                answer.read()

    trial = lab.measure(SESSION, meanwhile=ask)
    assert "counts-differ" in codes(trial)
    assert trial.lb_requests is not None
    assert trial.lb_requests - (trial.lb_expected or 0) == 3


def test_a_token_that_expires_in_the_window(lab: Laboratory) -> None:
    file = lab.file_of("short-lived", TOKEN, lab.mint_short_lived(TOKEN, 9))
    assert file.expires_at is not None
    bench = lab.bench()
    trial = lab.measure(TOKEN, file=file, bench=bench)
    if time.time() < file.expires_at:  # not so slow a machine that even this window was too late
        assert "credential-expires" not in codes(trial)
    time.sleep(max(0.0, file.expires_at - 0.7 - time.time()))
    trial = lab.measure(TOKEN, file=file, bench=bench)
    assert {"credential-expires", "errors"} <= codes(trial)
    assert trial.load.refused > 0


def test_minted_credentials_outlive_any_usual_run(lab: Laboratory) -> None:
    for file in lab.files.values():
        assert file.expires_at is not None
        assert 11 * 3600 < file.expires_at - time.time() <= 12 * 3600


def test_a_strategy_that_was_not_verified(lab: Laboratory) -> None:
    bench = lab.bench(verified=(SESSION,))
    assert "not-verified" in codes(lab.measure(TOKEN, bench=bench))
    assert "not-verified" not in codes(lab.measure(SESSION, bench=bench))


def test_time_that_the_hypervisor_took(lab: Laboratory, tmp_path: Path) -> None:
    """A real window; only the kernel's file is ours, since no hypervisor can be asked to steal."""
    stat = tmp_path / "stat"

    def say(steal: int, idle: int) -> None:
        stat.with_suffix(".draft").write_text(f"cpu  100 0 100 {idle} 0 0 0 {steal} 0 0\n", encoding="utf-8")
        stat.with_suffix(".draft").replace(stat)

    bench = lab.bench(probes=Probes(lab.stack, stat=stat))
    for stolen_ticks, fires in ((1, False), (3, True)):
        say(0, 0)
        trial = lab.measure(SESSION, bench=bench, meanwhile=lambda ticks=stolen_ticks: say(ticks, 100 - ticks))  # type: ignore[misc]
        assert trial.steal_share == stolen_ticks / 100
        assert ("steal" in codes(trial)) is fires


def test_a_process_that_uses_the_stacks_cores(lab: Laboratory) -> None:
    with busy_loop(lab.stack.cores):
        trials = [lab.measure(SESSION), lab.measure(SESSION, rate_rps=None)]
    for trial in trials:
        assert "cpu-contended" in codes(trial), trial.others_cpu_share


def test_what_the_stack_and_the_bench_use_is_nobody_elses(lab: Laboratory) -> None:
    """Until a quiet window comes; a machine that is never quiet says so itself, by another of the kernel's counts."""
    cores = tuple(sorted(os.sched_getaffinity(1)))
    for _ in range(12):
        before, services, own = _busy_s(cores), sum(lab.stack.cpu_ns().values()), time.process_time_ns()
        begun = time.monotonic()
        trial = lab.measure(TOKEN, rate_rps=None)
        ours = sum(lab.stack.cpu_ns().values()) - services + time.process_time_ns() - own
        others_s = _busy_s(cores) - before - ours / 1e9 - trial.load.generator_cpu_s
        assert trial.others_cpu_share is not None
        if "cpu-contended" not in codes(trial):
            return
        assert others_s / (time.monotonic() - begun) > 0.02, trial.others_cpu_share
    pytest.xfail("other processes used this machine in each of 12 windows, as the kernel's ticks confirm")


def _busy_s(cores: tuple[int, ...]) -> float:
    return busy_ticks(Path("/proc/stat").read_text(), cores) * TICK_NS / 1e9


def test_without_cgroups_ticks_find_the_same_process(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authbench.probes.contention._root", lambda group: None)
    with busy_loop(lab.stack.cores):
        trial = lab.measure(SESSION)
    assert "cpu-contended" in codes(trial), trial.others_cpu_share


def test_the_kernels_file_has_what_both_rules_read() -> None:
    text = Path("/proc/stat").read_text()
    assert stolen(text)[1] > busy_ticks(text, (0,)) > 0


def test_a_generator_that_dies_is_replaced_and_its_window_lost(lab: Laboratory) -> None:
    bench = lab.bench()
    before = lab.generator.pid

    def kill() -> None:
        time.sleep(0.3)
        os.kill(lab.generator.pid, signal.SIGKILL)

    for _ in range(DEATHS - 1):
        lost, samples = lab.measure_with_samples(SESSION, rate_rps=RATE_RPS, meanwhile=kill, bench=bench)
        assert codes(lost) == {"generator-died"}
        assert "-9" in lost.reasons[0].message
        assert lost.load.sent == 0
        assert samples
    good = lab.measure(SESSION, bench=bench)
    assert lab.generator.pid != before
    assert "generator-died" not in codes(good)
    assert "counts-differ" not in codes(good)
    assert good.load.ok == good.load.sent > 0


def test_a_generator_that_keeps_dying_ends_the_run(lab: Laboratory) -> None:
    bench = lab.bench()

    def kill() -> None:
        os.kill(lab.generator.pid, signal.SIGKILL)

    for _ in range(DEATHS - 1):
        assert codes(lab.measure(SESSION, meanwhile=kill, bench=bench)) == {"generator-died"}
    with pytest.raises(GeneratorDiedError, match=f"{DEATHS} times in a row"):
        lab.measure(SESSION, meanwhile=kill, bench=bench)
    lab.generator.restart()


def test_a_generator_that_died_between_windows_costs_no_trial(lab: Laboratory) -> None:
    bench = lab.bench()
    lab.measure(SESSION, bench=bench)
    os.kill(lab.generator.pid, signal.SIGKILL)
    trial = lab.measure(SESSION, bench=bench)
    assert {"generator-died", "counts-differ", "errors"} & codes(trial) == set()


def test_a_worker_that_is_replaced_in_the_window(lab: Laboratory) -> None:
    """Last: its replica is another process afterwards."""
    name = f"{SESSION}-1"
    master = lab.stack.running(name).pid
    (worker,) = lab.stack.pids(name) - {master}

    def kill() -> None:
        time.sleep(0.3)
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: worker not in lab.stack.pids(name))

    trial = lab.measure(SESSION, meanwhile=kill)
    assert "replica-restarted" in codes(trial)
