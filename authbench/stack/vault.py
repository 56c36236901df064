"""What stands in a running OpenBao: a document and a role a strategy, a signing key where it has one, least privilege.

Every method raises StackError with one line, which holds no secret, where OpenBao does not do as it is asked.
"""

import base64
import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import hvac
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from hvac.exceptions import VaultError

from authbench.errors import StackError
from authbench.stack.openbao import NAME, OpenBao

PATIENCE_S = 5.0
MAKING_S = 60.0  # OpenBao makes an RSA key of 4096 bits before the first import: a second, or several on a busy machine
DOCUMENTS, KEYS = "secret", "transit"  # where the two engines are mounted
KEY_TYPES: Mapping[str, str] = {"RS256": "rsa-2048", "ES256": "ecdsa-p256", "EdDSA": "ed25519"}
READING_TOKEN_S = 60  # of a replica that reads at its start and gives the token back
SIGNING_TOKEN_S = 600  # of one that signs: lives so long without a renewal, so an outage may last
# Of its own accord it does others, such as a `rollback` a minute.
_CALLS = re.compile(
    r"vault_route_(create|read|update|delete|list)_(secret|transit|auth_approle|auth_token|sys)__count (\d+)"
)


@dataclass(frozen=True, slots=True)
class Role:
    """How the replicas of one strategy log in; none of it is a secret."""

    role_id: str
    secrets: str  # path of its document
    signing_key: str  # path of its key; empty where it signs with none

    def environment(self, url: str) -> dict[str, str]:
        """What its replicas are told."""
        told = {"ADDR": url, "ROLE_ID": self.role_id, "SECRETS": self.secrets, "SIGNING_KEY": self.signing_key}
        return {f"AUTHBENCH_VAULT_{name}": value for name, value in told.items() if value}


@dataclass(slots=True)
class _Kept:
    told: dict[str, str] = field(default_factory=dict, repr=False)  # by the stack
    written: dict[str, str] = field(default_factory=dict, repr=False)  # over it, by whoever rotates
    document: dict[str, str] | None = field(default=None, repr=False)  # the newest version


