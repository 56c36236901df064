"""The keys of one rotation: the old one, that the stack was started with, and a new one; how replicas are told."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authbench.backends.shop import SIGNING_KEYS, Keys
from authbench.errors import StackError
from authbench.experiments.rotation.plan import Family
from authbench.experiments.rotation.steps import Key, Step

VARIABLES: Mapping[Family, str] = {"hs256": "AUTHBENCH_JWT_KEY", "secret key": "AUTHBENCH_SECRET_KEY"}


@dataclass(frozen=True, slots=True)
class SharedKeys:
    """A secret that every replica is told: it takes a fresh process to change it."""

    variable: str
    texts: Mapping[Key, str] = field(repr=False)

    @classmethod
    def drawn(cls, family: Family, environment: Mapping[str, str]) -> "SharedKeys":
        """The stack's own, and a new one. Raises StackError where the stack has told none."""
        variable = VARIABLES[family]
        if not (old := environment.get(variable)):
            raise StackError(f"{variable}: the stack has not told its replicas which key to begin with")
        new = base64.urlsafe_b64encode(secrets.token_bytes(48)).decode().rstrip("=")
        return cls(variable, {"old": old, "new": new})

    def told(self, step: Step) -> dict[str, str]:
        """What a replica that has taken the step is told."""
        further = [self.texts[key] for key in step.accepts if key != step.signs]
        fallbacks = {f"{self.variable}_FALLBACKS": ",".join(further)} if further else {}
        return {self.variable: self.texts[step.signs], **fallbacks}


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """The file of signing keys, replaced as a whole: replicas sign with it and the JWKS endpoint publishes it."""

    path: Path
    jwks: Mapping[Key, Mapping[str, Any]] = field(repr=False)

    @classmethod
    def drawn(cls, folder: Path) -> "PublishedKeys":
        """The key of the stack's file, and a new one. Raises StackError where there is no such file."""
        path = folder / SIGNING_KEYS
        try:
            old = json.loads(path.read_text(encoding="utf-8"))["keys"][0]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise StackError(f"{path}: no file of signing keys ({type(error).__name__})") from None
        return cls(path, {"old": old, "new": json.loads(Keys().signing_keys())["keys"][0]})

    def write(self, step: Step) -> None:
        """Replaces the file, readable by its owner only. Raises StackError."""
        keys = [self.jwks[key] for key in dict.fromkeys((step.signs, *step.accepts))]
        beside = self.path.with_suffix(".new")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump({"signing": self.jwks[step.signs]["kid"], "keys": keys}, file)
            beside.replace(self.path)
        except OSError as error:
            raise StackError(f"{self.path}: cannot be written ({error.strerror})") from None
