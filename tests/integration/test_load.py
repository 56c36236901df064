"""The generator's process against a real server that behaves badly on purpose: every request is accounted for.

Nothing here asserts on speed: counts are exact, times only as the schedule implies them.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authbench.histogram import decode, upper_bounds_us
from authbench.records import Load
from tests.integration.scripted_server import ANN

pytestmark = pytest.mark.alone
ROOT = Path(__file__).parent.parent.parent
ENDS_WITHIN_S = 20


class Process:
    """A child that speaks JSON lines."""

    def __init__(self, *module: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", *module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        self.first = self.read()

    def ask(self, command: Any) -> dict[str, Any]:
        line = command if isinstance(command, bytes) else json.dumps(command).encode()
        self.child.stdin.write(line + b"\n")
        self.child.stdin.flush()
        return self.read()

    def read(self) -> dict[str, Any]:
        line = self.child.stdout.readline()
        assert line, f"ended with {self.child.wait()}"
        return json.loads(line)

    def end(self) -> None:
        self.child.kill()
        self.child.communicate()


@pytest.fixture
def server() -> Iterator[str]:
    process = Process("tests.integration.scripted_server")
    yield f"http://127.0.0.1:{process.first['port']}"
    process.end()


@pytest.fixture(scope="module")
def generator() -> Iterator[Process]:
    process = Process("loadtests.generator")
    assert process.first == {"ready": True, "timer": "timerfd"}
    yield process
    process.end()


@pytest.fixture
def fire_rows(generator, server, tmp_path):
    def fire_(rows: list[dict[str, Any]], name: str = "requests.jsonl", **plan: Any) -> Load:
        requests = tmp_path / name
        requests.write_text("".join(json.dumps(row) + "\n" for row in rows))
        given = {"url": server, "requests": str(requests), "model": "saturate", "connections": 4, "timeout_s": 10}
        answer = generator.ask({"fire": given | {"rate_rps": 500.0, "arrivals": "constant", "seed": 7} | plan})
        assert "load" in answer, answer
        return Load.model_validate(answer["load"])

    return fire_


@pytest.fixture
def fire(fire_rows):
    def fire_(*paths: str, expect: Any = None, **plan: Any) -> Load:
        return fire_rows([row(path) | (expect or {}) for path in paths], **plan)

    return fire_


def row(path: str, user: str | None = None) -> dict[str, Any]:
    """A request; that of a `user` carries his one-time token."""
    rolling = {} if user is None else {"headers": [["Authorization", f"Bearer {user}"]], "rolls": user}
    usual = {"method": "GET", "path": path, "headers": [], "body": None, "status": 200, "exact": ANN.decode()}
    return usual | {"contains": '"username":"ann"'} | rolling


def users(prefix: str, count: int = 12) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def seen(server: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{server}/seen", timeout=10) as answer:
        return json.load(answer)


def outcomes(load: Load) -> tuple[int, int, int, int]:
    return load.ok, load.refused, load.failed, load.unknown


MODELS = [{"model": "saturate"}, {"model": "rate"}]


@pytest.mark.parametrize("model", MODELS)
def test_a_counted_plan_sends_exactly_that_many(fire, server, model):
    load = fire("/ann", "/ann2", "/ann", count=301, **model)
    assert outcomes(load) == (301, 0, 0, 0)
    assert load.sent == 301
    assert load.by_replica == {"r1": 201, "r2": 100}
    counted = seen(server)
    assert counted["/ann"] + counted["/ann2"] == 301
    assert decode(load.latency_hist).total == decode(load.service_hist).total == decode(load.lateness_hist).total == 301
    assert load.bytes_out == 201 * len(wire(server, "/ann")) + 100 * len(wire(server, "/ann2"))
    assert load.bytes_in == 301 * len(b"HTTP/1.1 200 OK\r\nX-Replica: r1\r\nContent-Length: 42\r\n\r\n" + ANN)


@pytest.mark.parametrize("model", MODELS)
def test_outcomes_are_counted_apart(fire, model):
    load = fire("/ann", "/401", "/bob", "/500", "/403", "/302", "/chunked", "/ann", count=80, **model)
    assert outcomes(load) == (30, 20, 30, 0)
    assert load.failures == {"status 401": 10, "status 403": 10, "wrong-user": 10, "status 500": 10, "status 302": 10}
    assert decode(load.latency_hist).total == 30


def test_a_creation_is_right_with_its_own_status(fire):
    assert outcomes(fire("/ann", expect={"status": 201}, count=5)) == (0, 0, 5, 0)
    assert outcomes(fire("/403", expect={"status": 403, "exact": None, "contains": None}, count=5)) == (5, 0, 0, 0)


@pytest.mark.parametrize("model", MODELS)
def test_lost_answers_are_unknown(fire, server, model):
    load = fire("/ann", "/cut", "/half", "/nonsense", count=40, **model)
    assert outcomes(load) == (10, 0, 10, 20)
    assert load.failures["malformed answer"] == 10
    assert sum(load.failures.values()) == 30
    assert {path: seen(server)[path] for path in ("/cut", "/half", "/nonsense")} == {
        "/cut": 10,
        "/half": 10,
        "/nonsense": 10,
    }


@pytest.mark.parametrize("model", MODELS)
def test_a_silent_server_ends_the_window_after_the_timeout(fire, model):
    load = fire("/silent", count=6, timeout_s=0.3, connections=2, **model)
    assert (load.ok, load.unknown) == (0, 6)
    assert sum(load.failures.values()) == 6
    assert load.window_s < ENDS_WITHIN_S


def test_requests_that_never_got_a_connection_are_told_apart(fire, server):
    load = fire("/silent", count=6, timeout_s=0.3, connections=2, model="rate")
    assert load.sent == seen(server)["/silent"]
    assert load.failures.get("timeout", 0) == load.sent
    assert load.unknown == 6


@pytest.mark.parametrize("model", MODELS)
def test_nobody_listens(generator, tmp_path, model):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    requests = tmp_path / "requests.jsonl"
    requests.write_text(json.dumps({"method": "GET", "path": "/", "headers": []}) + "\n")
    plan = {"url": f"http://127.0.0.1:{port}", "requests": str(requests), "connections": 2, "count": 5}
    load = Load.model_validate(generator.ask({"fire": plan | {"rate_rps": 500.0} | model})["load"])
    assert (load.sent, load.ok, load.unknown) == (0, 0, 5)
    assert load.failures == {"connection refused": 5}


def test_connections_are_kept_within_and_between_windows(fire, server):
    assert fire("/ann", count=200, connections=4).connections_opened == 4
    assert fire("/ann", count=200, connections=4).connections_opened == 0
    assert fire("/ann", count=20, model="rate", connections=64).connections_opened <= 16
    assert seen(server)["connections"] <= 4 + 16 + 1


def test_closed_connections_are_replaced_silently(fire, server):
    load = fire("/last", count=50, connections=2)
    assert outcomes(load) == (50, 0, 0, 0)
    assert load.connections_opened == seen(server)["/last"] == 50


def test_the_closed_model_keeps_c_in_flight(fire):
    load = fire("/ann", count=2000, connections=8)
    assert load.in_flight_mean == pytest.approx(8, rel=0.1)
    mean_s = decode(load.service_hist).mean_us() / 1e6
    assert load.in_flight_mean == pytest.approx(load.achieved_rps * mean_s, rel=0.05)


def test_a_stall_is_charged_to_all_that_were_due(fire):
    """No coordinated omission: 200 ms of stall at 500/s hit 100 due requests, 75 of them by 50 ms or more."""
    load = fire(*["/ann"] * 100, "/stall/200", *["/ann"] * 199, count=300, model="rate", connections=4)
    assert load.ok == 300
    latency, service = decode(load.latency_hist), decode(load.service_hist)
    slow = upper_bounds_us(latency.counts.nonzero()[0]) >= 50_000
    assert latency.counts[latency.counts.nonzero()[0]][slow].sum() >= 75
    assert load.connections_opened <= 4
    slow_sent = upper_bounds_us(service.counts.nonzero()[0]) >= 190_000
    assert service.counts[service.counts.nonzero()[0]][slow_sent].sum() <= 4  # what a closed model would have seen


def test_duration_bounds_the_plan(fire):
    load = fire("/ann", duration_s=0.2, model="rate")
    assert load.sent == 100
    assert load.target_rps == load.offered_rps == pytest.approx(500)
    assert fire("/ann", duration_s=0.1).ok > 0


def test_poisson_windows_repeat_with_their_seed(fire):
    plan = {"duration_s": 0.2, "model": "rate", "arrivals": "poisson"}
    assert fire("/ann", **plan, seed=3).sent == fire("/ann", **plan, seed=3).sent


def test_a_window_starts_at_its_place_in_the_file(fire, generator, server, tmp_path):
    assert fire("/ann", "/ann", "/ann2", count=4, connections=1, first=2).by_replica == {"r1": 2, "r2": 2}
    plan = {"url": server, "requests": str(tmp_path / "requests.jsonl"), "model": "saturate", "connections": 1}
    assert "holds 3 requests" in generator.ask({"fire": plan | {"count": 1, "first": 3}})["error"]


@pytest.mark.parametrize("model", MODELS)
def test_one_time_tokens_follow_the_answers_from_window_to_window_and_file_to_file(fire_rows, model):
    names = users(model["model"])
    for file, count in (("one", 101), ("two", 50), ("one", 75)):
        rows = [row("/roll", user) for user in (names if file == "one" else names[3:9] * 2)]
        assert outcomes(fire_rows(rows, name=file, count=count, **model)) == (count, 0, 0, 0)


@pytest.mark.parametrize("model", MODELS)
def test_who_awaits_an_answer_sends_no_token_twice(fire_rows, model):
    """The slow ones' turn comes many times before their answers do."""
    slow, *others = users(f"slow-{model['model']}-", 6)
    rows = [row("/roll/slow", slow), *(row("/roll", user) for user in others)]
    load = fire_rows(rows, count=150, **model)
    assert outcomes(load) == (150, 0, 0, 0)


