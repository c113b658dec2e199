"""Documents other than a plain invoice: credit notes, payments, transfers, thousands of tickets."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from cfdi.pdf import NotPrintable, render

Stamped = Callable[..., bytes]
PAID = "5B3C1D2E-8F4A-4C6B-9D7E-0A1B2C3D4E60"
PAYMENTS = (
    '<pago20:Pagos xmlns:pago20="http://www.sat.gob.mx/Pagos20" Version="2.0">'
    '<pago20:Totales TotalRetencionesISR="12.50" TotalTrasladosBaseIVA16="1000.00" '
    'TotalTrasladosImpuestoIVA16="160.00" MontoTotalPagos="1160.00"/>'
    '<pago20:Pago FechaPago="2026-11-19T12:00:00" FormaDePagoP="03" MonedaP="MXN" TipoCambioP="1" '
    'Monto="1160.00" NumOperacion="A-77" RfcEmisorCtaOrd="BBA830831LJ2" CtaOrdenante="0123456789">'
    f'<pago20:DoctoRelacionado IdDocumento="{PAID}" Serie="F" Folio="9" MonedaDR="USD" '
    'EquivalenciaDR="0.0582750000" NumParcialidad="2" ImpSaldoAnt="200.00" ImpPagado="67.60" '
    'ImpSaldoInsoluto="132.40" ObjetoImpDR="02"><pago20:ImpuestosDR><pago20:TrasladosDR>'
    '<pago20:TrasladoDR BaseDR="58.275" ImpuestoDR="002" TipoFactorDR="Tasa" '
    'TasaOCuotaDR="0.160000" ImporteDR="9.324"/></pago20:TrasladosDR></pago20:ImpuestosDR>'
    "</pago20:DoctoRelacionado><pago20:ImpuestosP><pago20:RetencionesP>"
    '<pago20:RetencionP ImpuestoP="001" ImporteP="12.50"/></pago20:RetencionesP>'
    "</pago20:ImpuestosP></pago20:Pago></pago20:Pagos>"
)


def text_of(pdf: bytes) -> str:
    pages = (page.extract_text().replace("\u200b", "") for page in PdfReader(io.BytesIO(pdf)).pages)
    return " ".join(" ".join(page.split()) for page in pages)


def with_complement(xml: bytes, complement: str) -> bytes:
    return xml.replace(b"<cfdi:Complemento>", b"<cfdi:Complemento>" + complement.encode(), 1)


def payment(stamped: Stamped) -> bytes:
    receipt = stamped(
        TipoDeComprobante="P", Moneda="XXX", SubTotal="0", Total="0", totals="", FormaPago=""
    )
    return with_complement(receipt, PAYMENTS)


@pytest.mark.parametrize(("language", "title"), [("es", "Recibo de pago"), ("en", "Payment rec")])
def test_a_receipt_of_payments_says_what_was_paid(
    stamped: Stamped, language: str, title: str
) -> None:
    text = text_of(render(payment(stamped), sandbox=False, language=language))
    for expected in (
        *(title, "1,160.00 MXN", "2026-11-19 12:00:00", "03 – Transferencia electrónica", "A-77"),
        *("BBA830831LJ2 · 0123456789", "F-9", PAID, "USD", "200.00", "67.60", "132.40"),
        *("1 MXN = 0.058275 USD", "002 IVA 16 %", "base 58.275", "001 ISR", "Base IVA 16 %"),
        *("1,000.00", "160.00", "12.50", "MIL CIENTO SESENTA PESOS 00/100 M.N."),
    ):
        assert expected in text, expected


def test_many_payments_are_numbered(stamped: Stamped) -> None:
    pago = re.search(r"<pago20:Pago .*?</pago20:Pago>", PAYMENTS)
    assert pago is not None
    xml = payment(stamped).replace(pago.group().encode(), pago.group().encode() * 40)
    text = text_of(render(xml, sandbox=False))
    assert "Pago 1 " in text
    assert "Pago 40 " in text


def test_a_credit_note_names_what_it_credits(stamped: Stamped) -> None:
    extra = (
        f'<cfdi:CfdiRelacionados TipoRelacion="01"><cfdi:CfdiRelacionado UUID="{PAID}"/>'
        "</cfdi:CfdiRelacionados>"
    )
    text = text_of(render(stamped(TipoDeComprobante="E", extra=extra), sandbox=False))
    for expected in ("Nota de crédito", "01 – Nota de crédito de los documentos", PAID):
        assert expected in text


def test_a_global_invoice_is_called_so(stamped: Stamped) -> None:
    extra = '<cfdi:InformacionGlobal Periodicidad="04" Meses="11" Año="2026"/>'
    assert "Factura global" in text_of(render(stamped(extra=extra), sandbox=False))


def test_a_transfer_is_printed(stamped: Stamped) -> None:
    text = text_of(render(stamped(TipoDeComprobante="T", Moneda="XXX"), sandbox=False))
    assert "T – Traslado" in text


def test_every_part_of_a_concept_is_printed(stamped: Stamped) -> None:
    more = (
        b'<cfdi:ACuentaTerceros RfcACuentaTerceros="JUFA7608212V6" NombreACuentaTerceros="ADRIANA '
        b'JUAREZ FERNANDEZ" RegimenFiscalACuentaTerceros="601" '
        b'DomicilioFiscalACuentaTerceros="29133"/>'
        b'<cfdi:InformacionAduanera NumeroPedimento="15  48  3009  0001234"/>'
        b'<cfdi:CuentaPredial Numero="15956011002"/>'
        b'<cfdi:Parte ClaveProdServ="50211503" NoIdentificacion="055155" Cantidad="2" '
        b'Unidad="caja" Descripcion="Cajetillas"><cfdi:InformacionAduanera '
        b'NumeroPedimento="15  48  3009  0009999"/></cfdi:Parte></cfdi:Concepto>'
    )
    text = text_of(render(stamped().replace(b"</cfdi:Concepto>", more), sandbox=False))
    for expected in (
        *("ADRIANA JUAREZ FERNANDEZ", "JUFA7608212V6", "CP 29133", "Pedimento 15 48 3009 0001234"),
        *("Cuenta predial 15956011002", "Parte: 2 caja · Cajetillas", "055155", "0009999"),
    ):
        assert expected in text, expected


def test_a_foreign_buyer_is_printed(stamped: Stamped) -> None:
    xml = stamped().replace(
        b"UsoCFDI=", b'ResidenciaFiscal="USA" NumRegIdTrib="12-3456789" UsoCFDI='
    )
    text = text_of(render(xml, sandbox=False))
    assert "Residencia fiscal USA" in text
    assert "12-3456789" in text


def test_a_complement_that_is_not_laid_out_is_named(stamped: Stamped) -> None:
    donation = '<d:Donatarias xmlns:d="http://www.sat.gob.mx/donat" version="1.1"/>'
    text = text_of(render(with_complement(stamped(), donation), sandbox=False))
    assert "Donatarias sus datos están en el XML" in text


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_cancelled_document_says_so_on_every_page(stamped: Stamped, sandbox: bool) -> None:
    pdf = PdfReader(io.BytesIO(render(stamped(60), sandbox=sandbox, cancelled=True)))
    for page in pdf.pages:
        assert page.extract_text().count("CANCELADO") == 2
        assert ("SIN VALIDEZ" in page.extract_text()) is sandbox


def test_thousands_of_tickets_are_listed_whole(stamped: Stamped) -> None:
    text = text_of(render(stamped(1500, sku="T-7"), sandbox=False))
    for number in (1, 299, 300, 301, 1500):
        assert f"{number} 52161520 · T-7 · Café de altura, bolsa de 500 g {number} " in text
    assert text.count("002 IVA 16 % · base 1,086.206897 · importe 173.793104") == 1500
    assert "Subtotal 1,629,310.35" in text


@pytest.mark.parametrize("length", [75, 90, 130, 400])
def test_a_listed_description_of_any_length_is_whole(stamped: Stamped, length: int) -> None:
    words = "".join(f"w{n:03}" for n in range(length // 4))
    pdf = render(stamped(301, description=words), sandbox=False)
    text, turns = text_of(pdf).replace(" ", ""), len(PdfReader(io.BytesIO(pdf)).pages) - 1
    # At the end of a page one may be torn in two.
    assert text.count(words) >= 301 - turns > 200
    assert text.count("×1,086.206897=1,086.206897") >= 301 - turns


def test_figures_beyond_the_cents_are_there(stamped: Stamped) -> None:
    assert "1,086.206897" in text_of(render(stamped(), sandbox=False)).replace(" ", "")


def test_payroll_is_refused(stamped: Stamped) -> None:
    with pytest.raises(NotPrintable, match="I, E, T and P"):
        render(stamped(TipoDeComprobante="N"), sandbox=False)
