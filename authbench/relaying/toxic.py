"""What a route does to the data that passes, beside the distance. Names and meanings are Toxiproxy's.

As documented in https://github.com/Shopify/toxiproxy#toxics and, where that is silent, as its `toxics/*.go` do it:

- `latency`: everything that comes that way is later by `latency` ± `jitter`; the order is kept.
- `bandwidth`: each connection passes at most `rate` KB (1,000 bytes) a second that way, in pieces of a tenth of one.
- `timeout`: what comes that way is dropped; `timeout` after the toxic or the connection began, whichever is later, the
  connection is closed; 0: it stays open. When the toxic goes, so do the connections that it held.
- `reset_peer`: the first data that comes that way is dropped, and `timeout` later both ends are told by a reset.
- `down`: nobody listens any more, and open connections are closed.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal["latency", "bandwidth", "reset_peer", "timeout", "down"]
Stream = Literal["downstream", "upstream"]  # what the store answers, or what it is sent
KINDS: tuple[Kind, ...] = get_args(Kind)
NS_PER_MS = 1_000_000
PIECES_PER_S = 10
BYTES_PER_KB = 1000


@dataclass(frozen=True, slots=True)
class Toxic:
    """One toxic; parameters that its kind does not take are 0."""

    kind: Kind
    upstream: bool = False
    latency_ns: int = 0
    jitter_ns: int = 0
    bytes_per_s: float = 0.0
    timeout_ns: int = 0

    @classmethod
    def told(cls, word: Mapping[str, Any]) -> "Toxic":
        """From milliseconds and KB/s. Raises ValueError for a kind, a way or a figure that is none."""
        kind, stream = word.get("kind"), word.get("stream", "downstream")
        if kind not in KINDS or stream not in get_args(Stream):
            raise ValueError(f"no toxic {kind!r} {stream!r}")
        figures = {name: word.get(name, 0) for name in ("latency_ms", "jitter_ms", "rate_kbps", "timeout_ms")}
        for name, value in figures.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
                raise ValueError(f"{name} = {value!r} is no figure from 0 up")
        if kind == "bandwidth" and not figures["rate_kbps"]:
            raise ValueError("bandwidth needs rate_kbps")
        return cls(
            kind,
            stream == "upstream",
            round(figures["latency_ms"] * NS_PER_MS),
            round(figures["jitter_ms"] * NS_PER_MS),
            figures["rate_kbps"] * BYTES_PER_KB,
            round(figures["timeout_ms"] * NS_PER_MS),
        )

    def delay_ns(self, draw: random.Random) -> int:
        """How much later the next data is: drawn within latency ± jitter, never negative."""
        if not self.jitter_ns:
            return self.latency_ns
        return max(0, self.latency_ns + draw.randint(-self.jitter_ns, self.jitter_ns))

    def pieces(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """The data in pieces of at most a tenth of a second's worth, and how long each takes in nanoseconds."""
        most = max(1, int(self.bytes_per_s / PIECES_PER_S))
        for start in range(0, len(data), most):
            piece = data[start : start + most]
            yield piece, round(len(piece) / self.bytes_per_s * 1_000_000_000)
