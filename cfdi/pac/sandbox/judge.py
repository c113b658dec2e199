"""Whether the sandbox stamps a document: what a provider checks, by this package's validator."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from lxml import etree

from cfdi.csd import Certificate, CsdRefused, authority
from cfdi.findings import Finding
from cfdi.pac.sandbox.messages import MESSAGES
from cfdi.pac.sandbox.register import Register
from cfdi.seal import certificate_of
from cfdi.validator import validate
from cfdi.validator.register import UNKNOWN, CertificateState, Taxpayer
from cfdi.xml import CFDI, TIMBRE, XmlRefused, parse

#: Codes of ours stand for what SAT has no row for; on the wire that has SAT's own name.
_UNCLASSIFIED: Final = "CRP20999"


class Refused(Exception):
    """Not stamped. As at real providers, one code of SAT's an answer."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.code = finding.code if finding.code in MESSAGES else _UNCLASSIFIED
        #: Where, if the structure is wrong; SW says no more than the code otherwise.
        self.detail = finding.path if finding.code == "301" else ""
        self._words = finding.message_es

    @property
    def message(self) -> str:
        """In SAT's own words; in ours where SAT's are not known."""
        return f"{self.code} - {MESSAGES[self.code] or self._words}"


class AlreadyTimbrado(Exception):
    """The document that was sent carries a TFD."""


class Judge:
    """Compiles SAT's XSD when made. Thread safe."""

    def __init__(self, register: Register, own_root: bytes) -> None:
        self._register = register
        self._own_root = own_root
        validate(f'<cfdi:Comprobante xmlns:cfdi="{CFDI}"/>'.encode())

    def examine(self, sealed: bytes, now: datetime) -> etree._Element:
        """The document, if it may be stamped at `now`. Raises `Refused` or `AlreadyTimbrado`."""
        root = _parsed(sealed)
        if root is not None and next(root.iter(TIMBRE), None) is not None:
            raise AlreadyTimbrado
        lists = _Lists(self._register, _certificate(root), self._own_root)
        findings = validate(sealed, at=now, register=lists, authorities=(self._own_root,))
        if findings or root is None:
            raise Refused(findings[0])
        return root


class _Lists:
    """l_RFC and LCO as they stand for one document.

    Whoever holds a certificate of ours is registered under the name in it, SAT's test certificates
    are good, and a bank, of which only the RFC is said, is never looked up.
    """

    def __init__(
        self, register: Register, certificate: Certificate | None, own_root: bytes
    ) -> None:
        self._register = register
        self._certificate = certificate
        self._issued_by = "" if certificate is None else authority(certificate, (own_root,))

    def taxpayer(self, rfc: str, *, nombre: str = "", cp: str = "") -> Taxpayer:
        if not nombre:
            return UNKNOWN
        if not cp:  # only the issuer is asked about without one
            return self._issuer(rfc, nombre)
        found = self._register.find(rfc)
        if found is None:
            return Taxpayer(known=False)
        return Taxpayer(
            known=True,
            nombre=found.nombre,
            cp=found.cp,
            nombre_matches=nombre == found.nombre,
            nombre_exists=self._register.knows_name(nombre),
            cp_matches=cp == found.cp,
            cp_exists=self._register.knows_codigo_postal(cp),
            regimenes=frozenset({found.regimen}),
            in_lco=True,
        )

    def certificate(self, no_certificado: str) -> CertificateState | None:
        held = self._certificate
        if held is None or held.no_certificado != no_certificado:
            return None
        return CertificateState.ACTIVO if self._issued_by == "sat-test" else None

    def _issuer(self, rfc: str, nombre: str) -> Taxpayer:
        """SAT's certificates say the régimen de capital too, the register does not; SAT published
        some of taxpayers that no provider's list has."""
        held = self._certificate
        if held is None or held.rfc != rfc:
            return UNKNOWN
        found = self._register.find(rfc) if self._issued_by != "sandbox" else None
        registered = held.nombre if found is None else found.nombre
        return Taxpayer(
            known=True,
            nombre=registered,
            nombre_matches=nombre == registered,
            nombre_exists=self._register.knows_name(nombre),
            in_lco=True,
        )


def _parsed(sealed: bytes) -> etree._Element | None:
    try:
        return parse(sealed)
    except XmlRefused:  # the validator says why
        return None


def _certificate(root: etree._Element | None) -> Certificate | None:
    try:
        return None if root is None else certificate_of(root)
    except CsdRefused:
        return None
