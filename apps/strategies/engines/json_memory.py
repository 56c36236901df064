"""Django's cache in the process's memory, with values kept as JSON, as the shop's other cache keeps them."""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from apps.shop.cache_values import JsonValues


class JsonMemory(LocMemCache):
    """LocMemCache in all but what it keeps: it would pickle values, and cannot be told otherwise."""

    _values = JsonValues()

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keeps the value where there is none; whether it did."""
        key = self.make_and_validate_key(key, version=version)
        kept = self._values.dumps(value)
        with self._lock:
            if not self._has_expired(key):
                return False
            self._set(key, kept, timeout)
            return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """The value, lists for tuples; `default` where there is none."""
        key = self.make_and_validate_key(key, version=version)
        with self._lock:
            if self._has_expired(key):
                self._delete(key)
                return default
            kept = self._cache[key]
            self._cache.move_to_end(key, last=False)
        return self._values.loads(kept)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Keeps the value in place of any before it."""
        key = self.make_and_validate_key(key, version=version)
        kept = self._values.dumps(value)
        with self._lock:
            self._set(key, kept, timeout)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """The number that is kept from now on. Raises ValueError where there is none."""
        key = self.make_and_validate_key(key, version=version)
        with self._lock:
            if self._has_expired(key):
                self._delete(key)
                raise ValueError(f"Key '{key}' not found")
            value: int = self._values.loads(self._cache[key]) + delta
            self._cache[key] = self._values.dumps(value)
            self._cache.move_to_end(key, last=False)
        return value
