"""The signed requests, judged by others' signatures, by satcfdi and by a second way to verify."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from satcfdi.create.w3.signature import signature_c14n_sha1

from cfdi.cancelacion import (
    AcuseUnreadable,
    Motivo,
    cancelacion,
    read_acuse,
    relacionados,
    respuesta,
)
from cfdi.csd import Certificate, Csd, open_key
from cfdi.pac.contract import Reply
from cfdi.xml import parse
from cfdi.xmldsig import DSIG, SIGNATURE, SignatureUnsound, sign, verify

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
UUID = "62B00C5E-4187-4336-B569-44E0030DC729"
OTHER = "5D0C5A3C-0000-4000-8000-000000000001"
SAT = "{http://cancelacfd.sat.gob.mx}"


def made(csd: Csd) -> dict[str, bytes]:
    return {
        "cancelacion": cancelacion(csd, UUID, Motivo.ERRORES_SIN_RELACION, now=NOW),
        "sustitucion": cancelacion(
            csd, UUID, Motivo.ERRORES_CON_RELACION, now=NOW, folio_sustitucion=OTHER
        ),
        "respuesta": respuesta(csd, UUID, Reply.RECHAZO, now=NOW, rfc_pac="SPR190613I52"),
        "emisor": relacionados(csd, UUID, rfc_pac="SPR190613I52", is_emisor=True),
        "receptor": relacionados(csd, UUID, rfc_pac="SPR190613I52", is_emisor=False),
    }


KINDS = ("cancelacion", "sustitucion", "respuesta", "emisor", "receptor")


def test_a_request_that_sat_took_is_made_again_byte_for_byte(shared: Path) -> None:
    folder = shared / "sat/csd/expired"
    name = "EKU9003173C9_csd_30001000000400002434"
    key = open_key((folder / f"{name}.key").read_bytes(), "12345678a")
    csd = Csd(Certificate.read((folder / f"{name}.cer").read_bytes()), key)
    now = datetime(2022, 1, 6, 23, 49, 12, tzinfo=UTC)
    ours = cancelacion(csd, UUID.lower(), Motivo.ERRORES_SIN_RELACION, now=now)
    theirs = laid_out_flat((shared / "sat/pac/sat/cancellation-signed.xml").read_bytes())
    assert canonical(parse(ours)) == canonical(theirs)


@pytest.mark.parametrize(
    "name", ["cancellation-signed", "cancellation-answer-signed", "obtain-related-signed"]
)
def test_signatures_made_by_others_are_verified(name: str, shared: Path) -> None:
    root = laid_out_flat((shared / f"sat/pac/sat/{name}.xml").read_bytes())
    assert verify(root).rfc in {"EKU9003173C9", "LAN7008173R5"}


class Signer:
    """What satcfdi asks of its own, which reads certificates by a deprecated library."""

    serial_number = 1

    def __init__(self, csd: Csd) -> None:
        self.csd = csd

    def issuer(self) -> str:
        return ""

    def certificate_base64(self) -> str:
        return base64.b64encode(self.csd.certificate.der).decode()

    def sign_sha1(self, data: bytes) -> str:
        return base64.b64encode(self.csd.key.sign(data, PKCS1v15(), SHA1())).decode()


@pytest.mark.parametrize("kind", KINDS)
def test_satcfdi_would_sign_the_same(kind: str, csd: Csd) -> None:
    root = parse(made(csd)[kind])
    ours = root.find(SIGNATURE)
    assert ours is not None
    root.remove(ours)
    nsmap = {None: DSIG, "xsd": root.nsmap["xsd"], "xsi": root.nsmap["xsi"]}
    theirs = signature_c14n_sha1(Signer(csd), root, nsmap).to_xml()
    for name in ("DigestValue", "SignatureValue", "X509Certificate"):
        assert ours.findtext(f".//{{{DSIG}}}{name}") == theirs.findtext(f".//{{{DSIG}}}{name}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_signature_holds_by_hand(kind: str, csd: Csd) -> None:
    """Canonical form made of the text, not of a tree: what we write is canonical but for its head,
    its empty elements and the order of attributes and namespaces."""
    text = made(csd)[kind].decode().partition("\n")[2]
    unsigned = text[: text.index("<Signature")] + text[text.index("</Signature>") + 12 :]
    signed_info = text[text.index("<SignedInfo>") : text.index("</SignedInfo>") + 13]
    spaces = (
        'xmlns="http://www.w3.org/2000/09/xmldsig#" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    in_scope = signed_info.replace("<SignedInfo>", f"<SignedInfo {spaces}>")
    digest = base64.b64encode(hashlib.sha1(by_hand(unsigned)).digest()).decode()
    assert f"<DigestValue>{digest}</DigestValue>" in text
    value = text.partition("<SignatureValue>")[2].partition("<")[0]
    csd.certificate.public_key().verify(
        base64.b64decode(value), by_hand(in_scope), PKCS1v15(), SHA1()
    )


def by_hand(text: str) -> bytes:
    """`text` in C14N: attributes by name behind the namespaces, no empty elements."""
    out = ""
    for piece in text.split("<")[1:]:
        inside, _, after = piece.partition(">")
        name, _, rest = inside.rstrip("/").partition(" ")
        pairs = sorted(re.findall(r'[\w:]+="[^"]*"', rest), key=_rank)
        out += "<" + " ".join([name, *pairs]) + ">" + (f"</{name}>" if inside[-1] == "/" else "")
        out += after
    return out.encode()


def _rank(pair: str) -> tuple[bool, str]:
    return not pair.startswith("xmlns"), pair.partition("=")[0]


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_sign_we_verify(kind: str, csd: Csd) -> None:
    assert verify(parse(made(csd)[kind])).rfc == "OÑO120726RX3"


def test_what_the_request_says(csd: Csd) -> None:
    root = parse(made(csd)["sustitucion"])
    folio = root.find(f"{SAT}Folios/{SAT}Folio")
    assert folio is not None
    assert dict(folio.attrib) == {"UUID": UUID, "Motivo": "01", "FolioSustitucion": OTHER}
    assert root.get("RfcEmisor") == "OÑO120726RX3"
    assert root.get("Fecha") == "2026-11-20T12:00:00"  # the Center's time
    assert verify(parse(made(csd)["sustitucion"])).no_certificado == root.findtext(
        f".//{{{DSIG}}}X509SerialNumber"
    )


def test_what_the_receiver_says(csd: Csd) -> None:
    root = parse(made(csd)["respuesta"])
    assert root.findtext(f"{SAT}Folios/{SAT}UUID") == UUID
    assert root.findtext(f"{SAT}Folios/{SAT}Respuesta") == "Rechazo"
    assert (root.get("RfcReceptor"), root.get("RfcPacEnviaSolicitud")) == (
        "OÑO120726RX3",
        "SPR190613I52",
    )


def test_one_party_asks_for_relations(csd: Csd) -> None:
    for kind, empty in (("emisor", "RfcReceptor"), ("receptor", "RfcEmisor")):
        root = parse(made(csd)[kind])
        assert root.get("Uuid") == UUID
        assert root.get(empty) == ""


@pytest.mark.parametrize("motivo", [each for each in Motivo if each != "01"])
def test_no_other_motivo_takes_a_substitute(motivo: Motivo, csd: Csd) -> None:
    with pytest.raises(ValueError, match="motivo 01"):
        cancelacion(csd, UUID, motivo, now=NOW, folio_sustitucion=OTHER)


@pytest.mark.parametrize(
    ("uuid", "sustitucion"), [(UUID, ""), (UUID, "x"), ("x", OTHER), (UUID, UUID.lower())]
)
def test_motivo_01_takes_the_uuid_of_another(uuid: str, sustitucion: str, csd: Csd) -> None:
    with pytest.raises(ValueError):
        cancelacion(csd, uuid, Motivo.ERRORES_CON_RELACION, now=NOW, folio_sustitucion=sustitucion)


def test_an_instant_without_a_zone_is_refused(csd: Csd) -> None:
    with pytest.raises(ValueError, match="aware"):
        cancelacion(csd, UUID, Motivo.NO_SE_LLEVO_A_CABO, now=NOW.replace(tzinfo=None))


@given(place=st.integers(min_value=0), letter=st.characters(codec="ascii", categories=["L", "N"]))
def test_no_letter_can_be_changed(csd: Csd, place: int, letter: str) -> None:
    """In the names and values; what surrounds the signed part is free."""
    request = made_once(csd).decode()
    end = request.index("<KeyInfo>")
    at = request.index("<Cancelacion") + place % (end - request.index("<Cancelacion"))
    if request[at] == letter or not request[at].isalnum():
        return
    if request[at + 1] == "=":  # base64 leaves bits of the last letter unused
        return
    changed = request[:at] + letter + request[at + 1 :]
    with pytest.raises(ValueError):
        verify(parse(changed.encode()))


_MADE: list[bytes] = []


def made_once(csd: Csd) -> bytes:
    if not _MADE:
        _MADE.append(cancelacion(csd, UUID, Motivo.NO_SE_LLEVO_A_CABO, now=NOW))
    return _MADE[0]


def test_a_signature_of_a_part_or_a_second_one_is_unsound(csd: Csd) -> None:
    root = parse(made_once(csd))
    wrapped = etree.Element("Outer")
    wrapped.append(root)
    with pytest.raises(SignatureUnsound, match="right under the root"):
        verify(wrapped)
    twice = parse(made_once(csd))
    twice.append(parse(made_once(csd)).find(SIGNATURE))
    with pytest.raises(SignatureUnsound, match="one signature"):
        verify(twice)
    with pytest.raises(SignatureUnsound):
        verify(parse(made_once(csd).replace(b'URI=""', b'URI="#a"')))
    with pytest.raises(SignatureUnsound):
        verify(parse(made_once(csd).replace(b"xmldsig#sha1", b"xmldsig#md5")))
    with pytest.raises(SignatureUnsound):
        verify(parse(b"<Cancelacion/>"))


@pytest.mark.parametrize("layout", ["<x>{}\n</x>", "<x>\n{}</x>", "<x><y/>{}\n</x>"])
def test_text_beside_the_signature_is_signed_too(layout: str, csd: Csd) -> None:
    """The transform takes out the signature alone; lxml would take what stands behind it too."""
    bare = parse(layout.format("").encode())
    sign(bare, csd)
    signature = bare.find(SIGNATURE)
    assert signature is not None
    signature.tail = None
    written = etree.tostring(signature).decode()
    assert verify(parse(layout.format(written).encode())).rfc == "OÑO120726RX3"
    for other in (layout.format(written + " "), layout.format(" " + written)):
        with pytest.raises(SignatureUnsound):
            verify(parse(other.encode()))


def test_uuids_are_in_upper_case(csd: Csd) -> None:
    asked = cancelacion(
        csd,
        UUID.lower(),
        Motivo.ERRORES_CON_RELACION,
        now=NOW,
        folio_sustitucion=OTHER.lower(),
    )
    assert UUID.encode() in asked
    assert OTHER.encode() in asked


def test_sats_receipt(shared: Path) -> None:
    acuse = read_acuse((shared / "sat/pac/sat/acuse-cancelacion.xml").read_bytes())
    assert acuse.rfc_emisor == "LAN7008173R5"
    assert acuse.fecha == "2017-06-27T11:00:54.8788503"
    assert acuse.codigos == {"3EAEABC9-EA41-4627-9609-C6856B78E2B1": "202"}
    assert b"SelloSAT" in acuse.signature
    assert b"SignatureValue" in acuse.signature


def test_a_receipt_inside_sats_envelope() -> None:
    soap = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<CancelaCFDResponse xmlns="http://cancelacfd.sat.gob.mx"><CancelaCFDResult Fecha="f"'
        f' RfcEmisor="R"><Folios><UUID>{UUID.lower()}</UUID><EstatusUUID>205</EstatusUUID></Folios>'
        "</CancelaCFDResult></CancelaCFDResponse></s:Body></s:Envelope>"
    )
    assert read_acuse(soap.encode()).codigos == {UUID: "205"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a/>",
        b"voucher",
        b"<!DOCTYPE a><Acuse/>",
        b"<a><Acuse/><Acuse/></a>",
        b"\xff<Acuse/>",
    ],
)
def test_what_is_no_receipt(data: bytes) -> None:
    with pytest.raises(AcuseUnreadable):
        read_acuse(data)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        read_acuse(data)
    except AcuseUnreadable:
        return


def laid_out_flat(raw: bytes) -> etree._Element:
    """Published examples were indented after they had been signed."""
    root = parse(raw)
    for node in root.iter():
        if len(node) and not (node.text or "").strip():
            node.text = None
        if not (node.tail or "").strip():
            node.tail = None
    return root


def canonical(root: etree._Element) -> bytes:
    return etree.tostring(root, method="c14n")
