"""What SAT's lists would say: from a file, from a provider, and what the validator makes of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import cfdi
from cfdi.csd import Csd
from cfdi.pac.contract import Later, NotOffered, Registered
from cfdi.validator import listed
from cfdi.validator.listed import COLUMNS, ListedTaxpayers, ListRefused
from cfdi.validator.register import (
    UNKNOWN,
    CertificateState,
    RegisteredAtPac,
    Remembered,
    Taxpayer,
)
from cfdi.xml import CFDI

Reseal = Callable[[etree._Element, Csd], bytes]

HEADING = "rfc,nombre,cp,regimenes,retencion,subcontratacion,lco,certificados"
KEMPER = (
    "EKU9003173C9,ESCUELA KEMPER URGATE,42501,601,,si,SI,30001000000500003416=activo "
    "30001000000400002434=revocado"
)
XOCHILT = "CACX7605101P8,XOCHILT CASAS CHAVEZ,36257,612 626,2,no,,"
DOCUMENT = f"""<cfdi:Comprobante xmlns:cfdi="{CFDI}" Version="4.0" Fecha="2026-11-20T11:50:00"
 Sello="" NoCertificado="30001000000500003416" Certificado="" FormaPago="03" MetodoPago="PUE"
 SubTotal="100.00" Moneda="MXN" Total="100.00" TipoDeComprobante="I" Exportacion="01"
 LugarExpedicion="06000">
<cfdi:Emisor Rfc="EKU9003173C9" Nombre="ESCUELA KEMPER URGATE" RegimenFiscal="601"/>
<cfdi:Receptor Rfc="CACX7605101P8" Nombre="XOCHILT CASAS CHAVEZ" DomicilioFiscalReceptor="36257"
 RegimenFiscalReceptor="612" UsoCFDI="G03"/>
<cfdi:Conceptos><cfdi:Concepto ClaveProdServ="53102500" Cantidad="1" ClaveUnidad="H87"
 Descripcion="Cinturón" ValorUnitario="100.00" Importe="100.00" ObjetoImp="01"/></cfdi:Conceptos>
