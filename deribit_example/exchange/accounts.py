"""Who may do what: credentials, tokens with a lifetime and a scope, sessions by name."""

import hashlib
import hmac
from decimal import Decimal
from random import Random
from typing import final

from attrs import evolve, field, frozen

from deribit_example.exchange.errors import RpcError, unauthorized
from deribit_example.exchange.wire import Json

MAX_SESSIONS = 16
DEFAULT_GRANTS = ("account:read_write", "block_trade:read_write", "trade:read_write", "wallet:read_write")


def _default_equity() -> dict[str, Decimal]:
    return {"BTC": Decimal(10), "ETH": Decimal(200), "USDC": Decimal(500_000)}


@frozen(kw_only=True)
class Account:
    """One sub-account and its only key."""

    client_id: str = "simKey01"
    client_secret: str = field(default="simSecret01", repr=False)
    user_id: int = 4242
    equity: dict[str, Decimal] = field(factory=_default_equity)


@frozen(kw_only=True)
class Grant:
    """A pair of tokens; `connection_id` is set when they die with their socket."""

    account: Account
    access_token: str
    refresh_token: str
    scopes: tuple[str, ...]
    expires_at_micros: int
    connection_id: int | None
    session_name: str | None
    revoked: bool = False

    def allows(self, area: str, *, write: bool) -> bool:
        """Whether the scope covers reading or writing an area such as `trade`."""
        return f"{area}:read_write" in self.scopes or (not write and f"{area}:read" in self.scopes)

    def as_json(self, expires_in_seconds: int) -> dict[str, Json]:
        """The result of `public/auth`."""
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "expires_in": expires_in_seconds,
            "scope": " ".join(sorted(self.scopes)),
            "token_type": "bearer",
            "enabled_features": [],
        }


@final
class TokenStore:
    """Issues and checks tokens; times are microseconds of the exchange's clock."""

    def __init__(self, accounts: tuple[Account, ...], *, expires_in_seconds: int, seed: int) -> None:
        self._accounts = {account.client_id: account for account in accounts}
        self._random = Random(f"tokens-{seed}")
        self._by_access: dict[str, Grant] = {}
        self._by_refresh: dict[str, Grant] = {}
        self._sessions: dict[tuple[str, str], str] = {}
        self.expires_in_seconds = expires_in_seconds

    def by_credentials(self, client_id: str, client_secret: str) -> Account:
        """The account of a key; raises RpcError 13004."""
        account = self._accounts.get(client_id)
        if account is None or not hmac.compare_digest(account.client_secret.encode(), client_secret.encode()):
            raise RpcError(13004)
        return account

    def by_signature(self, client_id: str, signature: str, *, timestamp: int, nonce: str, data: str) -> Account:
        """The account whose secret signed `timestamp`, `nonce` and `data`; raises RpcError 13004."""
        account = self._accounts.get(client_id)
        if account is None:
            raise RpcError(13004)
        text = f"{timestamp}\n{nonce}\n{data}".encode()
        expected = hmac.new(account.client_secret.encode(), text, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise RpcError(13004)
        return account

    def issue(self, account: Account, requested: str, *, connection_id: int, now_micros: int) -> Grant:
        """New tokens for a scope text such as `session:name trade:read_write expires:60`."""
        words = requested.split()
        names = [word.removeprefix("session:") for word in words if word.startswith("session:")]
        wishes = tuple(
            word for word in words if word.partition(":")[0] in {"trade", "account", "wallet", "block_trade"}
        )
        lifetimes = [int(word[8:]) for word in words if word.startswith("expires:") and word[8:].isdigit()]
        lifetime = min([self.expires_in_seconds, *lifetimes])
        session_name = names[0] if names else None
        return self._store(
            Grant(
                account=account,
                access_token=self._token("1A"),
                refresh_token=self._token("1R"),
                scopes=((f"session:{session_name}",) if session_name else ("connection",)) + (wishes or DEFAULT_GRANTS),
                expires_at_micros=now_micros + lifetime * 1_000_000,
                connection_id=None if session_name else connection_id,
                session_name=session_name,
            )
        )

    def refresh(self, refresh_token: str, *, connection_id: int, now_micros: int) -> Grant:
        """Trade a refresh token for new tokens of the same scope; raises RpcError 13009."""
        old = self._by_refresh.get(refresh_token)
        if old is None or old.revoked or old.connection_id not in (None, connection_id):
            raise unauthorized("invalid_refresh_token")
        self.revoke(old)
        return self._store(
            evolve(
                old,
                access_token=self._token("1A"),
                refresh_token=self._token("1R"),
                expires_at_micros=now_micros + self.expires_in_seconds * 1_000_000,
                revoked=False,
            )
        )

    def check(self, access_token: str, *, connection_id: int, now_micros: int) -> Grant:
        """The grant behind a token; raises RpcError 13009 when expired, revoked or of another connection."""
        grant = self._by_access.get(access_token)
        if grant is None or grant.revoked or grant.connection_id not in (None, connection_id):
            raise unauthorized()
        if now_micros >= grant.expires_at_micros:
            raise unauthorized("token_expired")
        return grant

    def expire_all(self, user_id: int | None = None) -> None:
        """Let every access token run out now; refresh tokens stay good."""
        for token, grant in list(self._by_access.items()):
            if user_id in (None, grant.account.user_id):
                self._by_access[token] = evolve(grant, expires_at_micros=0)

    def revoke(self, grant: Grant) -> None:
        """Make both tokens of a grant worthless."""
        dead = evolve(grant, revoked=True)
        self._by_access[grant.access_token] = dead
        self._by_refresh[grant.refresh_token] = dead

    def end_connection(self, connection_id: int) -> None:
        """Forget the tokens that lived on a connection that is gone."""
        for grant in [g for g in self._by_access.values() if g.connection_id == connection_id]:
            del self._by_access[grant.access_token]
            del self._by_refresh[grant.refresh_token]

    def _store(self, grant: Grant) -> Grant:
        self._by_access[grant.access_token] = grant
        self._by_refresh[grant.refresh_token] = grant
        if grant.session_name is not None:
            key = (grant.account.client_id, grant.session_name)
            self._sessions.pop(key, None)
            self._sessions[key] = grant.access_token
            mine = [entry for entry in self._sessions if entry[0] == grant.account.client_id]
            if len(mine) > MAX_SESSIONS:
                self.revoke(self._by_access[self._sessions.pop(mine[0])])
        return grant

    def _token(self, kind: str) -> str:
        return f"{self._random.getrandbits(40)}.{kind}.{self._random.getrandbits(64):016x}"
