"""What SAT's lists say of taxpayers and certificates, as far as somebody here knows it.

A provider holds two lists that nobody else gets whole: l_RFC (who is registered, how he is called,
where he lives, which marks he has) and LCO (who may issue, with which certificates). The validator
asks whoever can answer a part of them; an answer of None, "not known", never breaks a rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol

from cfdi.pac.contract import Later, NotOffered, Registered


class CertificateState(StrEnum):
    """LCO's word on a certificate: it may seal, it was revoked, it ran out."""

    ACTIVO = "activo"
    REVOCADO = "revocado"
    CADUCO = "caduco"


@dataclass(frozen=True, slots=True)
class Taxpayer:
    """The answer about one RFC. None stands for what the register cannot say."""

    #: In l_RFC, not cancelled.
    known: bool | None = None
    #: As registered: without régimen de capital.
    nombre: str | None = None
    cp: str | None = None
    #: Whether the name and postal code that were asked about are the registered ones.
    nombre_matches: bool | None = None
    cp_matches: bool | None = None
    #: Whether they are anybody's.
    nombre_exists: bool | None = None
    cp_exists: bool | None = None
    #: c_RegimenFiscal; empty if not known.
    regimenes: frozenset[str] = frozenset()
    #: l_RFC's mark "Retención": "1" no ISR may be withheld, "2" 1.25 % must be (CFDI140224, 225).
    retencion: Literal["1", "2"] | None = None
    #: l_RFC's mark of who may provide specialised services (subcontratación).
    subcontratacion: bool | None = None
    #: In LCO with valid obligations.
    in_lco: bool | None = None


#: Nothing is known of him.
UNKNOWN: Final = Taxpayer()


class TaxpayerRegister(Protocol):
    """Whoever can say something about taxpayers. Thread safe; never raises."""

    def taxpayer(self, rfc: str, *, nombre: str = "", cp: str = "") -> Taxpayer:
        """About this RFC, and whether this name and postal code are his, where they are given."""
        ...

    def certificate(self, no_certificado: str) -> CertificateState | None:
        """Of these twenty digits."""
        ...


class _AsksRegistered(Protocol):
    """The part of `cfdi.pac.contract.Pac` that is needed here."""

    def registered(
        self, rfc: str, *, nombre: str = "", cp: str = ""
    ) -> Registered | Later | NotOffered: ...


class RegisteredAtPac:
    """A provider's copy of l_RFC, asked over the network at each look-up.

    For advice only: it may be a day behind, and what it says is refused nowhere but at SAT. It
    says nothing about certificates. A provider that is not reachable knows nothing.
    """

    def __init__(self, pac: _AsksRegistered) -> None:
        self._pac = pac

    def taxpayer(self, rfc: str, *, nombre: str = "", cp: str = "") -> Taxpayer:
        try:
            found = self._pac.registered(rfc, nombre=nombre, cp=cp)
        except ValueError:  # no RFC: another rule says so
            return UNKNOWN
        if not isinstance(found, Registered):
            return UNKNOWN
        return Taxpayer(
            known=found.known,
            nombre_matches=found.name_matches if nombre else None,
            cp_matches=found.cp_matches if cp else None,
        )

    def certificate(self, no_certificado: str) -> CertificateState | None:  # noqa: ARG002 - the protocol's
        return None


class Remembered:
    """Asks another register everything once: several rules want the same answer."""

    def __init__(self, asked: TaxpayerRegister) -> None:
        self._asked = asked
        self._taxpayers: dict[tuple[str, str, str], Taxpayer] = {}
        self._certificates: dict[str, CertificateState | None] = {}

    def taxpayer(self, rfc: str, *, nombre: str = "", cp: str = "") -> Taxpayer:
        key = (rfc, nombre, cp)
        if key not in self._taxpayers:
            self._taxpayers[key] = self._asked.taxpayer(rfc, nombre=nombre, cp=cp)
        return self._taxpayers[key]

    def certificate(self, no_certificado: str) -> CertificateState | None:
        if no_certificado not in self._certificates:
            self._certificates[no_certificado] = self._asked.certificate(no_certificado)
        return self._certificates[no_certificado]
