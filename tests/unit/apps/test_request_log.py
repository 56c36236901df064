"""The applications' own account: a line an answered request with an id, and nothing where nobody asks for it."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.shop import request_log as module
from authbench.stack.replicas import ROOT


@pytest.fixture
def handle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("AUTHBENCH_REQUEST_LOG", str(tmp_path))
    monkeypatch.setattr(module, "settings", SimpleNamespace(REPLICA="session-db-1"))
    return module.request_log(lambda request: SimpleNamespace(status_code=request.status))  # type: ignore[arg-type,return-value,attr-defined]


def ask(handle: object, identity: str | None, status: int = 200) -> None:
    meta = {} if identity is None else {"HTTP_X_REQUEST_ID": identity}
    handle(SimpleNamespace(META=meta, status=status))  # type: ignore[operator]


def test_a_line_a_request_with_its_status(handle: object, tmp_path: Path) -> None:
    ask(handle, "a1")
    ask(handle, "b2", 503)
    assert (tmp_path / "session-db-1.log").read_text() == "a1 200\nb2 503\n"


@pytest.mark.parametrize("identity", [None, "", "a b", "a\nforged 200", "é", "x" * 65])
def test_whoever_sends_no_plain_id_writes_nothing(handle: object, tmp_path: Path, identity: str | None) -> None:
    ask(handle, identity)
    assert (tmp_path / "session-db-1.log").read_text() == ""


def test_a_folder_that_is_not_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHBENCH_REQUEST_LOG", "/nowhere")
    monkeypatch.setattr(module, "settings", SimpleNamespace(REPLICA="r1"))
    with pytest.raises(ImproperlyConfigured, match=r"cannot write /nowhere/r1\.log"):
        module.request_log(lambda request: request)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(("folder", "listed"), [("", "False"), ("/tmp", "True")])
def test_it_takes_part_only_where_it_is_asked_for(folder: str, listed: str) -> None:
    told = {"AUTHBENCH_REQUEST_LOG": folder, "AUTHBENCH_SECRET_KEY": "k" * 50, "PATH": os.defpath}
    told["AUTHBENCH_DATABASE_URL"] = "postgresql://u:p@127.0.0.1:1/d"
    code = "from apps.shop.settings import MIDDLEWARE; print(MIDDLEWARE[0].endswith('.request_log'))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=told, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == listed
