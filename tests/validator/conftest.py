"""Certificates of an authority of our own, and honest seals for documents of any kind."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from cfdi.cadena import cadena_original
from cfdi.csd import Certificate, Csd, open_key
from cfdi.pac.sandbox.authority import Authority
from cfdi.xml import serialize

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


def resealed(root: etree._Element, csd: Csd) -> bytes:
    """Any document with an honest seal."""
    root.set("NoCertificado", csd.certificate.no_certificado)
    root.set("Certificado", base64.b64encode(csd.certificate.der).decode())
    signature = csd.key.sign(cadena_original(root).encode(), PKCS1v15(), SHA256())
    root.set("Sello", base64.b64encode(signature).decode())
    return serialize(root)


def issued(authority: Authority, rfc: str, nombre: str, **how: object) -> Csd:
    """Put together without `check_csd`, which refuses what some tests need."""
    made = authority.issue_csd(rfc, nombre, **{"now": NOW, "password": "x", **how})  # type: ignore[arg-type] # as the test says
    return Csd(Certificate.read(made.cer_der), open_key(made.key_der, "x"))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority") / "ca", now=NOW)


@pytest.fixture(scope="session")
def csd(authority: Authority) -> Csd:
    return issued(authority, "EKU9003173C9", "ESCUELA KEMPER URGATE")


@pytest.fixture(scope="session")
def issue(authority: Authority) -> Callable[..., Csd]:
    """A certificate of this authority: rfc, nombre, and what `Authority.issue_csd` takes."""

    def make(rfc: str, nombre: str, **how: object) -> Csd:
        return issued(authority, rfc, nombre, **how)

    return make


@pytest.fixture(scope="session")
def reseal() -> Callable[[etree._Element, Csd], bytes]:
    return resealed


@pytest.fixture(scope="session")
def sealed(authority: Authority) -> Callable[[etree._Element], bytes]:
    """The document with the honest seal of its issuer."""

    @cache
    def csd_of(rfc: str) -> Csd:
        return issued(authority, rfc, "QUIEN EMITE")

    return lambda root: resealed(root, csd_of(root.find("{*}Emisor").get("Rfc")))
