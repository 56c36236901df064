"""How values are written to the cache: as JSON, never pickled.

Whoever can write to a cache of pickles can run code in every replica that reads it.
"""

import json
from typing import Any


class JsonValues:
    """The serializer that `CACHES["default"]["OPTIONS"]["serializer"]` names."""

    def dumps(self, value: Any) -> bytes:
        """UTF-8 JSON; a whole number stays plain digits, so the cache can increment it."""
        return json.dumps(value, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        """The value that `dumps` was given, lists for tuples."""
        return json.loads(data)
