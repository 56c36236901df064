"""How the parts of a stack are reached, and what its stores are called, once it has been laid out."""

from pathlib import Path

from authbench.backends.shop import Keys, Serving
from authbench.backends.stocked import Stocked
from authbench.deployment import Deployment
from authbench.errors import StackError
from authbench.stack.databases import database_of
from authbench.stack.ports import LOOPBACK
from authbench.stack.relay import Relay
from authbench.stack.replicas import Application, auth_service_name, replica_name
from authbench.stack.vault import Vault


class Addressed(Stocked):
    """A stack whose strategies, replicas and services have their addresses."""

    deployment: Deployment
    _keys: Keys
    _serving: Serving
    _sites: dict[str, int]  # strategy -> its port at the load balancer
    _ports: dict[str, int]  # replica -> its port, the same at every launch
    _auth_ports: dict[str, int]  # strategy -> port of its auth service, where it has one

    # Strategies and replicas

    @property
    def replicas(self) -> int:
        """Of each strategy: those running, or, before that, those planned."""
        return self.deployment.replicas

    def url(self, strategy: str) -> str:
        """The strategy's origin at the load balancer."""
        return f"http://{LOOPBACK}:{self._sites[strategy]}"

    def replica_urls(self, strategy: str) -> list[str]:
        """Its running replicas, past the load balancer, in the order of their numbers."""
        names = (replica_name(strategy, number) for number in range(1, self.replicas + 1))
        return [f"http://{LOOPBACK}:{self._ports[name]}" for name in names if name in self._ports]

    def replica_names(self, strategy: str) -> list[str]:
        """Names of its running replicas, as `X-Replica`, `application_name` and the tiers know them."""
        return [replica_name(strategy, number) for number in range(1, self.replicas + 1)]

    def auth_service_of(self, strategy: str) -> str | None:
        """Name of the auth service beside its replicas; None where it has none."""
        return auth_service_name(strategy) if strategy in self._auth_ports else None

    def auth_url(self, strategy: str) -> str | None:
        """Where that service answers; None where there is none."""
        return self._shop.auth_url(strategy) if strategy in self._auth_ports else None

    def dsn(self, strategy: str) -> str:
        """The strategy's own database, as its replicas reach it."""
        return self.parts.databases.dsn(database_of(strategy))

    def keep_commits(self, strategy: str, *, keep: bool = True) -> None:
        """Whether replicas started from now on lose no acknowledged commit where PostgreSQL is killed; usually they do.

        See `Databases.keep_commits`.
        """
        self.parts.databases.keep_commits(database_of(strategy), keep=keep)

    @property
    def user_password(self) -> str:
        """The password of every seeded user."""
        return self._keys.user_password

    # Stores and what stands before them

    def cache_database(self, strategy: str) -> int:
        """Number of the strategy's own database in the cache."""
        return self._shop.cache_database(strategy)

    def session_folder(self, strategy: str) -> Path:
        """Where replicas that share session files keep them."""
        return self._shop.sessions(strategy)

    @property
    def vault(self) -> Vault:
        """What OpenBao keeps for the strategies. Raises StackError where the stack was not given one."""
        if self.parts.vault is None:
            raise StackError("the stack has no OpenBao; give it Needs(openbao=True)")
        return self.parts.vault

    @property
    def relay(self) -> Relay | None:
        """What stands between replicas and stores; None where replicas reach these directly."""
        return self._shop.relay

    # Processes of an experiment's own

    def application(self, variant: str) -> Application:
        """What every process of the variant is told, for whoever starts others than its replicas."""
        return self._shop.application(self.variants[variant])