def test_an_answer_that_is_an_error_brings_the_next_token_too(fire_rows):
    rows = [row("/roll/403", user) | {"status": 403, "exact": None, "contains": None} for user in users("no", 5)]
    assert outcomes(fire_rows(rows, count=20)) == (20, 0, 0, 0)


def test_a_lost_answer_takes_the_next_token_with_it(fire_rows):
    rows = [row("/roll/cut", "lost"), *(row("/roll", user) for user in users("kept", 4))]
    load = fire_rows(rows, count=25, connections=1)
    assert outcomes(load) == (20, 4, 0, 1)


def test_a_new_process_knows_no_chain(fire_rows, server, tmp_path):
    rows = [row("/roll", user) for user in users("old")]
    assert fire_rows(rows, count=24).ok == 24
    process = Process("loadtests.generator")
    plan = {"url": server, "requests": str(tmp_path / "requests.jsonl"), "model": "saturate", "connections": 4}
    load = Load.model_validate(process.ask({"fire": plan | {"count": 12}})["load"])
    process.end()
    assert outcomes(load) == (0, 12, 0, 0)


@pytest.mark.parametrize(
    "command", [b"nonsense", b"[]", {"stop": 1}, {"fire": {"url": "ftp://x"}}, {"fire": 1}, b'{"fire": {}}']
)
def test_bad_commands_are_answered_with_one_line(generator, command):
    answer = generator.ask(command)
    assert list(answer) == ["error"]
    assert "\n" not in answer["error"]
    assert generator.ask({"ping": True}) == {"pong": True}


