"""The shop's file engine says what Django's keeps quiet about: a session that could not be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from authbench.stack.replicas import ROOT

# A limit on the size of files fails every write as a full disk does: with an OSError.
CODE = """
import django, resource
django.setup()
from importlib import import_module
from django.conf import settings
store = import_module(settings.SESSION_ENGINE).SessionStore
kept = store()
kept["seen"] = "first"
kept.save()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
for session in (store(kept.session_key), store()):
    session["seen"] = "second"
    try:
        session.save()
    except Exception as error:
        print(type(error).__name__)
    else:
        print("saved")
print(store(kept.session_key)["seen"])
"""


@pytest.mark.parametrize(
    ("settings", "told"),
    [("apps.strategies.session_file", "StoreOutage"), ("apps.strategies.stock.session_file", "saved")],
)
def test_a_write_that_fails(settings: str, told: str, tmp_path: Path) -> None:
    environment = {
        "PATH": os.defpath,
        "DJANGO_SETTINGS_MODULE": settings,
        "AUTHBENCH_STRATEGY": "session-file",
        "AUTHBENCH_SECRET_KEY": "k" * 50,
        "AUTHBENCH_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d",
        "AUTHBENCH_SESSION_DIR": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == [told, told, "first"], ran.stderr