</cfdi:Comprobante>"""
TERCERO = {
    "RfcACuentaTerceros": "FUNK671228PH6",
    "NombreACuentaTerceros": "KARLA FUENTE NOLASCO",
    "RegimenFiscalACuentaTerceros": "612",
    "DomicilioFiscalACuentaTerceros": "01160",
}


def read(*lines: str, complete: bool = False) -> ListedTaxpayers:
    return ListedTaxpayers.read(io.BytesIO("\r\n".join(lines).encode()), complete=complete)


def test_a_file_says_what_stands_in_it() -> None:
    found = read("\ufeff" + HEADING, KEMPER, "", ",,,,,,,", XOCHILT)
    assert len(found) == 2
    kemper = found.taxpayer("EKU9003173C9", nombre="ESCUELA KEMPER URGATE", cp="06000")
    assert kemper == Taxpayer(
        known=True,
        nombre="ESCUELA KEMPER URGATE",
        cp="42501",
        nombre_matches=True,
        cp_matches=False,
        regimenes=frozenset({"601"}),
        subcontratacion=True,
        in_lco=True,
    )
    xochilt = found.taxpayer("CACX7605101P8")
    assert (xochilt.nombre_matches, xochilt.cp_matches, xochilt.in_lco) == (None, None, None)
    assert (xochilt.retencion, xochilt.subcontratacion) == ("2", False)
    assert xochilt.regimenes == {"612", "626"}
    assert found.certificate("30001000000400002434") is CertificateState.REVOCADO
    assert found.certificate("30001000000000000000") is None


def test_who_is_not_in_it_is_unknown_unless_it_holds_everybody() -> None:
    assert read("rfc", "EKU9003173C9").taxpayer("CACX7605101P8") is UNKNOWN
    assert read("rfc", complete=True).taxpayer("CACX7605101P8").known is False


def test_columns_in_any_order_with_semicolons_and_quotes() -> None:
    found = read("CP; Nombre ;RFC", '60922;"LUCES & OBRAS; HIJOS";L&O950913MSA')
    assert found.taxpayer("L&O950913MSA").nombre == "LUCES & OBRAS; HIJOS"


BAD = [
    "NO-ES-RFC,,,,,,,",
    "EKU9003173C9,X,00001,,,,,",
    "EKU9003173C9,X,1160,,,,,",
    "EKU9003173C9,X,,999,,,,",
    "EKU9003173C9,X,,,3,,,",
    "EKU9003173C9,X,,,,quizá,,",
    "EKU9003173C9,X,,,,,1,",
    "EKU9003173C9,X,,,,,,30001000000500003416=vivo",
    "EKU9003173C9,X,,,,,,123=activo",
    "EKU9003173C9,X",
    "EKU9003173C9,X,,,,,,,",
    'EKU9003173C9,"X,,,,,,',
    "EKU9003173C9,X\0,,,,,,",
    KEMPER,  # twice
]


@pytest.mark.parametrize("line", BAD)
def test_a_wrong_line_is_named_and_nothing_is_taken(line: str) -> None:
    with pytest.raises(ListRefused) as refused:
        read(HEADING, KEMPER, line, XOCHILT)
    (error,) = refused.value.errors
    assert error.line == 3
    assert error.message_es != error.message_en
    assert "EKU" not in str(refused.value) + error.message_es + error.message_en


@pytest.mark.parametrize(
    "heading", ["", "nombre,cp", "rfc,rfc", "rfc,sorpresa", "EKU9003173C9,X,42501"]
)
def test_without_a_heading_nothing_is_read(heading: str) -> None:
    with pytest.raises(ListRefused) as refused:
        read(heading, KEMPER)
    assert len(refused.value.errors) == 1


def test_every_wrong_line_is_told_up_to_a_limit() -> None:
    with pytest.raises(ListRefused) as refused:
        read(HEADING, *BAD)
    assert [error.line for error in refused.value.errors] == [
        *range(2, 15)
    ]  # the last is the first of its RFC
    with pytest.raises(ListRefused) as refused:
        read("rfc", *["x"] * 5_000)
    assert len(refused.value.errors) == listed.MAX_ERRORS


def test_what_is_too_long_or_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ListRefused, match="longer"):
        read(HEADING, "x" * 10_000_000)
    with pytest.raises(ListRefused, match="UTF-8"):
        ListedTaxpayers.read(io.BytesIO("rfc\nOÑO120726RX3".encode("latin-1")))
    monkeypatch.setattr(listed, "MAX_TAXPAYERS", 1)
    with pytest.raises(ListRefused, match="more than 1"):
        read(HEADING, KEMPER, XOCHILT)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for head in (b"", b"rfc\n", HEADING.encode() + b"\n"):
        with suppress(ListRefused):
            assert len(ListedTaxpayers.read(io.BytesIO(head + data))) <= len(data)


@dataclass
class AnswersOf:
    """A provider that gives one answer, or raises what `Pac.registered` raises."""

    answer: Registered | Later | NotOffered | None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def registered(
        self, rfc: str, *, nombre: str = "", cp: str = ""
    ) -> Registered | Later | NotOffered:
        self.asked.append((rfc, nombre, cp))
        if self.answer is None:
            raise ValueError("no RFC")
        return self.answer


def test_a_providers_answer_is_taken_as_far_as_it_goes() -> None:
    pac = AnswersOf(Registered(known=True, name_matches=False, cp_matches=True))
    register = RegisteredAtPac(pac)
    found = register.taxpayer("EKU9003173C9", nombre="X", cp="42501")
    assert found == Taxpayer(known=True, nombre_matches=False, cp_matches=True)
    assert register.taxpayer("EKU9003173C9") == Taxpayer(known=True)
    assert register.certificate("30001000000500003416") is None


@pytest.mark.parametrize("answer", [Later("down"), NotOffered(), None])
def test_a_provider_that_cannot_tell_breaks_nothing(
    answer: Later | NotOffered | None, csd: Csd, reseal: Reseal
) -> None:
    register = RegisteredAtPac(AnswersOf(answer))
    assert register.taxpayer("EKU9003173C9", nombre="X") is UNKNOWN
    assert cfdi.validate(reseal(etree.fromstring(DOCUMENT), csd), register=register) == ()


def test_each_taxpayer_is_asked_about_once_a_document(csd: Csd, reseal: Reseal) -> None:
    pac = AnswersOf(Registered(known=True, name_matches=True, cp_matches=True))
    assert (
        cfdi.validate(reseal(etree.fromstring(DOCUMENT), csd), register=RegisteredAtPac(pac)) == ()
    )
    assert sorted(pac.asked) == [
        ("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257"),
        ("EKU9003173C9", "ESCUELA KEMPER URGATE", ""),
    ]
    remembered = Remembered(read(HEADING, KEMPER))
    assert remembered.certificate("30001000000500003416") is CertificateState.ACTIVO


@dataclass
class Says:
    """A register with one answer for one RFC."""

    rfc: str
    answer: Taxpayer

    def taxpayer(self, rfc: str, *, nombre: str = "", cp: str = "") -> Taxpayer:
        return self.answer if rfc == self.rfc else UNKNOWN

    def certificate(self, no_certificado: str) -> CertificateState | None:
        return None


EMISOR, RECEPTOR = "EKU9003173C9", "CACX7605101P8"
#: Code, of whom, what the list says; the same with None instead breaks nothing.
LISTED = [
    ("402", EMISOR, {"in_lco": False}),
    ("402", EMISOR, {"known": False}),
    ("CFDI40138", EMISOR, {"nombre_matches": False, "nombre_exists": False}),
    ("CFDI40139", EMISOR, {"nombre_matches": False}),
    ("CFDI40139", EMISOR, {"nombre_matches": False, "nombre_exists": True}),
    ("CFDI40143", RECEPTOR, {"known": False, "nombre_matches": False, "cp_matches": False}),
    ("CFDI40144", RECEPTOR, {"nombre_matches": False, "nombre_exists": False}),
    ("CFDI40145", RECEPTOR, {"nombre_matches": False}),
    ("CFDI40147", RECEPTOR, {"cp_matches": False, "cp_exists": False}),
    ("CFDI40148", RECEPTOR, {"cp_matches": False}),
    ("CFDI40187", TERCERO["RfcACuentaTerceros"], {"in_lco": False}),
    ("CFDI40189", TERCERO["RfcACuentaTerceros"], {"nombre_matches": False, "nombre_exists": False}),
    ("CFDI40190", TERCERO["RfcACuentaTerceros"], {"nombre_matches": False}),
    ("CFDI40192", TERCERO["RfcACuentaTerceros"], {"cp_matches": False, "cp_exists": False}),
    ("CFDI40193", TERCERO["RfcACuentaTerceros"], {"cp_matches": False}),
]


@pytest.mark.parametrize(
    ("code", "rfc", "said"), LISTED, ids=[f"{code}-{n}" for n, (code, _, _) in enumerate(LISTED)]
)
def test_what_a_list_says_is_told_with_its_code(
    code: str, rfc: str, said: dict[str, bool], csd: Csd, reseal: Reseal
) -> None:
    root = etree.fromstring(DOCUMENT)
    concepto = next(root.iter(f"{{{CFDI}}}Concepto"))
    etree.SubElement(concepto, f"{{{CFDI}}}ACuentaTerceros", TERCERO)
    sealed = reseal(root, csd)
    found = cfdi.validate(sealed, register=Says(rfc, Taxpayer(**said)))  # type: ignore[arg-type] # only the flags
    assert [finding.code for finding in found] == [code]
    assert cfdi.validate(sealed, register=Says(rfc, Taxpayer(known=True))) == ()


@pytest.mark.parametrize("rfc", ["XAXX010101000", "XEXX010101000"])
def test_a_generic_rfc_is_nobodys(rfc: str, csd: Csd, reseal: Reseal) -> None:
    root = etree.fromstring(DOCUMENT)
    receptor = next(root.iter(f"{{{CFDI}}}Receptor"))
    receptor.attrib.update(
        [
            ("Rfc", rfc),
            ("DomicilioFiscalReceptor", "06000"),
            ("RegimenFiscalReceptor", "616"),
            ("UsoCFDI", "S01"),
        ]
    )
    register = read(HEADING, KEMPER, complete=True)
    assert cfdi.validate(reseal(root, csd), register=register) == ()


@pytest.mark.parametrize(
    ("mark", "withheld", "found"),
    [
        ("1", None, []),
        ("1", "0.012500", ["CFDI140224"]),
        ("2", None, ["CFDI140225"]),
        ("2", "0.010000", ["CFDI140225"]),
        ("2", "0.012500", []),
        (None, "0.012500", []),
    ],
)
def test_resico_withholds_as_marked(
    mark: str, withheld: str | None, found: list[str], issue: Callable[..., Csd], reseal: Reseal
) -> None:
    """A person of régimen 626 to a company."""
    csd = issue(RECEPTOR, "XOCHILT CASAS CHAVEZ")
    root = resico(withheld)
    register = Says(RECEPTOR, Taxpayer(retencion=mark))  # type: ignore[arg-type] # "1", "2" or None
    sealed = reseal(root, csd)
    assert [each.code for each in cfdi.validate(sealed, register=register)] == found
    assert cfdi.validate(sealed) == ()


@pytest.mark.parametrize(("mark", "withheld"), [("1", "0.012500"), ("2", None)])
def test_the_marks_of_resico_say_nothing_of_a_sale_to_a_person(
    mark: str, withheld: str | None, issue: Callable[..., Csd], reseal: Reseal
) -> None:
    csd = issue(RECEPTOR, "XOCHILT CASAS CHAVEZ")
    root = resico(withheld)
    root[1].attrib.update([("Rfc", "MISC491214B86"), ("RegimenFiscalReceptor", "612")])
    register = Says(RECEPTOR, Taxpayer(retencion=mark))  # type: ignore[arg-type] # "1" or "2"
    assert cfdi.validate(reseal(root, csd), register=register) == ()


def resico(withheld: str | None) -> etree._Element:
    root = etree.fromstring(DOCUMENT)
    emisor, receptor = root[0], root[1]
    emisor.attrib.update(
        [("Rfc", RECEPTOR), ("Nombre", "XOCHILT CASAS CHAVEZ"), ("RegimenFiscal", "626")]
    )
    receptor.attrib.update([("Rfc", EMISOR), ("RegimenFiscalReceptor", "601")])
    if withheld is None:
        return root
    amount = "1.25" if withheld == "0.012500" else "1.00"
    concepto = next(root.iter(f"{{{CFDI}}}Concepto"))
    concepto.set("ObjetoImp", "02")
    attributes = {
        "Base": "100.00",
        "Impuesto": "001",
        "TipoFactor": "Tasa",
        "TasaOCuota": withheld,
        "Importe": amount,
    }
    group = etree.SubElement(concepto, f"{{{CFDI}}}Impuestos")
    etree.SubElement(
        etree.SubElement(group, f"{{{CFDI}}}Retenciones"), f"{{{CFDI}}}Retencion", attributes
    )
    totals = etree.SubElement(root, f"{{{CFDI}}}Impuestos", {"TotalImpuestosRetenidos": amount})
    etree.SubElement(
        etree.SubElement(totals, f"{{{CFDI}}}Retenciones"),
        f"{{{CFDI}}}Retencion",
        {"Impuesto": "001", "Importe": amount},
    )
    root.set("Total", "98.75" if amount == "1.25" else "99.00")
    return root


def test_the_columns_are_the_documented_ones() -> None:
    assert HEADING.split(",") == list(COLUMNS)
