"""A merchant's logo, and the names by which its page is reached."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.brand import Logo
from hub.store import schema
from hub.store.errors import Refused, RowUnknown
from hub.store.session import Scope

SLUG: Final = "slug"
HOST: Final = "host"
#: The small picture of pages, and the larger one of documents and letters.
PAGE: Final = "page"
PRINT: Final = "print"

_ASIDE: Final = "SELECT digest, width, height FROM logo WHERE merchant_id = ? AND variant = ?"


class Logos:
    """One merchant's logo, in two sizes."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def facts(self) -> Logo | None:
        """Of the picture on pages, without its bytes."""
        found = self._scope.session.rows(_ASIDE, self._scope.merchant_id, PAGE)
        return Logo(*found[0]) if found else None

    def image(self, variant: str) -> bytes | None:
        """PNG. None if there is no logo."""
        row = self._scope.find(schema.Logo, variant=variant)
        return bytes(row.image) if row else None

    def keep(self, variant: str, facts: Logo, image: bytes) -> None:
        """In place of what there was."""
        self._scope.remove(schema.Logo, schema.Logo.variant == variant)
        self._scope.add(
            schema.Logo,
            variant=variant,
            digest=facts.digest,
            width=facts.width,
            height=facts.height,
            image=image,
        )

    def remove(self) -> bool:
        """False if there was none."""
        return self._scope.remove(schema.Logo) > 0


@dataclass(frozen=True, slots=True)
class AddressRow:
    name: str
    kind: str  # SLUG or HOST
    created_at: datetime


class Addresses:
    """One merchant's names; no two merchants of a hub share one."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def list(self) -> builtins.list[AddressRow]:
        """Oldest first."""
        rows = self._scope.all(schema.Address, "ORDER BY created_at, name")
        return [AddressRow(row.name, row.kind, row.created_at) for row in rows]

    def first(self, kind: str) -> str:
        """The oldest of its kind, which links are made with; "" if there is none."""
        row = self._scope.find(schema.Address, "ORDER BY created_at, name", kind=kind)
        return row.name if row else ""

    def add(self, name: str, kind: str) -> None:
        """Raises `Refused` if the name is taken, by whom is not said."""
        if self._scope.session.select(schema.Address, name=name):
            raise Refused("that name is taken")
        self._scope.add(schema.Address, name=name, kind=kind, created_at=self._scope.clock.now())

    def remove(self, name: str) -> None:
        """Raises `RowUnknown`."""
        if not self._scope.remove(schema.Address, schema.Address.name == name):
            raise RowUnknown("no such address of this merchant")
