"""The sandbox refuses what SAT's matrix refuses: a good document, then one thing wrong in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from cfdi.csd import Certificate, Csd, check_csd, open_key
from cfdi.findings import Finding, FixableBy, code_of
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sandbox.judge import AlreadyTimbrado, Judge, Refused
from cfdi.pac.sandbox.memory import Taxpayer
from cfdi.pac.sandbox.messages import MESSAGES
from cfdi.pac.sandbox.register import TEST_TAXPAYERS, Register
from cfdi.xml import CFDI

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
Reseal = Callable[[etree._Element, Csd], bytes]
Change = Callable[[etree._Element], None]

CONCEPTO = "Conceptos/Concepto"
TRASLADO = "Conceptos/Concepto/Impuestos/Traslados/Traslado"
TOTALS = "Impuestos"
GROUP = "Impuestos/Traslados/Traslado"


def at(root: etree._Element, path: str) -> etree._Element:
    """The first node of a path written without namespaces."""
    node = root
    if path:
        found = root.find("/".join(f"{{{CFDI}}}{name}" for name in path.split("/")))
        assert found is not None
        node = found
    return node


def set_(path: str, **values: str) -> Change:
    def change(root: etree._Element) -> None:
        for name, value in values.items():
            at(root, path).set(name, value)

    return change


def drop(path: str, *names: str) -> Change:
    def change(root: etree._Element) -> None:
        for name in names:
            del at(root, path).attrib[name]

    return change


def remove(path: str) -> Change:
    def change(root: etree._Element) -> None:
        node = at(root, path)
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)

    return change


def both(*changes: Change) -> Change:
    def change(root: etree._Element) -> None:
        for each in changes:
            each(root)

    return change


def add(path: str, name: str, **values: str) -> Change:
    return lambda root: at(root, path).append(etree.Element(f"{{{CFDI}}}{name}", values))


def duplicate(path: str) -> Change:
    def change(root: etree._Element) -> None:
        node = at(root, path)
        node.addnext(etree.fromstring(etree.tostring(node)))

    return change


def exento(root: etree._Element) -> None:
    """All lines Exento, as it should be: no rate, no total of taxes."""
    for tax in root.iter(f"{{{CFDI}}}Traslado"):
        tax.set("TipoFactor", "Exento")
        del tax.attrib["TasaOCuota"], tax.attrib["Importe"]
    del at(root, TOTALS).attrib["TotalImpuestosTrasladados"]
    root.set("Total", "300.00")


def discounted(root: etree._Element) -> None:
    """Ten off the first line before tax, as it should be."""
    set_(CONCEPTO, Descuento="10.000000")(root)
    set_(TRASLADO, Base="90.000000", Importe="14.400000")(root)
    set_(GROUP, Base="290.00", Importe="46.40")(root)
    set_(TOTALS, TotalImpuestosTrasladados="46.40")(root)
    set_("", Descuento="10.00", Total="336.40")(root)


def withheld(root: etree._Element) -> None:
    """ISR of 1.25 % withheld from the first line, as it should be."""
    impuestos = at(root, f"{CONCEPTO}/Impuestos")
    group = etree.SubElement(impuestos, f"{{{CFDI}}}Retenciones")
    etree.SubElement(
        group,
        f"{{{CFDI}}}Retencion",
        Base="100.000000",
        Impuesto="001",
        TipoFactor="Tasa",
        TasaOCuota="0.012500",
        Importe="1.250000",
    )
    totals = at(root, TOTALS)
    retenciones = etree.Element(f"{{{CFDI}}}Retenciones")
    etree.SubElement(retenciones, f"{{{CFDI}}}Retencion", Impuesto="001", Importe="1.25")
    totals.insert(0, retenciones)
    totals.set("TotalImpuestosRetenidos", "1.25")
    root.set("Total", "346.75")


def tied(root: etree._Element) -> None:
    """Lines that add up to half a cent, which goes up."""
    set_(CONCEPTO, ValorUnitario="100.005000", Importe="100.005000")(root)
    set_(TRASLADO, Base="100.005000", Importe="16.000800")(root)
    set_(GROUP, Base="300.01")(root)
    set_("", SubTotal="300.01", Total="348.01")(root)


RETENCION = "Conceptos/Concepto/Impuestos/Retenciones/Retencion"
RETENIDO = "Impuestos/Retenciones/Retencion"
FOREIGN = set_(
    "Receptor",
    Rfc="XEXX010101000",
    Nombre="JOHN SMITH",
    DomicilioFiscalReceptor="06000",
    RegimenFiscalReceptor="616",
    UsoCFDI="S01",
)
NAMELESS = set_(
    "Receptor",
    Rfc="XAXX010101000",
    Nombre="JUAN PEREZ",
    DomicilioFiscalReceptor="06000",
    RegimenFiscalReceptor="616",
    UsoCFDI="S01",
)
GLOBAL = both(
    NAMELESS,
    set_("Receptor", Nombre="PUBLICO EN GENERAL"),
    lambda root: root.insert(
        0,
        etree.Element(
            f"{{{CFDI}}}InformacionGlobal", {"Periodicidad": "04", "Meses": "11", "Año": "2026"}
        ),
    ),
)

GOOD: dict[str, Change] = {
    "plain": lambda root: None,
    "exento": exento,
    "discounted": discounted,
    "withheld": withheld,
    "half a cent": tied,
    "foreign": FOREIGN,
    "foreign with residence": both(
        FOREIGN, set_("Receptor", ResidenciaFiscal="USA", NumRegIdTrib="123456789")
    ),
    "nameless": NAMELESS,
    "global": GLOBAL,
    "dollars": set_("", Moneda="USD", TipoCambio="18.5"),
    "peso with rate": set_("", TipoCambio="1"),
    "peso with rate and decimals": set_("", TipoCambio="1.0"),
    "deferred": set_("", MetodoPago="PPD", FormaPago="99"),
    "salaried": set_("Receptor", RegimenFiscalReceptor="605", UsoCFDI="D01"),
    "72 hours": set_("", Fecha="2026-11-17T12:00:00"),
    "five minutes ahead": set_("", Fecha="2026-11-20T12:05:00"),
    "another zone": set_("", LugarExpedicion="22000", Fecha="2026-11-20T10:04:59"),
    "a floor of a cent": set_(CONCEPTO, ValorUnitario="100.004999"),
}

#: code, and the one thing that is wrong.
BAD: list[tuple[str, Change]] = [
    ("301", set_("", Version="3.3")),
    ("301", drop("", "Exportacion")),
    ("301", set_("Receptor", Rfc="NO-RFC")),
    ("301", set_("Receptor", Nombre="A|B")),
    ("301", set_("", SubTotal="-300.00")),
    ("301", add("", "Sorpresa")),
    ("401", set_("", Fecha="2026-11-17T11:59:59")),
    ("401", set_("", Fecha="2026-11-20T12:05:01")),
    ("401", set_("", LugarExpedicion="22000", Fecha="2026-11-20T10:05:01")),
    ("CFDI40104", set_("", FormaPago="32")),
    ("CFDI40105", set_("", MetodoPago="PPD")),
    ("CFDI40107", set_("", SubTotal="300.000")),
    ("CFDI40108", set_("", SubTotal="300.01", Total="348.01")),
    ("CFDI40108", both(tied, set_("", SubTotal="300.00", Total="348.00"))),
    ("CFDI40110", both(discounted, set_("", Descuento="300.01"))),
    ("CFDI40111", both(discounted, set_("", Descuento="9.99", Total="336.41"))),
    ("CFDI40111", both(discounted, drop("", "Descuento"))),
    ("CFDI40111", set_("", Descuento="0.00")),
    ("CFDI40112", both(discounted, set_("", Descuento="10.000"))),
    ("CFDI40113", set_("", Moneda="MXP")),
    ("CFDI40114", set_("", TipoCambio="1.01")),
    ("CFDI40115", set_("", Moneda="USD")),
    ("CFDI40119", set_("", Total="348.01")),
    ("CFDI40119", set_("", Total="347.99")),
    ("CFDI40121", set_("", TipoDeComprobante="Z")),
    ("CFDI40122", set_("", Exportacion="02")),
    ("CFDI40123", set_("", Exportacion="09")),
    ("CFDI40124", set_("", MetodoPago="PIP")),
    ("CFDI40126", set_("", LugarExpedicion="00001")),
    ("CFDI40126", set_("", LugarExpedicion="00000")),
    ("CFDI40130", both(GLOBAL, remove("InformacionGlobal"))),
    ("CFDI40139", set_("Emisor", Nombre="ESCUELA KEMPER URGATE SA DE CV")),
    ("CFDI40138", set_("Emisor", Nombre="NADIE")),
    ("CFDI40140", set_("Emisor", RegimenFiscal="999")),
    ("CFDI40141", set_("Emisor", RegimenFiscal="612")),
    ("CFDI40143", set_("Receptor", Rfc="CACX7605101P9")),
    ("CFDI40144", set_("Receptor", Nombre="NADIE")),
    ("CFDI40145", set_("Receptor", Nombre="ESCUELA KEMPER URGATE")),
    ("CFDI40145", set_("Receptor", Nombre="XOCHILT CASAS CHÁVEZ")),
    ("CFDI40146", set_("Receptor", Nombre="PUBLICO EN GENERAL")),
    ("CFDI40147", set_("Receptor", DomicilioFiscalReceptor="00001")),
    ("CFDI40148", set_("Receptor", DomicilioFiscalReceptor="06000")),
    ("CFDI40149", both(NAMELESS, set_("Receptor", DomicilioFiscalReceptor="36257"))),
    ("CFDI40150", both(FOREIGN, set_("Receptor", ResidenciaFiscal="QQQ"))),
    ("CFDI40151", set_("Receptor", ResidenciaFiscal="USA")),
    ("CFDI40152", both(FOREIGN, set_("Receptor", ResidenciaFiscal="MEX"))),
    ("CFDI40153", both(FOREIGN, set_("Receptor", NumRegIdTrib="123456789"))),
    ("CFDI40154", set_("Receptor", NumRegIdTrib="123456789")),
    ("CFDI40157", set_("Receptor", RegimenFiscalReceptor="999")),
    ("CFDI40158", set_("Receptor", RegimenFiscalReceptor="601")),
    ("CFDI40159", both(NAMELESS, set_("Receptor", RegimenFiscalReceptor="612"))),
    ("CFDI40160", set_("Receptor", UsoCFDI="Z99")),
    ("CFDI40160", set_("Receptor", UsoCFDI="P01")),
    ("CFDI40161", set_("Receptor", RegimenFiscalReceptor="605")),
    ("CFDI40161", both(FOREIGN, set_("Receptor", UsoCFDI="G03"))),
    ("CFDI40162", set_(CONCEPTO, ClaveProdServ="99999999")),
    ("CFDI40165", set_(CONCEPTO, ClaveUnidad="ZZZ")),
    ("CFDI40166", set_(CONCEPTO, ValorUnitario="0.000000")),
    ("CFDI40167", set_(CONCEPTO, Cantidad="2.000000")),
    ("CFDI40168", both(discounted, set_(CONCEPTO, Descuento="10.0000000"[:9], Importe="100.00"))),
    ("CFDI40169", set_(CONCEPTO, Descuento="100.000001")),
    ("CFDI40170", set_(CONCEPTO, ObjetoImp="99")),
    ("CFDI40171", remove(f"{CONCEPTO}/Impuestos")),
    ("CFDI40172", set_(CONCEPTO, ObjetoImp="01")),
    ("CFDI40173", remove(f"{CONCEPTO}/Impuestos/Traslados")),
    ("CFDI40174", set_(TRASLADO, Base="0.000000")),
    ("CFDI40175", set_(TRASLADO, Impuesto="009")),
    ("CFDI40176", set_(TRASLADO, TipoFactor="Otro")),
    ("CFDI40177", set_(TRASLADO, TipoFactor="Exento")),
    ("CFDI40178", drop(TRASLADO, "TasaOCuota")),
    ("CFDI40178", drop(TRASLADO, "Importe")),
    ("CFDI40179", set_(TRASLADO, TasaOCuota="0.150000")),
    ("CFDI40179", set_(TRASLADO, TasaOCuota="0.16")),
    ("CFDI40180", set_(TRASLADO, Importe="16.000002")),
    ("CFDI40181", both(withheld, set_(RETENCION, Base="0.000000"))),
    ("CFDI40182", both(withheld, set_(RETENCION, Impuesto="009"))),
    ("CFDI40183", both(withheld, set_(RETENCION, TipoFactor="Otro"))),
    ("CFDI40184", both(withheld, set_(RETENCION, TipoFactor="Exento"))),
    ("CFDI40185", both(withheld, set_(RETENCION, TasaOCuota="0.500000"))),
    ("CFDI40186", both(withheld, set_(RETENCION, Importe="1.240000"))),
    ("CFDI40202", both(withheld, set_(TOTALS, TotalImpuestosRetenidos="1.250"))),
    ("CFDI40203", both(withheld, set_(TOTALS, TotalImpuestosRetenidos="1.26"))),
    ("CFDI40206", both(withheld, drop(TOTALS, "TotalImpuestosRetenidos"))),
    ("CFDI40208", both(withheld, duplicate(RETENIDO), set_(RETENIDO, Importe="0.00"))),
    ("CFDI40210", both(withheld, set_(RETENIDO, Importe="1.250"))),
    (
        "CFDI40211",
        both(
            withheld,
            set_(RETENIDO, Importe="1.26"),
            set_(TOTALS, TotalImpuestosRetenidos="1.26"),
            set_("", Total="346.74"),
        ),
    ),
    ("CFDI40204", set_(TOTALS, TotalImpuestosTrasladados="48.000")),
    ("CFDI40205", set_(TOTALS, TotalImpuestosTrasladados="48.01")),
    ("CFDI40205", both(exento, set_(TOTALS, TotalImpuestosTrasladados="0.01"))),
    ("CFDI40212", drop(TOTALS, "TotalImpuestosTrasladados")),
    ("CFDI40213", both(exento, set_(GROUP, Importe="0.00"))),
    ("CFDI40214", set_(GROUP, Base="300.000")),
    ("CFDI40215", set_(GROUP, Base="300.01")),
    ("CFDI40212", both(remove(TOTALS), set_("", Total="300.00"))),
    ("CFDI40216", both(exento, set_(GROUP, Base="300.01"))),
    ("CFDI40218", both(duplicate(GROUP), set_(GROUP, Importe="0.00", Base="0.00"))),
    (
        "CFDI40219",
        both(
            drop(GROUP, "TasaOCuota", "Importe"),
            set_(TOTALS, TotalImpuestosTrasladados="0.00"),
            set_("", Total="300.00"),
        ),
    ),
    ("CFDI40220", set_(GROUP, Importe="48.000")),
    (
        "CFDI40221",
        both(
            set_(GROUP, Importe="48.01"),
            set_(TOTALS, TotalImpuestosTrasladados="48.01"),
            set_("", Total="348.01"),
        ),
    ),
    ("CFDI140226", set_(CONCEPTO, ObjetoImp="06")),
    ("CFDI140227", set_(CONCEPTO, ObjetoImp="07")),
    ("CFDI140228", set_(CONCEPTO, ClaveProdServ="15101514")),
]


@pytest.fixture(scope="module")
def judge(authority: Authority) -> Judge:
    return Judge(Register(), authority.root_der)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_is_accepted(
    name: str, judge: Judge, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    GOOD[name](root)
    judge.examine(reseal(root, csd), NOW)


@pytest.mark.parametrize(
    ("code", "change"), BAD, ids=[f"{code}-{n}" for n, (code, _) in enumerate(BAD)]
)
def test_one_wrong_thing_is_refused_with_its_code(
    code: str, change: Change, judge: Judge, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    change(root)
    with pytest.raises(Refused) as refused:
        judge.examine(reseal(root, csd), NOW)
    assert refused.value.code == code
    assert refused.value.message == f"{code} - {MESSAGES[code]}"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"<a/>",
        b"\xff\xfe<\0a\0/\0>\0",
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b"<a>" * 10_000,
    ],
)
def test_what_is_no_document_is_301(data: bytes, judge: Judge) -> None:
    with pytest.raises(Refused, match="301"):
        judge.examine(data, NOW)


def test_a_changed_word_breaks_the_seal(
    judge: Judge, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    sealed = reseal(root, csd).replace("Cinturón".encode(), b"Cinturon", 1)
    with pytest.raises(Refused, match="CFDI40102"):
        judge.examine(sealed, NOW)


@pytest.mark.parametrize(
    ("sello", "code"),
    [
        *((sello, "302") for sello in ("", "x", "AAAA", "ñ", "A" * 340, "A" * 348)),
        ("A" * 341 + "=" * 3, "302"),
        ("A" * 342 + "=" * 2, "CFDI40102"),  # of the key's length
    ],
)
def test_a_seal_that_is_none_is_refused(
    sello: str, code: str, judge: Judge, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    reseal(root, csd)
    root.set("Sello", sello)
    with pytest.raises(Refused, match=code):
        judge.examine(etree.tostring(root), NOW)


@pytest.mark.parametrize("certificado", ["", "x", "AAAA"])
def test_a_certificate_that_is_none_is_refused(
    certificado: str, judge: Judge, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    reseal(root, csd)
    root.set("Certificado", certificado)
    with pytest.raises(Refused, match="CFDI40106"):
        judge.examine(etree.tostring(root), NOW)


def test_another_number_than_the_certificate_has_is_refused(
    judge: Judge, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    reseal(root, csd)
    root.set("NoCertificado", "00001000000000000000")
    with pytest.raises(Refused, match="CFDI40106"):
        judge.examine(etree.tostring(root), NOW)


def test_the_certificate_of_another_taxpayer_is_303(
    judge: Judge, root: etree._Element, authority: Authority, reseal: Reseal
) -> None:
    other = issued(authority, "CACX7605101P8", "XOCHILT CASAS CHAVEZ")
    with pytest.raises(Refused, match="303"):
        judge.examine(reseal(root, other), NOW)


@pytest.mark.parametrize("life", [timedelta(minutes=-20), timedelta(hours=-12)])
def test_a_certificate_that_had_expired_at_fecha_is_305(
    life: timedelta, judge: Judge, root: etree._Element, authority: Authority, reseal: Reseal
) -> None:
    other = issued(authority, "EKU9003173C9", "ESCUELA KEMPER URGATE", life=life)
    with pytest.raises(Refused, match="305"):
        judge.examine(reseal(root, other), NOW)


def test_an_e_firma_is_306(
    judge: Judge, root: etree._Element, authority: Authority, reseal: Reseal
) -> None:
    fiel = issued(authority, "EKU9003173C9", "ESCUELA KEMPER URGATE", unit=None)
    with pytest.raises(Refused, match="306"):
        judge.examine(reseal(root, fiel), NOW)


def test_the_certificate_of_another_authority_is_308(
    judge: Judge, root: etree._Element, reseal: Reseal, tmp_path: Path
) -> None:
    stranger = Authority.create(tmp_path / "ca", now=NOW)
    other = issued(stranger, "EKU9003173C9", "ESCUELA KEMPER URGATE")
    with pytest.raises(Refused, match="308"):
        judge.examine(reseal(root, other), NOW)


def issued(
    authority: Authority,
    rfc: str,
    nombre: str,
    *,
    life: timedelta = timedelta(days=9),
    unit: str | None = "Sucursal 1",
) -> Csd:
    """Put together without `check_csd`, which refuses most of these."""
    made = authority.issue_csd(rfc, nombre, now=NOW, life=life, unit=unit, password="x")
    return Csd(Certificate.read(made.cer_der), open_key(made.key_der, "x"))


def test_a_document_with_a_tfd_is_already_stamped(judge: Judge, root: etree._Element) -> None:
    complemento = etree.SubElement(root, f"{{{CFDI}}}Complemento")
    etree.SubElement(complemento, "{http://www.sat.gob.mx/TimbreFiscalDigital}TimbreFiscalDigital")
    with pytest.raises(AlreadyTimbrado):
        judge.examine(etree.tostring(root), NOW)


def test_a_taxpayer_added_to_the_register_is_known(
    authority: Authority, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    added = Taxpayer("MARE850101AB1", "MARIA REYES", "06000", "612")
    judge = Judge(Register(lambda: [added]), authority.root_der)
    set_("Receptor", Rfc=added.rfc, Nombre=added.nombre, DomicilioFiscalReceptor="06000")(root)
    judge.examine(reseal(root, csd), NOW)


@pytest.mark.parametrize(
    ("name", "rfc", "nombre", "regimen"),
    [
        ("EKU9003173C9_csd_30001000000500003416", "EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
        ("CACX7605101P8_csd_30001000000500003316", "CACX7605101P8", "XOCHILT CASAS CHAVEZ", "612"),
    ],
)
def test_sats_published_test_csd_is_accepted(
    name: str,
    rfc: str,
    nombre: str,
    regimen: str,
    shared: Path,
    judge: Judge,
    root: etree._Element,
    reseal: Reseal,
) -> None:
    folder = shared / "sat/csd/valid"
    csd = check_csd(
        (folder / f"{name}.cer").read_bytes(),
        (folder / f"{name}.key").read_bytes(),
        "12345678a",
        rfc=rfc,
        now=NOW,
    )
    set_("Emisor", Rfc=rfc, Nombre=nombre, RegimenFiscal=regimen)(root)
    judge.examine(reseal(root, csd), NOW)


def test_the_register_is_sats_list(shared: Path) -> None:
    listed = json.loads((shared / "sat/csd/test-taxpayers.json").read_text())["taxpayers"]
    expected = {Taxpayer(row["rfc"], row["nombre"], row["cp"], row["regimen"]) for row in listed}
    assert set(TEST_TAXPAYERS) == expected


def test_the_messages_are_sats(shared: Path) -> None:
    matrices = [
        json.loads((shared / f"sat/validation/{name}-matrix.json").read_text())["rows"]
        for name in ("cfdi40", "crp20")
    ]
    expected = {
        row["codigo"]: " ".join((row["mensaje"] or "").split()) for rows in matrices for row in rows
    }
    assert {code: text for code, text in MESSAGES.items() if code[0] == "C"} == expected


def test_every_refusal_has_words_and_a_code_that_can_be_read(
    judge: Judge, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    """A document of payments without payments breaks a rule for which SAT has no row."""
    root.set("TipoDeComprobante", "P")
    finding = Finding("pagos_missing", "Comprobante", "Falta.", "It lacks.", FixableBy.BUYER)
    refused = Refused(finding)
    assert refused.message == "CRP20999 - Falta."
    assert code_of(refused.message) == "CRP20999"
    with pytest.raises(Refused) as raised:
        judge.examine(reseal(root, csd), NOW)
    assert code_of(raised.value.message) == raised.value.code
