"""What can go wrong, by the exit code a user sees (DESIGN.md: Commands)."""


class AuthbenchError(Exception):
    """An error with one clear line for a person: what, where, what to do.

    `exit_code` is the process's exit status; no traceback is shown for it.
    """

    exit_code = 1


class UsageError(AuthbenchError):
    """Wrong usage or input: exit 2. The message names file, key and the nearest right name."""

    exit_code = 2


class InvalidRunError(AuthbenchError):
    """Measured, but nothing that may be ranked: exit 3."""

    exit_code = 3


class StackError(AuthbenchError):
    """A part of the stack failed: exit 4. Carries the last lines of that part's log."""

    exit_code = 4

    def __init__(self, message: str, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail


class InterruptedRunError(AuthbenchError):
    """Ended by ^C or a signal, with what was measured kept: exit 130."""

    exit_code = 130
