"""Checking a password against what Django keeps: `pbkdf2_sha256$iterations$salt$hash`, the hash in base64."""

import base64
import hashlib
import hmac

ALGORITHM = "pbkdf2_sha256"
ITERATIONS = 1_000_000  # of Django 5.2's hasher
NOBODY = (ITERATIONS, "nobody", "")  # no digest is empty


def is_right(password: str, kept: str | None) -> bool:
    """Whether the password is the one that was kept; None: there is no such user.

    Takes ITERATIONS of work whatever is wrong, so that the time does not tell which users there are. A hash by another
    algorithm fits no password; one with fewer iterations is not renewed.
    """
    iterations, salt, wanted = _parts(kept or "") or NOBODY
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), iterations)
    right = hmac.compare_digest(base64.b64encode(digest), wanted.encode())
    if not right and iterations < ITERATIONS:
        hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ITERATIONS - iterations)
    return right


def _parts(kept: str) -> tuple[int, str, str] | None:
    algorithm, *rest = kept.split("$")
    if algorithm != ALGORITHM or len(rest) != 3 or not (rest[0].isascii() and rest[0].isdigit()):
        return None
    return max(1, int(rest[0])), rest[1], rest[2]
