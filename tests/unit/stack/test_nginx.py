"""The balancer's configuration as text."""

from pathlib import Path

import pytest

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