def test_a_missing_requests_file_is_named(generator, server):
    plan = {"url": server, "requests": "/nowhere.jsonl", "model": "saturate", "connections": 1, "count": 1}
    assert "/nowhere.jsonl" in generator.ask({"fire": plan})["error"]


def test_the_end_of_stdin_ends_it():
    process = Process("loadtests.generator")
    rest, _ = process.child.communicate(b'{"ping": true}\n', timeout=ENDS_WITHIN_S)
    assert rest == b'{"pong": true}\n'
    assert process.child.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_quietly_in_mid_window(server, tmp_path, number):
    requests = tmp_path / "requests.jsonl"
    requests.write_text(json.dumps({"method": "GET", "path": "/silent", "headers": []}) + "\n")
    child = subprocess.Popen(
        [sys.executable, "-m", "loadtests.generator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    child.stdout.readline()
    plan = {"url": server, "requests": str(requests), "model": "saturate", "connections": 1, "count": 1}
    child.stdin.write(json.dumps({"fire": plan | {"timeout_s": 600}}).encode() + b"\n")
    child.stdin.flush()
    while not seen(server).get("/silent"):
        pass
    child.send_signal(number)
    out, err = child.communicate(timeout=ENDS_WITHIN_S)
    assert (out, err) == (b"", b"")
    assert child.returncode == -number


def test_it_ends_when_nobody_reads_its_answers(server, tmp_path):
    requests = tmp_path / "requests.jsonl"
    requests.write_text(json.dumps({"method": "GET", "path": "/ann", "headers": []}) + "\n")
    process = Process("loadtests.generator")
    plan = {"url": server, "requests": str(requests), "model": "saturate", "connections": 1, "duration_s": 600}
    process.child.stdin.write(json.dumps({"fire": plan}).encode() + b"\n")
    process.child.stdin.flush()
    process.child.stdout.close()
    assert process.child.wait(timeout=ENDS_WITHIN_S) == 0
    process.child.stdin.close()


def locust(server: str, folder: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), "--host", server]
    command += ["--headless", "-t", "2s", "--json", "--only-summary", *arguments]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, check=False, timeout=60, env={**os.environ, "NO_COLOR": "1"}
    )
    return done.returncode, json.loads(done.stdout[done.stdout.index(b"[") :])


