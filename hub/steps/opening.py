"""opening: what the secret part of a buyer's address opens, and how far.

A *link* is a row: 256 random bits, in force until it is revoked; its holder may have the document.
A *pass* is signed and not kept: it is given to whoever knows what stands on a ticket, ends within a
day, and opens no document and no personal data until its holder proves the receiver's RFC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from itsdangerous import BadSignature, URLSafeSerializer

from hub.store.transaction import Tenant, Transaction

#: Longer than anybody needs for one form; a ticket makes another pass any time.
PASS_LIFETIME: Final = timedelta(hours=24)
#: Of a link there is none; it is how the two are told apart.
_MARK: Final = "."


@dataclass(frozen=True, slots=True)
class Opened:
    """What an address is about. More than one sale: they are to be invoiced together."""

    merchant_id: str
    sale_ids: tuple[str, ...]
    #: May see documents and what was typed.
    proven: bool = True
    #: Of a sale that is divided, the part that it is about; 0: all of it.
    part: int = 0

    @property
    def sale_id(self) -> str:
        return self.sale_ids[0]


class Passes:
    """Makes passes, and says what one was made for. No word of a pass is secret but its end."""

    def __init__(self, secret_key: str) -> None:
        self._signer = URLSafeSerializer(
            secret_key, salt="buyer-pass", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._leaving = URLSafeSerializer(
            secret_key, salt="buyer-leaving", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def make(
        self, merchant_id: str, sales: Iterable[tuple[str, int]], now: datetime, part: int = 0
    ) -> str:
        """A pass for these sales, each with the generation of its link in force.

        With `part` for that part of the one sale.
        """
        until = int((now + PASS_LIFETIME).timestamp())
        return str(self._signer.dumps([merchant_id, [list(one) for one in sales], until, part]))

    def read(self, token: str, now: datetime) -> tuple[str, list[tuple[str, int]], int] | None:
        """Merchant, sales with generations, part; None for what is no pass or no longer one."""
        try:
            merchant_id, sales, until, part = self._signer.loads(token)
            found = [(str(sale_id), int(generation)) for sale_id, generation in sales]
        except (BadSignature, ValueError, TypeError):
            return None
        good = found and now.timestamp() <= until
        return (str(merchant_id), found, int(part)) if good else None

    def leaving(self, merchant_id: str, address_hash: bytes) -> str:
        """What ends the invitations of a merchant to an address, for ever and nothing else."""
        return str(self._leaving.dumps([merchant_id, address_hash.hex()]))

    def read_leaving(self, token: str) -> tuple[str, bytes] | None:
        """Merchant and blinded address; None for what was not made by `leaving`."""
        try:
            merchant_id, address_hash = self._leaving.loads(token)
            return str(merchant_id), bytes.fromhex(address_hash)
        except (BadSignature, ValueError, TypeError):
            return None


def opened(tx: Transaction, passes: Passes, token: str, now: datetime) -> Opened | None:
    """None for a token that opens nothing (any more); why is nobody's business."""
    if _MARK not in token:
        found = tx.doors.link(token)
        return Opened(found[0], (found[1],), part=found[2]) if found else None
    read = passes.read(token, now)
    if read is None:
        return None
    merchant_id, sales, part = read
    tenant = tx.tenant(merchant_id)
    if not all(_in_force(tenant, *one) for one in sales):
        return None
    wholes = dict.fromkeys(tenant.objects.whole(sale_id) for sale_id, _ in sales)
    return Opened(merchant_id, tuple(wholes), proven=False, part=part)


def _in_force(tenant: Tenant, sale_id: str, generation: int) -> bool:
    """Whoever revokes a link revokes the passes beside it."""
    link = tenant.links.current(sale_id)
    return link is not None and link.generation == generation
