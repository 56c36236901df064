"""`manage.py forge`: signs what it is given with the strategy's real key, so that claims alone decide about a token."""

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.contract.endpoints import to_json
from apps.strategies._authenticator import authenticator


class Command(BaseCommand):
    """Reads a JSON list of texts `header.payload`, each part as it will stand in the token; writes one JSON object.

    `tokens`: the texts with their signatures, in the same order. `public_key`: PEM, empty for a shared secret.
    """

    help = "Signs odd tokens for `authbench verify --security`: forge --out FILE < texts.json"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where from, and where to."""
        parser.add_argument("--texts", type=Path, help="Default: standard input.")
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *_: Any, texts: Path | None, out: Path, **__: Any) -> None:
        """Replaces the file, which only its owner can read."""
        key = getattr(authenticator(), "forging_key", None)
        if key is None:
            raise CommandError("this strategy's authenticator has no `forging_key`")
        # Imported here: a strategy without JWT may live where PyJWT is not.
        from apps.strategies._forging import public_pem, signed_text  # noqa: PLC0415

        algorithm, secret = key()
        given = json.loads(texts.read_bytes() if texts else sys.stdin.buffer.read())
        answer = {
            "algorithm": algorithm,
            "public_key": public_pem(secret),
            "tokens": [signed_text(algorithm, secret, text) for text in given],
        }
        out.unlink(missing_ok=True)
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(to_json(answer))
