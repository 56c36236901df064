"""How many requests a strategy's auth service has answered, as the service itself counts them."""

import http.client
import json
from urllib.parse import urlsplit

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError

TIMEOUT_S = 5.0


class AuthProbe:
    """Asks `/calls`, which the service does not count."""

    def __init__(self, stack: EmbeddedStack) -> None:
        self._stack = stack
        self._strategy = ""
        self._before = 0

    def before(self, strategy: str) -> None:
        """Starts to count. Raises StackError where the service does not answer."""
        self._strategy = strategy
        self._before = self.total(strategy)

    def after(self) -> int | None:
        """Calls since; None where the strategy has no auth service."""
        if self._stack.auth_url(self._strategy) is None:
            return None
        return self.total(self._strategy) - self._before

    def total(self, strategy: str) -> int:
        """Calls since the service was started; 0 where there is none."""
        url = self._stack.auth_url(strategy)
        if url is None:
            return 0
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_S)
        try:
            connection.request("GET", "/calls", headers={"Connection": "close"})
            answer = connection.getresponse()
            return int(json.loads(answer.read())["calls"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            self._stack.check()  # where it has died, its log says more
            raise StackError(f"{strategy}: its auth service does not tell its calls ({error})") from error
        finally:
            connection.close()
