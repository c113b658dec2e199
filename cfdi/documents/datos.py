"""What every document states beside its amounts: who, where, when, to whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from cfdi.catalogs import FORMA_PAGO, MONEDA, REGIMEN_FISCAL, USO_CFDI
from cfdi.comprobante import CfdiRelacionados, Comprobante, Emisor, Receptor
from cfdi.documents.refused import DocumentRefused
from cfdi.pagos import DoctoRelacionado
from cfdi.receptor import GENERIC_NAME
from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL, person

#: Of who has no obligations in Mexico: the régimen of both generic RFCs.
SIN_OBLIGACIONES = "616"
SIN_EFECTOS = "S01"


@dataclass(frozen=True, slots=True)
class Expedicion:
    """Who issues, where (a postal code) and when. `fecha` is local time there, naive."""

    emisor: Emisor
    lugar_expedicion: str
    fecha: datetime
    serie: str | None = None
    folio: str | None = None


@dataclass(frozen=True, slots=True)
class Factura:
    """A stamped document, and what was issued on it since.

    `egresos` are the credit notes in force on it; `pagos` its DoctoRelacionado of each earlier
    complement in force, in their order.
    """

    uuid: str
    comprobante: Comprobante
    egresos: tuple[Comprobante, ...] = ()
    pagos: tuple[DoctoRelacionado, ...] = ()


def publico_en_general(lugar_expedicion: str) -> Receptor:
    """The receiver of a global invoice."""
    return sin_rfc(GENERIC_NAME, lugar_expedicion)


def sin_rfc(nombre: str, lugar_expedicion: str) -> Receptor:
    """A buyer in Mexico, by name, who gave no RFC. That sale goes into no global invoice."""
    return Receptor(GENERIC_NATIONAL, nombre, lugar_expedicion, SIN_OBLIGACIONES, SIN_EFECTOS)


def extranjero(
    nombre: str,
    lugar_expedicion: str,
    *,
    residencia_fiscal: str | None = None,
    num_reg_id_trib: str | None = None,
) -> Receptor:
    """A buyer abroad without an RFC; `residencia_fiscal` is c_Pais, never MEX."""
    receptor = Receptor(GENERIC_FOREIGN, nombre, lugar_expedicion, SIN_OBLIGACIONES, SIN_EFECTOS)
    return replace(receptor, residencia_fiscal=residencia_fiscal, num_reg_id_trib=num_reg_id_trib)


def refuse_receptor(receptor: Receptor, lugar_expedicion: str) -> None:
    """CFDI40146 to 40161 of the generic receivers. Raises `DocumentRefused`."""
    foreign = receptor.rfc == GENERIC_FOREIGN
    if receptor.nombre == GENERIC_NAME and receptor.rfc != GENERIC_NATIONAL:
        raise DocumentRefused("CFDI40146")
    if foreign or receptor.rfc == GENERIC_NATIONAL:
        if receptor.domicilio_fiscal != lugar_expedicion:
            raise DocumentRefused("CFDI40149")
        if receptor.regimen_fiscal != SIN_OBLIGACIONES:
            raise DocumentRefused("CFDI40159")
    abroad = (receptor.residencia_fiscal, receptor.num_reg_id_trib)
    if any(abroad) and (not foreign or receptor.residencia_fiscal in {None, "", "MEX"}):
        raise DocumentRefused("CFDI40151")
    if foreign and receptor.uso_cfdi not in {SIN_EFECTOS, "CP01"}:
        raise DocumentRefused("CFDI40161")


def refuse_expedicion(expedicion: Expedicion) -> None:
    if expedicion.fecha.tzinfo is not None:
        raise DocumentRefused("fecha")


def refuse_payment(forma_pago: str, metodo_pago: str) -> None:
    """CFDI40104, 40105, 40124. Raises `DocumentRefused`."""
    if metodo_pago not in {"PUE", "PPD"}:
        raise DocumentRefused("CFDI40124")
    if forma_pago not in FORMA_PAGO:
        raise DocumentRefused("CFDI40104")
    if (forma_pago == "99") != (metodo_pago == "PPD"):
        raise DocumentRefused("CFDI40105")


def decimales_of(moneda: str, tipo_cambio: Decimal | None) -> int:
    """The currency's decimals, its rate being there where one is due; or `DocumentRefused`."""
    decimales = MONEDA.get(moneda)
    if decimales is None or moneda == "XXX":
        raise DocumentRefused("CFDI40113")
    if moneda == "MXN":
        if tipo_cambio not in {None, 1}:
            raise DocumentRefused("CFDI40115")
    elif tipo_cambio is None or not rate_holds(tipo_cambio, 6):
        raise DocumentRefused("CFDI40115")
    return decimales


def rate_holds(rate: Decimal, decimals: int) -> bool:
    """Whether it is above zero and has at most these decimals."""
    return rate.is_finite() and 0 < rate < 10**18 and -int(rate.as_tuple().exponent) <= decimals


def uso_of_egreso(receptor: Receptor) -> str:
    """G02 ("Devoluciones, descuentos o bonificaciones") where c_UsoCFDI allows it, else S01."""
    uso, regimen = USO_CFDI["G02"], REGIMEN_FISCAL.get(receptor.regimen_fiscal)
    if receptor.rfc == GENERIC_FOREIGN or regimen is None or regimen.clave not in uso.regimenes:
        return SIN_EFECTOS
    allowed = uso.moral if person(receptor.rfc) == "moral" else uso.fisica
    return uso.clave if allowed else SIN_EFECTOS


def at_place(receptor: Receptor, lugar_expedicion: str) -> Receptor:
    """The same receiver in a document issued elsewhere: a generic RFC follows the place."""
    if receptor.rfc in {GENERIC_NATIONAL, GENERIC_FOREIGN}:
        return replace(receptor, domicilio_fiscal=lugar_expedicion)
    return receptor


def related(tipo_relacion: str, uuid: str) -> CfdiRelacionados:
    return CfdiRelacionados(tipo_relacion, (uuid.upper(),))
