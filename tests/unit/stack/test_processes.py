"""Who descends from whom, and what a process has used."""

import os
import subprocess
import sys

from authbench.stack.processes import Process, cpu_ns, read, table, threads, tree


def process(pid: int, parent: int, session: int, state: str = "S") -> Process:
    return Process(pid, parent, session, state, started=1, reaped_ns=0)


def processes(*rows: Process) -> dict[int, Process]:
    return {row.pid: row for row in rows}


def test_a_tree_holds_descendants_in_sessions_of_their_own() -> None:
    found = processes(
        process(1, 0, 1), process(10, 1, 10), process(11, 10, 11), process(12, 11, 11), process(20, 1, 20)
    )
    assert tree([10], found) == {10, 11, 12}


def test_a_tree_holds_members_of_the_session_that_lost_their_parent() -> None:
    found = processes(process(1, 0, 1), process(11, 1, 10), process(12, 11, 12))
    assert tree([10], found) == {11, 12}


def test_a_tree_leaves_out_what_has_ended() -> None:
    assert tree([10], processes(process(10, 1, 10, "Z"), process(11, 10, 10, "X"))) == set()


def test_this_process_is_in_the_table() -> None:
    own = table()[os.getpid()]
    assert own.parent == os.getppid()
    assert own.runs
    assert own == own._replace(pid=os.getpid())
    assert os.getpid() in threads(os.getpid())


def test_nobody_has_that_pid() -> None:
    assert read(2**22 + 1) is None
    assert threads(2**22 + 1) == []
    assert cpu_ns([2**22 + 1]) == 0


def test_a_name_with_brackets_and_blanks_is_no_trouble() -> None:
    code = "open('/proc/self/comm', 'w').write('a) S (b'); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = read(child.pid)
        child.kill()
    assert found is not None
    assert found.parent == os.getpid()


def test_cpu_of_reaped_children_counts() -> None:
    before = cpu_ns([os.getpid()])
    busy = "import time\nwhile time.process_time() < 0.1: pass"
    subprocess.run([sys.executable, "-S", "-c", busy], check=True)
    assert cpu_ns([os.getpid()]) - before >= 0.08e9
