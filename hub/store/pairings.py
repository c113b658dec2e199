"""How shops come to be connected: codes and hand-offs; and the proofs of buyers' addresses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hub.store import schema
from hub.store.merchants import shop_name, token_hash
from hub.store.records import HandOff, Pairing
from hub.store.session import Scope, Session


class PairingDoors:
    """Look-ups across all tenants, each by something that names one tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def code(self, code: str) -> Pairing | None:
        """A code that can still be used, whoever's it is."""
        now = self._session.clock.now()
        found = self._session.select(schema.PairingCode, code_hash=token_hash(code), used_at=None)
        row = next((one for one in found if one.expires_at > now), None)
        return None if row is None else Pairing(row.merchant_id, row.id, row.expires_at)

    def hand_off(self, nonce: str) -> HandOff | None:
        """The one of this nonce, unless its time is over."""
        now = self._session.clock.now()
        found = self._session.select(schema.HandOff, nonce_hash=token_hash(nonce))
        row = next((one for one in found if one.expires_at > now), None)
        return None if row is None else _hand_off(row)

    def taken(self, platform: str, account: str, merchant_id: str) -> bool:
        """Whether another merchant has this very shop, proven or made by the operator."""
        shop = shop_name(account)
        bonds = {
            bond.connection_id: bond
            for bond in self._session.select(schema.Bond, platform=platform, shop=shop)
        }
        for row in self._session.select(schema.Connection, platform=platform):
            if row.merchant_id == merchant_id or shop_name(row.account) != shop:
                continue
            bond = bonds.get(row.id)
            if bond is None or bond.state in {"connected", "manual"}:
                return True
        return False

    def forget_old(self) -> None:
        """Codes and hand-offs whose time is over, with the keys of those that nobody finished."""
        now = self._session.clock.now()
        over, long_over = (
            schema.HandOff.expires_at.db_value(at) for at in (now, now - timedelta(days=1))
        )
        self._session.sql("DELETE FROM hand_off WHERE expires_at < ?", over)
        self._session.sql("DELETE FROM pairing_code WHERE expires_at < ?", long_over)


class Pairings:
    """One merchant's codes and hand-offs."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def make(self, code: str, lasting: timedelta) -> Pairing:
        row_id, now = self._scope.clock.new_id(), self._scope.clock.now()
        self._scope.add(
            schema.PairingCode,
            id=row_id,
            code_hash=token_hash(code),
            created_at=now,
            expires_at=now + lasting,
            used_at=None,
        )
        return Pairing(self._scope.merchant_id, row_id, now + lasting)

    def use(self, pairing_id: str, *, begun: bool = False) -> bool:
        """True for the first caller only. `begun`: in time for what it is used for now."""
        code = schema.PairingCode
        now = self._scope.clock.now()
        unused = [code.id == pairing_id, code.used_at.is_null()]
        if not begun:
            unused.append(code.expires_at > now)
        return bool(self._scope.change(code, *unused, used_at=now))

    def begin(
        self,
        pairing_id: str,
        platform: str,
        account: str,
        *,
        nonce: str,
        browser: str,
        lasting: timedelta,
        known: Mapping[str, str] | None = None,
    ) -> HandOff:
        """A hand-off of keys by `account`, that only this nonce and this browser can finish.

        `known` is what belongs to the keys that are to come.
        """
        row_id, now = self._scope.clock.new_id(), self._scope.clock.now()
        sealed = None if known is None else self._scope.seal_json("hand_off.keys", row_id, known)
        self._scope.add(
            schema.HandOff,
            id=row_id,
            pairing_id=pairing_id,
            platform=platform,
            account=account,
            nonce_hash=token_hash(nonce),
            browser_hash=token_hash(browser),
            keys_sealed=sealed,
            state="open",
            created_at=now,
            expires_at=now + lasting,
        )
        return _hand_off(self._scope.get(schema.HandOff, nonce_hash=token_hash(nonce)))

    def fresh(self, hand_off: HandOff) -> HandOff:
        """As it is now; nobody else moves it until the end of this transaction."""
        self._scope.lock(schema.HandOff, hand_off.id)
        return _hand_off(self._scope.get(schema.HandOff, id=hand_off.id))

    def move(self, hand_off: HandOff, state: str, keys: Mapping[str, str] | None = None) -> bool:
        """From the state it was read in; False if somebody else was faster."""
        row = schema.HandOff
        sealed = None if keys is None else self._scope.seal_json("hand_off.keys", hand_off.id, keys)
        return bool(
            self._scope.change(
                row,
                row.id == hand_off.id,
                row.state == hand_off.state,
                state=state,
                keys_sealed=sealed,
            )
        )

    def keys(self, hand_off: HandOff) -> Mapping[str, str]:
        """What the shop sent; empty if it has not, or the hand-off is over."""
        row = self._scope.get(schema.HandOff, id=hand_off.id)
        if row.keys_sealed is None:
            return {}
        opened: dict[str, str] = self._scope.open_json("hand_off.keys", row.id, row.keys_sealed)
        return opened


class Proofs:
    """What opens an order to whoever brings it; found by its hash."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def keep(self, connection_id: str, order_id: str, proof: str) -> None:
        hashed = token_hash(proof)
        self._scope.add_once(
            schema.Proof,
            "connection_id, proof_hash",
            connection_id=connection_id,
            proof_hash=hashed,
            order_id=order_id,
            proof_sealed=self._scope.seal(
                "proof", f"{connection_id}/{hashed.hex()}", proof.encode()
            ),
            created_at=self._scope.clock.now(),
        )

    def order_of(self, connection_id: str, proof: str) -> str | None:
        """The order at which it was found."""
        row = self._scope.find(
            schema.Proof, connection_id=connection_id, proof_hash=token_hash(proof)
        )
        return None if row is None else row.order_id

    def opens(self, connection_id: str, order_id: str, proof: str) -> bool:
        return self.order_of(connection_id, proof) == order_id

    def current(self, connection_id: str, order_id: str) -> str | None:
        """The newest of an order."""
        row = self._scope.find(
            schema.Proof,
            "ORDER BY created_at DESC",
            connection_id=connection_id,
            order_id=order_id,
        )
        if row is None:
            return None
        place = f"{connection_id}/{bytes(row.proof_hash).hex()}"
        return self._scope.open("proof", place, row.proof_sealed).decode()


def _hand_off(row: schema.HandOff) -> HandOff:
    return HandOff(
        id=row.id,
        merchant_id=row.merchant_id,
        pairing_id=row.pairing_id,
        platform=row.platform,
        account=row.account,
        browser_hash=bytes(row.browser_hash),
        state=row.state,
    )
