"""Whether an answer is right: one verdict an answer, and the kind of failure for people and rules.

The kind `wrong-user` is read by the bench's validity rules: an answer that carries somebody else's identity.
"""

import errno

from apps.contract.endpoints import names_caller
from loadtests.prepared import Expected

OK, REFUSED, FAILED, UNKNOWN = range(4)
OUTCOME_BITS = 2
WRONG_USER = "wrong-user"
WRONG_BODY = "wrong body"
TIMEOUT = "timeout"
MALFORMED = "malformed answer"
CLOSED = "closed without an answer"
NEVER_SENT = "never sent: no free connection in time"

_NAMES_SOMEBODY = names_caller("").rstrip(b'"')


def judge(request: Expected, status: int, body: bytes) -> int:
    """OK, REFUSED (401 or 403 came instead of what was expected) or FAILED."""
    if (
        status == request.status
        and (request.exact is None or body == request.exact)
        and (request.contains is None or request.contains in body)
    ):
        return OK
    return REFUSED if status in {401, 403} and status != request.status else FAILED


def kind(request: Expected, status: int, body: bytes) -> str:
    """What is wrong with an answer that is not OK."""
    if status != request.status:
        return f"status {status}"
    if _NAMES_SOMEBODY in body and request.contains not in (None, b"") and (request.contains or b"") not in body:
        return WRONG_USER
    return WRONG_BODY


def loss(error: OSError) -> str:
    """What a failed socket call means for the request."""
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "reset"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
