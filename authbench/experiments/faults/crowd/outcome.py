"""One request of a crowd, from its place in the plan to how it ended."""

from dataclasses import dataclass

from authbench.conformance.outcome import Judged, Outcome


@dataclass(frozen=True, slots=True)
class Ended:
    """One request of the crowd, from its place in the plan to its end. Times in seconds since the load began."""

    identity: str  # X-Request-ID
    user: int  # the client's place in the crowd
    endpoint: str
    due_s: float  # when the plan wanted it sent
    sent_s: float
    ended_s: float
    judged: Judged
    status: int  # 0: there was no whole answer

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.judged.outcome