class Vault:
    """A running OpenBao and the bench's own access to it, the only one that may do everything."""

    def __init__(self, server: OpenBao) -> None:
        self.server = server
        session = requests.Session()
        session.trust_env = False  # no proxy, no .netrc
        self._client = hvac.Client(
            server.url, token="", session=session, timeout=PATIENCE_S, allow_redirects=False, namespace=""
        )
        self._unseal_key = ""
        self._kept: dict[str, _Kept] = {}
        self._roles: dict[str, Role] = {}

    def open(self) -> None:
        """Initialises and unseals it, and mounts what is needed; key and root token stay in this process."""
        with self._asking("set it up"):
            made = self._client.sys.initialize(secret_shares=1, secret_threshold=1)
            self._unseal_key, self._client.token = made["keys"][0], made["root_token"]
            self._client.sys.submit_unseal_key(self._unseal_key)
            self._client.sys.enable_secrets_engine("kv", DOCUMENTS, options={"version": "2"})
            self._client.sys.enable_secrets_engine("transit", KEYS)
            self._client.sys.enable_auth_method("approle")

    def close(self) -> None:
        """Ends the bench's connections to it."""
        self._client.adapter.close()

    # Strategies

    def admit(
        self, name: str, algorithm: str = "", private_key: str = "", *, shows: str = "", token_s: float | None = None
    ) -> Role:
        """A role that may read its own document, sign with its own key, and nothing else; again: anew.

        `private_key` (PEM) is imported under `algorithm`; from then on nothing gives it out. `shows`: the strategy
        whose public keys it may read instead. `token_s`: how long its tokens live, after each renewal if it has a key.
        """
        rules = [f'path "{DOCUMENTS}/data/{name}" {{ capabilities = ["read"] }}']
        key = name if algorithm else shows
        if algorithm:
            rules.append(f'path "{KEYS}/sign/{name}" {{ capabilities = ["update"] }}')
            if name not in self._roles:
                self._import(name, algorithm, private_key)
        if key:
            rules.append(f'path "{KEYS}/keys/{key}" {{ capabilities = ["read"] }}')
        its_own = "renew-self" if key else "revoke-self"  # without a key the token is given back after reading
        rules.append(f'path "auth/token/{its_own}" {{ capabilities = ["update"] }}')
        lifetime = {"token_period": f"{token_s or SIGNING_TOKEN_S}s"} if key else {}
        with self._asking(f"make the role of {name}"):
            self._client.sys.create_or_update_policy(name, "\n".join(rules))
            self._client.auth.approle.create_or_update_approle(
                name,
                token_policies=[name],
                token_no_default_policy=True,
                token_ttl=f"{token_s or READING_TOKEN_S}s",
                token_max_ttl=None if key else f"{token_s or READING_TOKEN_S}s",
                secret_id_num_uses=1,
                **lifetime,
            )
            role_id = self._client.auth.approle.read_role_id(name)["data"]["role_id"]
        self._roles[name] = Role(role_id, f"{DOCUMENTS}/data/{name}", f"{KEYS}/{key}" if key else "")
        return self._roles[name]

    def role(self, name: str) -> Role:
        """That of a strategy which was admitted."""
        return self._roles[name]

    def hand_over(self, name: str, within_s: float) -> bytes:
        """What a replica finds on standard input: a secret_id for one login, wrapped, to be unwrapped once and soon."""
        with self._asking(f"make a secret_id for {name}"):
            answer = self._client.write_data(
                f"auth/approle/role/{name}/secret-id",
                data={"ttl": f"{within_s:.0f}s", "num_uses": 1},
                wrap_ttl=f"{within_s:.0f}s",
            )
            return str(answer["wrap_info"]["token"]).encode()

    # Documents

    def tell(self, name: str, secrets: Mapping[str, str]) -> None:
        """What the strategy's replicas are to know, under what was written; a new version where anything differs."""
        kept = self._kept.setdefault(name, _Kept())
        kept.told = dict(secrets)
        self._put(name, kept)

    def write(self, strategy: str, values: Mapping[str, str]) -> None:
        """A new version of the document, with these over what the stack tells; replicas read it at their start."""
        kept = self._kept.setdefault(strategy, _Kept())
        kept.written |= values
        self._put(strategy, kept)

    def restore(self, strategy: str) -> None:
        """Takes back all that was written over what the stack says."""
        kept = self._kept.setdefault(strategy, _Kept())
        kept.written = {}
        self._put(strategy, kept)

    def version(self, strategy: str) -> int:
        """Number of the document's newest version."""
        with self._asking(f"read the document of {strategy}"):
            metadata = self._client.secrets.kv.v2.read_secret_metadata(strategy, mount_point=DOCUMENTS)
            return int(metadata["data"]["current_version"])

    # Keys

    def rotate_transit(self, strategy: str) -> int:
        """A new version of the strategy's key, made in OpenBao; its number. Replicas know it from their next start."""
        with self._asking(f"rotate the key of {strategy}"):
            self._client.secrets.transit.rotate_key(strategy, mount_point=KEYS)
            return int(self._client.secrets.transit.read_key(strategy, mount_point=KEYS)["data"]["latest_version"])

    def retire_transit(self, strategy: str, before: int) -> None:
        """Versions before that one are neither signed with nor shown; replicas know it from their next start."""
        with self._asking(f"retire keys of {strategy}"):
            oldest = {"min_decryption_version": before, "min_encryption_version": before}
            self._client.write_data(f"{KEYS}/keys/{strategy}/config", data=oldest)

    # State

    def seal(self) -> None:
        """From now on it answers nothing but that it is sealed."""
        with self._asking("seal it"):
            self._client.sys.seal()

    def unseal(self) -> None:
        """Opens it again; what it kept is as it was, and so are tokens."""
        with self._asking("unseal it"):
            self._client.sys.submit_unseal_key(self._unseal_key)

    def revoke_tokens(self) -> None:
        """Ends every token that a role's processes hold, as its time would where it was not renewed."""
        with self._asking("revoke tokens"):
            self._client.sys.revoke_prefix("auth/approle/login")

    def calls(self) -> dict[str, int]:
        """Calls that it has served so far, by operation and engine (`update transit`), as it counts them itself."""
        with self._asking("read its counts"):
            answer = self._client.adapter.get("/v1/sys/metrics", params={"format": "prometheus"})
            text = answer.text if isinstance(answer, requests.Response) else ""
            return {f"{verb} {engine}": int(count) for verb, engine, count in _CALLS.findall(text)}

    def secrets(self) -> list[str]:
        """Everything that nobody else may know, for tests that look for it."""
        values = [value for kept in self._kept.values() for value in (kept.document or {}).values()]
        return [self._unseal_key, str(self._client.token), *dict.fromkeys(values)]

    def _put(self, name: str, kept: _Kept) -> None:
        document = {**kept.told, **kept.written}
        if document == kept.document:
            return
        with self._asking(f"write the document of {name}"):
            self._client.secrets.kv.v2.create_or_update_secret(name, document, mount_point=DOCUMENTS)
        kept.document = document

    def _import(self, name: str, algorithm: str, pem: str) -> None:
        """Puts the key there, wrapped for OpenBao alone (its "bring your own key")."""
        with self._asking(f"import the key of {name}"):
            wrapping = load_pem_public_key(self._wrapping_key().encode())
            assert isinstance(wrapping, RSAPublicKey)
            key = load_pem_private_key(pem.encode(), None)
            private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            once = os.urandom(32)
            wrapped = wrapping.encrypt(once, OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None))
            self._client.write_data(
                f"{KEYS}/keys/{name}/import",
                data={
                    "ciphertext": base64.b64encode(wrapped + aes_key_wrap_with_padding(once, private)).decode(),
                    "type": KEY_TYPES[algorithm],
                    "hash_function": "SHA256",
                    "exportable": False,
                    "allow_plaintext_backup": False,
                    "allow_rotation": True,
                },
            )

    def _wrapping_key(self) -> str:
        answer = self._client.adapter.get(f"/v1/{KEYS}/wrapping_key", timeout=MAKING_S)
        return str(answer["data"]["public_key"])

    @contextlib.contextmanager
    def _asking(self, to: str) -> Iterator[None]:
        try:
            yield
        except (VaultError, requests.RequestException) as error:
            said: Any = getattr(error, "errors", None)
            reason = "; ".join(map(str, said)) if said else type(error).__name__
            raise StackError(f"{NAME}: cannot {to} at {self.server.url}: {reason}") from None
