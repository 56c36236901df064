# ruff: noqa: N999 - gunicorn's own name for it
"""How a replica is served; docs/shop.md explains each line. The address comes from the command line (`--bind`)."""

import gc
import os
from pathlib import Path

if os.environ.get("AUTHBENCH_EDGE"):
    raise SystemExit("shop: AUTHBENCH_EDGE is for management commands; a replica that is served has a load balancer")

if os.environ.get("AUTHBENCH_VAULT_ADDR"):  # before a worker forks: what standard input brings can be read once
    from apps.shop import vault

    try:
        vault.opened()
    except vault.VaultError as error:
        raise SystemExit(f"shop: {error}") from None

worker_class = "gthread"
workers = int(os.environ.get("AUTHBENCH_WORKERS") or 1)
threads = int(os.environ.get("AUTHBENCH_THREADS") or 4)
if os.environ.get("AUTHBENCH_SERVING") == "sync":  # as many requests at a time, each in a process of its own
    worker_class, workers, threads = "sync", workers * threads, 1
keepalive = 75  # seconds; longer than the load balancer keeps an idle connection, so that it is the one to close
max_requests = 0  # a worker is never replaced while it is measured
accesslog = None
errorlog = "-"
loglevel = "warning"
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")  # whose X-Forwarded-Proto is believed
control_socket_disable = True  # gunicorn 25 and later: no second way in
if Path("/dev/shm").is_dir():  # noqa: S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - a heartbeat file on a disk can block the worker


def post_worker_init(worker: object) -> None:  # noqa: ARG001
    """Takes what the start allocated out of the garbage collector's sight: it lives as long as the process."""
    gc.collect()
    gc.freeze()
