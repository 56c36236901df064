"""Logins that a central service knows: each request asks it whose the token is, or a bounded cache of its answers."""

from time import monotonic, time

from django.conf import settings
from django.http import HttpRequest

from apps.contract.endpoints import ENDPOINTS, RENEWING
from apps.strategies._bearer import bearer_token
from apps.strategies._introspection_client import IntrospectionClient, caller_of
from apps.strategies._kept_answers import KeptAnswers
from apps.strategies._opaque import Login, digest_of
from apps.strategies._opaque_login import OpaqueLogin

# Whether a login may be renewed or ended is never decided by an answer that may be old.
ALWAYS_ASKED = frozenset(ENDPOINTS[name].path for name in RENEWING)


class Introspected(OpaqueLogin):
    """The service is asked at every request."""

    def __init__(self) -> None:
        super().__init__()
        self._client = IntrospectionClient(settings.AUTH_URL, settings.SERVICE_SECRET)

    def recognise(self, request: HttpRequest) -> Login | None:
        """What the service says. Text that cannot be a token is not worth a call."""
        token = bearer_token(request)
        digest = digest_of(token)
        return self._ask(token, digest) if digest else None

    def is_ready(self) -> bool:
        """Whether the service is."""
        return self._client.is_ready()

    def _ask(self, token: str, digest: bytes) -> Login | None:
        answer = self._client.introspect(token)
        if answer is None:
            return None
        return Login(digest, caller_of(answer), answer["auth_time"], answer["iat"], answer["exp"])


class IntrospectedCached(Introspected):
    """What the service said of an active token holds for some seconds in this process, and never beyond `exp`."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = KeptAnswers(settings.INTROSPECTION_CACHE_S, settings.INTROSPECTION_CACHE_SIZE)

    def recognise(self, request: HttpRequest) -> Login | None:
        """The kept answer, or a new one. Refusals are not kept: a token may be asked about before its row is seen."""
        token = bearer_token(request)
        digest = digest_of(token)
        if digest is None:
            return None
        asked = monotonic()
        login = None if request.path in ALWAYS_ASKED else self._kept.get(digest, asked, time())
        if login is None and (login := self._ask(token, digest)):
            self._kept.put(login, asked)  # however late the answer came, it was true only then
        return login

    def began(self, login: Login) -> None:
        """This process knows the answer already."""
        self._kept.put(login, monotonic())

    def ended(self, login: Login) -> None:
        """Other processes find out when their answers are too old."""
        self._kept.drop(login.digest)
