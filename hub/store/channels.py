"""What messages go by beside e-mail, who wants none, and which did not arrive."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hub.store import schema
from hub.store.session import Scope

#: Enough that no two addresses share one; it stands in a letter's header.
_BLIND_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """`kind`: sms or whatsapp. `problem`: what its provider says a person must mend; "" if none."""

    kind: str
    settings: Mapping[str, str] = field(repr=False)
    problem: str
    problem_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BounceRow:
    """A letter or message that did not arrive. `reason` holds codes, never an address."""

    kind: str
    subject_id: str
    message_id: str
    sale_id: str
    address: str = field(repr=False)  # "" once it was erased
    reason: str
    at: datetime


class Channels:
    """One of each kind; its keys are sealed."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def set(self, kind: str, settings: Mapping[str, str]) -> None:
        """In the place of the one there was, whose problem is over."""
        self.remove(kind)
        self._scope.add(
            schema.Channel,
            kind=kind,
            settings_sealed=self._scope.seal_json("channel.settings", kind, dict(settings)),
            problem="",
            created_at=self._scope.clock.now(),
        )

    def remove(self, kind: str) -> bool:
        return self._scope.remove(schema.Channel, schema.Channel.kind == kind) > 0

    def get(self, kind: str) -> ChannelRow | None:
        row = self._scope.find(schema.Channel, kind=kind)
        return None if row is None else self._record(row)

    def list(self) -> builtins.list[ChannelRow]:
        return [self._record(row) for row in self._scope.all(schema.Channel, "ORDER BY kind")]

    def note(self, kind: str, problem: str) -> None:
        """What its provider said last that concerns the channel itself; "" is good news."""
        channel = schema.Channel
        now = self._scope.clock.now() if problem else None
        self._scope.change(
            channel,
            channel.kind == kind,
            channel.problem != problem,
            problem=problem,
            problem_at=now,
        )

    def _record(self, row: schema.Channel) -> ChannelRow:
        settings = self._scope.open_json("channel.settings", row.kind, row.settings_sealed)
        return ChannelRow(row.kind, settings, row.problem, row.problem_at, row.created_at)


class OptOuts:
    """Addresses that want no invitations of this merchant. None of them can be read back."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def blinded(self, address: str) -> bytes:
        """What stands for the address, however it is written."""
        return self._scope.blind("optout", address.strip().casefold())[:_BLIND_BYTES]

    def add(self, address_hash: bytes) -> bool:
        """False if it was known."""
        return self._scope.add_once(
            schema.OptOut,
            "address_hash",
            address_hash=address_hash,
            created_at=self._scope.clock.now(),
        )

    def has(self, address: str) -> bool:
        return self._scope.find(schema.OptOut, address_hash=self.blinded(address)) is not None


class Bounces:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(  # noqa: PLR0917 - one record, in its order
        self, kind: str, subject_id: str, message_id: str, sale_id: str, address: str, reason: str
    ) -> bool:
        """Write down that a letter which was begun did not arrive; False if that is known."""
        return self._scope.add_once(
            schema.Bounce,
            "kind, subject_id, message_id",
            kind=kind,
            subject_id=subject_id,
            message_id=message_id,
            sale_id=sale_id,
            address_sealed=self._scope.seal("bounce.address", message_id, address.encode()),
            reason=reason[:200],
            bounced_at=self._scope.clock.now(),
        )

    def has(self, kind: str, subject_id: str, message_id: str) -> bool:
        key = {"kind": kind, "subject_id": subject_id, "message_id": message_id}
        return self._scope.find(schema.Bounce, **key) is not None

    def remove(self, kind: str, subject_id: str, message_id: str) -> bool:
        """It did arrive; False if nothing else was known."""
        bounce = schema.Bounce
        return (
            self._scope.remove(
                bounce,
                bounce.kind == kind,
                bounce.subject_id == subject_id,
                bounce.message_id == message_id,
            )
            > 0
        )

    def of_sale(self, sale_id: str) -> list[BounceRow]:
        """Oldest first."""
        rows = self._scope.all(schema.Bounce, "ORDER BY bounced_at, message_id", sale_id=sale_id)
        return [self._record(row) for row in rows]

    def _record(self, row: schema.Bounce) -> BounceRow:
        sealed = row.address_sealed
        address = self._scope.open("bounce.address", row.message_id, sealed) if sealed else b""
        return BounceRow(
            row.kind,
            row.subject_id,
            row.message_id,
            row.sale_id,
            address.decode(),
            row.reason,
            row.bounced_at,
        )
