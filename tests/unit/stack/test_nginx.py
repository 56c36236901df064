"""The balancer's configuration as text."""

from dataclasses import replace
from pathlib import Path

import pytest

from authbench.balancing import Balancing
from authbench.stack import nginx as nginx_module
from authbench.stack.nginx import Nginx, Site

BALANCER = Nginx(Path("/bin/nginx"), Path("/folder"), 10_001)


def test_a_site_has_its_replicas_in_turn() -> None:
    text = BALANCER.configuration([Site("session-db", 10_002, {"session-db-1": 10_003, "session-db-2": 10_004})], "g1")
    upstream = text[text.index("upstream session-db") : text.index("listen 127.0.0.1:10002")]
    assert upstream.split("\n")[1:4] == [
        "    server 127.0.0.1:10003 max_fails=0;",
        "    server 127.0.0.1:10004 max_fails=0;",
        "    keepalive 64;",
    ]
    assert "proxy_pass http://session-db;" in text
    assert 'return 200 "g1";' in text


def test_a_site_without_replicas_is_unavailable() -> None:
    text = BALANCER.configuration([Site("none", 10_002)], "g1")
    assert "  upstream " not in text
    assert "return 503;" in text


def test_everything_it_listens_on_is_loopback_and_everything_it_writes_in_its_folder() -> None:
    text = BALANCER.configuration([Site("none", 10_002, {"none-1": 10_003})], "g1")
    listens = [line.split()[1] for line in text.splitlines() if line.strip().startswith("listen")]
    assert all(listen.startswith("127.0.0.1:") for listen in listens)
    paths = [line.split()[1] for line in text.splitlines() if "_temp_path" in line or line.startswith("pid")]
    assert all(path.startswith("/folder/") for path in paths)


def test_a_route_leads_to_its_replica_and_that_of_one_that_does_not_run_to_another() -> None:
    ports = {"session-locmem-1": 10_003, "session-locmem-2": 10_004}
    text = BALANCER.configuration([Site("session-locmem", 10_002, ports, sticky=True, dealt=3)], "g1")
    routes = {
        line.split("=")[1].split("(")[0]: line.split()[-1] for line in text.splitlines() if "__Host-route=" in line
    }
    assert routes == {
        "session-locmem-1": "session-locmem-1;",
        "session-locmem-2": "session-locmem-2;",
        "session-locmem-3": "session-locmem-1;",
    }
    assert "default session-locmem;" in text


@pytest.mark.parametrize(("uid", "told"), [(0, True), (1000, False)])
def test_only_root_names_a_user(uid: int, told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid)
    monkeypatch.setattr(nginx_module, "nobodys_group", lambda: "nogroup")
    assert ("user nobody nogroup;" in BALANCER.configuration([], "g1")) is told


@pytest.mark.parametrize(
    ("method", "directive"),
    [
        ("least connections", "    least_conn;"),
        ("ip hash", "    ip_hash;"),
        ("ip consistent", "    hash $remote_addr consistent;"),
    ],
)
def test_a_method_stands_before_the_members_and_the_kept_connections(method: Balancing, directive: str) -> None:
    site = Site("session-file", 10_002, {"session-file-1": 10_003}, method=method)
    lines = BALANCER.configuration([site], "g1").splitlines()
    upstream = lines[lines.index("  upstream session-file {") :]
    assert upstream[1:4] == [directive, "    server 127.0.0.1:10003 max_fails=0;", "    keepalive 64;"]


def test_round_robin_names_no_method_and_sets_no_cookie() -> None:
    text = BALANCER.configuration([Site("session-file", 10_002, {"session-file-1": 10_003})], "g1")
    assert not any(word in text for word in ("least_conn", "hash", "Set-Cookie", "map "))


def test_a_client_without_a_route_is_told_who_answered_and_one_with_a_route_is_led_there() -> None:
    ports = {"session-file-1": 10_003, "session-file-2": 10_004}
    text = BALANCER.configuration([Site("session-file", 10_002, ports, method="cookie")], "g1")
    assert '"~(?:^|; ?)__Host-route=session-file-2(?:;|$)" session-file-2;' in text
    told = '"session-file 127.0.0.1:10004" "__Host-route=session-file-2; Path=/; Secure; HttpOnly; SameSite=Lax";'
    assert told in text
    assert "proxy_pass http://$to_session_file; add_header Set-Cookie $route_of_session_file always;" in text


def test_where_the_application_sets_the_route_the_balancer_sets_none() -> None:
    ports = {"session-locmem-1": 10_003}
    site = Site("session-locmem", 10_002, ports, sticky=True, method="cookie")
    assert "Set-Cookie" not in BALANCER.configuration([site], "g1")
    assert BALANCER.configuration([site], "g1") == BALANCER.configuration([replace(site, method="round robin")], "g1")


def test_a_detailed_site_logs_requests_and_is_counted_as_before() -> None:
    replicas = {"none-1": 10_003}
    text = BALANCER.configuration(
        [Site("none", 10_002, replicas, detailed=True), Site("other", 10_004, replicas)], "g1"
    )
    detailed, usual = text.split("listen 127.0.0.1:10002")[1].split("listen 127.0.0.1:10004")
    # What a server says of logs replaces what stands around it: both lines, or requests are no longer counted.
    assert f"access_log {BALANCER.counts_file} port " in detailed
    assert f"access_log {BALANCER.requests_file} request;" in detailed
    assert "access_log" not in usual
