"""A bounded cache of introspection answers in one process. No clock: callers say what time it is."""

import threading

from apps.strategies._opaque import Login


class KeptAnswers:
    """At most `size` logins by their tokens' digests, each for `lifetime_s` from when it was put in; 0 keeps none.

    The oldest gives way to a new one: all live equally long, so it is the one that would end first.
    """

    def __init__(self, lifetime_s: float, size: int) -> None:
        self._lifetime_s = lifetime_s
        self._size = size
        self._kept: dict[bytes, tuple[float, Login]] = {}  # in the order of their ends, but for slow answers
        self._lock = threading.Lock()

    def get(self, digest: bytes, monotonic: float, now: float) -> Login | None:
        """The login, if its answer is young enough and its token has not expired; `now` is in Unix seconds."""
        end, login = self._kept.get(digest, (0.0, None))
        return login if login and monotonic < end and now < login.expires else None

    def put(self, login: Login, monotonic: float) -> None:
        """In place of what is known of that token."""
        with self._lock:
            self._kept.pop(login.digest, None)
            self._kept[login.digest] = (monotonic + self._lifetime_s, login)
            if len(self._kept) > self._size:
                del self._kept[next(iter(self._kept))]

    def drop(self, digest: bytes) -> None:
        """Forgets it."""
        with self._lock:
            self._kept.pop(digest, None)

    def __len__(self) -> int:
        return len(self._kept)