LOCUST_MODELS = [
    ("--rate", "50", "--arrivals", "constant", "-u", "3", "-r", "3"),
    ("--model", "saturate", "-u", "2", "-r", "2"),
]


@pytest.mark.parametrize("arguments", LOCUST_MODELS)
def test_the_locustfile_runs_anywhere(server, tmp_path, arguments):
    code, rows = locust(server, tmp_path, "--path", "/ann?x=1", *arguments)
    assert code == 0
    assert [(row["method"], row["name"], row["num_failures"]) for row in rows] == [("GET", "/ann", 0)]
    assert 0 < rows[0]["num_requests"] <= seen(server)["/ann"]


def test_the_locustfile_reports_failures(server, tmp_path):
    code, rows = locust(server, tmp_path, "--path", "/500")
    assert code == 1
    assert 0 < rows[0]["num_failures"] == rows[0]["num_requests"]


def test_the_locustfile_logs_in_by_the_contract(server, tmp_path):
    users = tmp_path / "users.jsonl"
    users.write_text('{"username": "ann", "password": "secret"}\n')
    code, rows = locust(server, tmp_path, "--users-file", str(users), "--carrier", "bearer", "--rate", "50")
    counted = seen(server)
    assert code == 0
    assert [(row["name"], row["num_failures"]) for row in rows] == [("/api/whoami", 0)]
    assert counted["/api/login"] == 1
    assert counted["bearer"] == counted["/api/whoami"] >= rows[0]["num_requests"] > 0


LOCUST_AT_ONCE = [("--rate", "200", "--path", "/roll/slow"), ("--model", "saturate", "--path", "/roll")]


@pytest.mark.parametrize("arguments", LOCUST_AT_ONCE)
def test_the_locustfile_follows_one_time_tokens(server, tmp_path, arguments):
    """A user whose next request is due before his answer is there waits for it."""
    accounts = tmp_path / "users.jsonl"
    accounts.write_text('{"username": "ann", "password": "secret"}\n')
    given = ("--users-file", str(accounts), "--carrier", "bearer", "--one-time", *arguments)
    code, rows = locust(server, tmp_path, *given)
    assert (code, rows[0]["num_failures"]) == (0, 0)
    assert rows[0]["num_requests"] > 2


