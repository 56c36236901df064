"""Data beside the login's own, which every request carries or loads: what the scenario `payload` varies.

Applications keep more with a login than who it is (a basket, a tenant, feature flags). Text stands for it: as many
bytes as AUTHBENCH_PAYLOAD_BYTES says, different for every user and the same at every login. It is drawn evenly from all
printable ASCII that JSON leaves as it is, so that deflate, which Django's signing applies where it helps, saves the
least that it can of any ASCII text (a sixth); what applications keep mostly shrinks more.
"""

import hashlib
from collections.abc import Mapping

from apps.shop.environment import number

MEMBER = "data"
BYTES = number("AUTHBENCH_PAYLOAD_BYTES", 0)
_PLAIN = bytes(code for code in range(0x20, 0x7F) if chr(code) not in '"\\')
_TO_PLAIN = bytes(_PLAIN[byte % len(_PLAIN)] for byte in range(256))


def payload(user_id: int, size: int | None = None) -> Mapping[str, str]:
    """The member that the login's session data, claims or state gain; empty for a size of 0.

    `size`: bytes, characters at the same time; None: as many as this process was told.
    """
    size = BYTES if size is None else size
    return {MEMBER: text(user_id, size)} if size else {}


def text(user_id: int, size: int) -> str:
    """That many characters of this user's."""
    return hashlib.shake_256(f"payload of {user_id}".encode()).digest(size).translate(_TO_PLAIN).decode("ascii")
