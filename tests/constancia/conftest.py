"""Papers in the shape of SAT's, laid out here: SAT's words and tables, its fictitious taxpayers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pypdf
import pytest
import segno
import typst
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from cfdi.constancia import reading

#: A machine that runs many tests at once is no reason to call a good paper late. What a file may
#: take is counted in processor time, and one test lets the clock run out.
PATIENCE = 600.0
VALIDATOR = "https://siat.sat.gob.mx/app/qr/faces/pages/mobile/validadorqr.jsf"


@dataclass(frozen=True)
class Holder:
    """What is printed. `name` are the rows between the RFC and the dates."""

    rfc: str
    name: tuple[tuple[str, str], ...]
    on_card: str
    cp: str
    regimenes: tuple[tuple[str, ...], ...]
    id_cif: str = "12345678901"
    qr: str | None = None
    rfc_of_the_seal: str = ""
    titles: tuple[str, str] = ("CÉDULA DE IDENTIFICACIÓN FISCAL", "CONSTANCIA DE SITUACIÓN FISCAL")
    obligations: int = 3
    curp: str = ""

    @property
    def qr_text(self) -> str:
        if self.qr is not None:
            return self.qr
        return f"{VALIDATOR}?D1=10&D2=1&D3={self.id_cif}_{self.rfc}"


PERSON = Holder(
    rfc="CACX7605101P8",
    curp="CACX760510MGTSHC04",
    name=(
        ("Nombre (s):", "XOCHILT"),
        ("Primer Apellido:", "CASAS"),
        ("Segundo Apellido:", "CHAVEZ"),
    ),
    on_card="XOCHILT CASAS CHAVEZ",
    cp="36257",
    regimenes=(
        (
            "Régimen de las Personas Físicas con Actividades Empresariales y Profesionales",
            "10/05/1996",
        ),
        ("Régimen de Sueldos y Salarios e Ingresos Asimilados a Salarios", "01/02/2023"),
        ("Régimen de Incorporación Fiscal", "01/01/2014", "31/12/2021"),
    ),
)
COMPANY = Holder(
    rfc="EKU9003173C9",
    name=(
        ("Denominación/Razón Social:", "ESCUELA KEMPER URGATE"),
        ("Régimen Capital:", "SOCIEDAD ANONIMA DE CAPITAL VARIABLE"),
        ("Nombre Comercial:", "ESCUELA KEMPER"),
    ),
    on_card="ESCUELA KEMPER URGATE",
    cp="42501",
    regimenes=(("Régimen General de Ley Personas Morales", "17/03/1990"),),
)

_PAPER = """
#let h = json(bytes(sys.inputs.data))
#set document(date: none)
#set page(width: 21.6cm, height: 27.9cm, margin: 1.5cm,
  footer: context [Página \\[#counter(page).display()\\] de \\[3\\]])
#set text(size: 9pt, font: "Libertinus Serif")
#let row(..cells) = table(columns: (1fr, 2fr), ..cells)
#grid(columns: (5cm, 5cm, 1fr),
  image(bytes(h.qr_png), width: 3cm),
  [#upper(h.titles.at(0)) #parbreak() #h.rfc #linebreak() Registro Federal de Contribuyentes
   #parbreak() #h.on_card #linebreak() Nombre, denominación o razón #linebreak() social
   #parbreak() idCIF: #h.id_cif #linebreak() VALIDA TU INFORMACIÓN #linebreak() FISCAL],
  [#h.titles.at(1) #parbreak() Lugar y Fecha de Emisión #linebreak()
   PACHUCA DE SOTO, HIDALGO A 20 DE NOVIEMBRE DE 2026 #parbreak() #h.rfc])
#row(table.cell(colspan: 2)[Datos de Identificación del Contribuyente:],
  [RFC:], [#h.rfc],
  ..if h.curp != "" { ([CURP:], [#h.curp]) },
  ..for (label, value) in h.name { ([#label], [#value]) },
  [Fecha inicio de operaciones:], [17 DE MARZO DE 1990],
  [Estatus en el padrón:], [ACTIVO],
  [Fecha de último cambio de estado:], [17 DE MARZO DE 1990])
#table(columns: (1fr, 1fr), table.cell(colspan: 2)[Datos del domicilio registrado],
  [Código Postal:#h.cp], [Tipo de Vialidad: AVENIDA (AV.)],
  [Nombre de Vialidad: HIDALGO], [Número Exterior: 77],
  [Número Interior:], [Nombre de la Colonia: CENTRO],
  [Nombre de la Localidad: PACHUCA],
  [Nombre del Municipio o Demarcación Territorial: PACHUCA DE SOTO],
  [Nombre de la Entidad Federativa: HIDALGO], [Entre Calle: 20 DE NOVIEMBRE])
#pagebreak()
Actividades Económicas:
#table(columns: 5, [Orden], [Actividad Económica], [Porcentaje], [Fecha Inicio], [Fecha Fin],
  [1], [Escuelas de educación primaria], [100], [17/03/1990], [])
Regímenes:
#table(columns: (9cm, 1fr, 1fr), [Régimen], [Fecha Inicio], [Fecha Fin],
  ..for r in h.regimenes { ([#r.at(0)], [#r.at(1)], [#r.at(2, default: "")]) })
Obligaciones:
#table(columns: (5cm, 1fr, 2.5cm), [Descripción de la Obligación], [Descripción Vencimiento],
  [Fecha Inicio],
  ..for n in range(h.obligations) { ([Pago definitivo mensual de IVA. Régimen Simplificado],
    [A más tardar el día 17 del mes inmediato posterior], [01/01/2022]) })
Sus datos personales son incorporados y protegidos en los sistemas del SAT.
Cadena Original Sello: ||2026/11/20|#h.rfc_of_the_seal|CONSTANCIA DE SITUACIÓN FISCAL|200001||
"""
_CEDULA = """
#let h = json(bytes(sys.inputs.data))
#set document(date: none)
#set page(width: 21.6cm, height: 27.9cm, margin: 1.5cm)
#set text(font: "Libertinus Serif")
= CÉDULA DE DATOS FISCALES
#image(bytes(h.qr_png), width: 3cm)
RFC #linebreak() #h.rfc

Nombre, denominación o razón social #linebreak() #h.on_card

Código postal #linebreak() #h.cp

Régimen fiscal #linebreak() #h.regimenes.map(r => r.at(0)).join(linebreak())

idCIF #linebreak() #h.id_cif
"""


def _typeset(template: str, holder: Holder) -> bytes:
    png = io.BytesIO()
    segno.make(holder.qr_text or "nothing of SAT's", error="m").save(png, kind="png", scale=4)
    data = {name: getattr(holder, name) for name in Holder.__dataclass_fields__} | {
        "qr_png": list(png.getvalue()),
        "rfc_of_the_seal": holder.rfc_of_the_seal or holder.rfc,
    }
    made = typst.compile(template.encode(), format="pdf", sys_inputs={"data": json.dumps(data)})
    assert isinstance(made, bytes)
    return made


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECONDS", PATIENCE)
    monkeypatch.setattr(reading, "_SECONDS_FOR_A_SEAT", PATIENCE)


@pytest.fixture(scope="session")
def constancia() -> Callable[..., bytes]:
    """A Constancia of the holder, with what the call changes."""

    def make(holder: Holder = COMPANY, **changes: Any) -> bytes:
        return _typeset(_PAPER, replace(holder, **changes))

    return make


@pytest.fixture(scope="session")
def cedula() -> Callable[..., bytes]:
    def make(holder: Holder = PERSON, **changes: Any) -> bytes:
        return _typeset(_CEDULA, replace(holder, **changes))

    return make


@pytest.fixture
def person() -> Holder:
    return PERSON


@pytest.fixture
def company() -> Holder:
    return COMPANY


@dataclass
class Rewriting:
    """A PDF opened to be made hostile."""

    writer: pypdf.PdfWriter = field(default_factory=pypdf.PdfWriter)

    def saved(self) -> bytes:
        out = io.BytesIO()
        self.writer.write(out)
        return out.getvalue()

    def page_of(self, content: bytes) -> DictionaryObject:
        """A page more, with this content stream (compressed)."""
        page = self.writer.add_blank_page(600, 800)
        stream = DecodedStreamObject()
        stream.set_data(content)
        page[NameObject("/Contents")] = self.writer._add_object(stream.flate_encode())
        return page


@pytest.fixture
def rewriting() -> Callable[[bytes], Rewriting]:
    def opened(pdf: bytes = b"") -> Rewriting:
        if not pdf:
            return Rewriting()
        return Rewriting(pypdf.PdfWriter(clone_from=io.BytesIO(pdf)))

    return opened