def test_a_login_without_a_credential_stops_the_locustfile(server, tmp_path):
    users = tmp_path / "users.jsonl"
    users.write_text('{"username": "ann", "password": "secret"}\n')
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), "--host", server]
    command += ["--headless", "-t", "1s", "--users-file", str(users), "--carrier", "cookie"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "login of ann" in done.stderr
    assert "--carrier" in done.stderr


BROKEN_ONCE = """
import loadtests.generator, loadtests.firing

judge, calls = loadtests.firing.judge, []

def broken_once(*given):
    calls.append(given)
    if len(calls) == 3:
        raise LookupError("a fault of ours")
    return judge(*given)

loadtests.firing.judge = broken_once
loadtests.generator.main()
"""


@pytest.mark.parametrize("model", MODELS)
def test_a_fault_of_its_own_ends_the_window_not_the_process(server, tmp_path, model):
    requests = tmp_path / "requests.jsonl"
    requests.write_text(json.dumps({"method": "GET", "path": "/ann", "headers": []}) + "\n")
    plan = {"url": server, "requests": str(requests), "connections": 2, "count": 50, "rate_rps": 500} | model
    command = [sys.executable, "-c", BROKEN_ONCE]
    asked = 2 * (json.dumps({"fire": plan}).encode() + b"\n")
    done = subprocess.run(command, cwd=ROOT, input=asked, capture_output=True, check=True, timeout=ENDS_WITHIN_S)
    _, first, second = map(json.loads, done.stdout.splitlines())
    assert first == {"error": "LookupError: a fault of ours"}
    assert second["load"]["ok"] == 50


WITHOUT_TIMERFD = """
import loadtests.generator, loadtests.timer

def no_timerfd():
    raise OSError("none here")

loadtests.timer.open_timerfd = no_timerfd
loadtests.generator.main()
"""


def test_without_timerfd_it_still_works_and_says_so(server, tmp_path):
    requests = tmp_path / "requests.jsonl"
    requests.write_text(json.dumps({"method": "GET", "path": "/ann", "headers": []}) + "\n")
    plan = {"url": server, "requests": str(requests), "model": "rate", "connections": 4, "count": 50, "rate_rps": 500}
    command = [sys.executable, "-c", WITHOUT_TIMERFD]
    asked = json.dumps({"fire": plan}).encode() + b"\n"
    done = subprocess.run(command, cwd=ROOT, input=asked, stdout=subprocess.PIPE, check=True, timeout=ENDS_WITHIN_S)
    ready, answer = map(json.loads, done.stdout.splitlines())
    assert ready == {"ready": True, "timer": "gevent.sleep"}
    assert (answer["load"]["ok"], answer["load"]["timer"]) == (50, "gevent.sleep")


def test_the_accuracy_benchmark_reports_and_ends_what_it_started(tmp_path):
    command = [sys.executable, "-m", "loadtests.accuracy", "--json", "--alone", "--rates", "200"]
    command += ["--seconds", "0.3", "--repeats", "1"]
    environment = {**os.environ, "AUTHBENCH_TEST_MARK": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False, timeout=60, env=environment)
    report = json.loads(done.stdout)
    assert done.returncode in {0, 1}  # whether the aims were met is the machine's business here
    assert [row["ok"] for row in report["open"]] == [60]
    assert report["open"][0]["littles_law"] == pytest.approx(1, rel=0.05)
    assert report["open"][0]["true_p50_ms"] >= 5.2
    assert report["closed"][0]["littles_law"] == pytest.approx(1, rel=0.05)
    mark = f"AUTHBENCH_TEST_MARK={tmp_path}".encode()
    assert not [process for process in Path("/proc").glob("[0-9]*") if mark in environment_of(process)]


def environment_of(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


def wire(server: str, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {server.removeprefix('http://')}\r\n\r\n".encode()
