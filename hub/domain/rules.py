"""What a merchant decided about its invoices: one TOML text, explained in docs/rules.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from cfdi import catalogs
from cfdi.comprobante import Impuesto, TipoFactor
from hub.domain.pagina import Pagina, pagina_of
from hub.domain.sale import Payment, SaleLine, SaleTax
from hub.domain.schemas import Problem, path_of, problems

IMPUESTOS: Final = {"IVA": Impuesto.IVA, "IEPS": Impuesto.IEPS}
_FACTORS: Final = {factor.value: factor for factor in TipoFactor}

#: Fuels need the complement "Hidrocarburos y Petrolíferos" (CFDI140228), which is not made here.
_WITH_COMPLEMENT: Final = frozenset({"15101505", "15101514", "15101515"})
_TEXT_MAX: Final = 1_000_000
_NAMED: Final = re.compile(r"\b(IVA|IEPS)\b", re.IGNORECASE)
_EXEMPT: Final = re.compile(r"exen", re.IGNORECASE)


class RulesInvalid(ValueError):
    """Not rules. `problems` has all of them: where (a path of keys) and what to do."""

    def __init__(self, found: tuple[Problem, ...]) -> None:
        super().__init__(f"the rules have {len(found)} problems")
        self.problems = found


@dataclass(frozen=True, slots=True)
class Producto:
    """SAT's keys of a line; None where this rule does not say."""

    clave_prod_serv: str | None = None
    clave_unidad: str | None = None
    objeto_imp: str | None = None
    #: What a line without taxes is: exento, tasa_0, no_objeto, incluye_iva_16 or incluye_iva_8.
    impuesto: str | None = None

    def over(self, other: Producto) -> Producto:
        """This rule where it says something, the other one where it does not."""
        return Producto(
            self.clave_prod_serv or other.clave_prod_serv,
            self.clave_unidad or other.clave_unidad,
            self.objeto_imp or other.objeto_imp,
            self.impuesto or other.impuesto,
        )


#: A rule that says nothing, which is what most are.
_SILENT: Final = Producto()
#: SAT allows 01010101 ("No existe en el catálogo") with H87 (pieza): a gap to be filled.
PRODUCTO: Final = Producto("01010101", "H87")
#: "Servicios de envío, recogida o entrega de correo", "Unidad de servicio".
ENVIO: Final = Producto("78102203", "E48")
CARGO: Final = Producto("01010101", "E48")


@dataclass(frozen=True, slots=True)
class TaxRule:
    """What a tax of the platform is. `tasa` None: the rate the platform states."""

    impuesto: Impuesto
    factor: TipoFactor
    tasa: Decimal | None


@dataclass(frozen=True, slots=True)
class Rules:
    forma_pago_default: str | None = None
    formas_pago: Mapping[str, str] = field(default_factory=dict)
    producto: Producto = _SILENT
    skus: Mapping[str, Producto] = field(default_factory=dict)
    productos: Mapping[str, Producto] = field(default_factory=dict)
    categorias: Mapping[str, Producto] = field(default_factory=dict)
    envio: Producto = _SILENT
    cargo: Producto = _SILENT
    impuestos: Mapping[str, TaxRule] = field(default_factory=dict)
    tipos_cambio: Mapping[str, Decimal] = field(default_factory=dict)
    #: Whole days after the payment; None: until the end of `hasta`.
    dias: int | None = None
    hasta: str = "mes"
    serie: str = "F"
    folio_inicial: int = 1
    serie_nota: str = "NC"
    #: "automatica" or "revision": what becomes of a refund that comes after the invoice.
    nota_de_credito: str = "automatica"
    #: Allowed c_UsoCFDI; empty: all.
    usos: tuple[str, ...] = ()
    nombre: str = ""
    correo: str = ""
    idioma: str = "es"
    #: Customers whose fiscal data are known get their invoice unasked; what is missing in those of
    #: a platform is taken from here.
    automatico: bool = False
    automatico_uso: str = ""
    automatico_regimen: str = ""
    invitar: bool = True
    dias_invitacion: int = 7
    #: Days before the deadline at which a buyer who has no invoice is reminded once; 0: never.
    recordatorio_dias: int = 3
    #: By what buyers are told: "correo", "sms", "whatsapp".
    canales: tuple[str, ...] = ("correo",)
    #: By each of them; else by the first by which it goes.
    canales_todos: bool = False
    pagina: Pagina = field(default_factory=Pagina)

    def product_of(self, line: SaleLine) -> Producto:
        """The keys of a line: its own, the rule nearest to it, else the default of its kind."""
        named = Producto(line.clave_prod_serv, line.clave_unidad, line.objeto_imp)
        for rule in self._rules_of(line):
            if rule is not None and rule is not _SILENT:
                named = named.over(rule)
        return named

    def _rules_of(self, line: SaleLine) -> tuple[Producto | None, ...]:
        """The nearest first."""
        by_sku = self.skus.get(line.sku)
        if line.kind == "shipping":
            return by_sku, self.envio, ENVIO
        if line.kind != "product":
            return by_sku, self.cargo, CARGO
        by_product = self.productos.get(line.product)
        by_category = self.categorias.get(line.category)
        return by_sku, by_product, by_category, self.producto, PRODUCTO

    def forma_pago_of(self, payment: Payment | None) -> str | None:
        """c_FormaPago of a payment; None if nobody said. Never guessed."""
        if payment is None:
            return self.forma_pago_default
        named = self.formas_pago.get(payment.method)
        return payment.forma_pago or named or self.forma_pago_default

    def tax_of(self, tax: SaleTax) -> TaxRule | None:
        """What a tax is, its rate in SAT's catalog; None if nobody said. Never guessed."""
        rule = self._tax_rule(tax)
        if rule is None:
            return None
        if rule.tasa is None and rule.factor is not TipoFactor.EXENTO:
            rule = TaxRule(rule.impuesto, rule.factor, tax.rate)
        return rule if catalogs.tasa_exists(rule.impuesto, rule.factor, rule.tasa) else None

    def _tax_rule(self, tax: SaleTax) -> TaxRule | None:
        if tax.impuesto is not None:
            impuesto = IMPUESTOS.get(tax.impuesto)
            factor = _FACTORS.get(tax.factor)
            return TaxRule(impuesto, factor, None) if impuesto and factor else None
        for name in (tax.ref.casefold(), tax.label.strip().casefold()):
            if name and name in self.impuestos:
                return self.impuestos[name]
        named = {word.upper() for word in _NAMED.findall(tax.label)}
        if len(named) != 1 or _EXEMPT.search(tax.label) or tax.factor != TipoFactor.TASA:
            return None
        return TaxRule(IMPUESTOS[named.pop()], TipoFactor.TASA, None)


def parse(toml: str) -> Rules:
    """The rules of a text; "" is the defaults. Raises `RulesInvalid` with every problem at once."""
    document = _document(toml)
    found = problems("rules", document)
    if not found:
        found = [*_unknown_keys(document), *_unknown_rates(document)]
    if found:
        raise RulesInvalid(tuple(found))
    return _rules(document)


def _document(toml: str) -> dict[str, Any]:
    if len(toml) > _TEXT_MAX:
        raise RulesInvalid((("", f"the text is longer than {_TEXT_MAX} characters"),))
    try:
        return tomllib.loads(toml, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:
        where = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        raise RulesInvalid(
            (("", f"the text is not TOML{f', {where[1]}' if where else ''}"),)
        ) from error


def _unknown_keys(document: Mapping[str, Any]) -> Iterator[Problem]:
    for steps, producto in _productos(document.get("producto", {})):
        clave, unidad = producto.get("clave_prod_serv"), producto.get("clave_unidad")
        if clave in _WITH_COMPLEMENT:
            yield path_of((*steps, "clave_prod_serv")), "needs a complement that is not made here"
        elif clave and not catalogs.clave_prod_serv_exists(clave):
            yield path_of((*steps, "clave_prod_serv")), "is not in c_ClaveProdServ"
        if unidad and not catalogs.clave_unidad_exists(unidad):
            yield path_of((*steps, "clave_unidad")), "is not in c_ClaveUnidad"
    for moneda in document.get("moneda", {}):
        if moneda == "MXN" or moneda not in catalogs.MONEDA:
            yield path_of(("moneda", moneda)), "is not a foreign currency of c_Moneda"


def _productos(section: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    for name, value in section.items():
        if name in {"sku", "producto", "categoria"}:
            for key, producto in value.items():
                yield ("producto", name, key), producto
        else:
            yield ("producto", name), value


def _unknown_rates(document: Mapping[str, Any]) -> Iterator[Problem]:
    for name, rule in document.get("impuestos", {}).items():
        path = path_of(("impuestos", name, "tasa"))
        factor, tasa = rule.get("factor", "Tasa"), rule.get("tasa")
        if factor == "Exento" and tasa is not None:
            yield path, "goes without a rate: it is Exento"
        elif tasa is not None and not catalogs.tasa_exists(
            IMPUESTOS[rule["impuesto"]], factor, Decimal(tasa)
        ):
            yield path, f"is not a rate of c_TasaOCuota for {rule['impuesto']} {factor}"
    for moneda, rule in document.get("moneda", {}).items():
        tipo_cambio = Decimal(rule["tipo_cambio"])
        if tipo_cambio <= 0 or tipo_cambio != round(tipo_cambio, 6) or tipo_cambio >= 10**12:
            yield (
                path_of(("moneda", moneda, "tipo_cambio")),
                "needs to be above 0, 6 decimals at most",
            )


def _rules(document: Mapping[str, Any]) -> Rules:
    section: dict[str, dict[str, Any]] = {name: dict(one) for name, one in document.items()}
    formas, producto = section.get("forma_pago", {}), section.get("producto", {})
    ventana, pagina = section.get("ventana", {}), section.get("pagina", {})
    return Rules(
        forma_pago_default=formas.pop("default", None),
        formas_pago=formas,
        producto=_producto(producto, "default"),
        skus=_named(producto, "sku"),
        productos=_named(producto, "producto"),
        categorias=_named(producto, "categoria"),
        envio=_producto(producto, "envio"),
        cargo=_producto(producto, "cargo"),
        impuestos=_impuestos(section.get("impuestos", {})),
        tipos_cambio={
            moneda: Decimal(rule["tipo_cambio"])
            for moneda, rule in section.get("moneda", {}).items()
        },
        dias=ventana.get("dias"),
        hasta=ventana.get("hasta", "mes" if ventana.get("emite_global", True) else "anio"),
        serie=section.get("serie", {}).get("nombre", "F"),
        folio_inicial=section.get("serie", {}).get("folio_inicial", 1),
        serie_nota=section.get("serie", {}).get("nota_de_credito", "NC"),
        nota_de_credito=section.get("devoluciones", {}).get("nota_de_credito", "automatica"),
        usos=tuple(section.get("usos", {}).get("permitidos", ())),
        nombre=pagina.get("nombre", ""),
        correo=pagina.get("correo", ""),
        idioma=pagina.get("idioma", "es"),
        automatico=section.get("automatico", {}).get("facturar", False),
        automatico_uso=section.get("automatico", {}).get("uso", ""),
        automatico_regimen=section.get("automatico", {}).get("regimen", ""),
        invitar=section.get("invitaciones", {}).get("enviar", True),
        dias_invitacion=section.get("invitaciones", {}).get("dias", 7),
        recordatorio_dias=section.get("invitaciones", {}).get("recordatorio_dias", 3),
        canales=tuple(section.get("canales", {}).get("invitacion", ("correo",))),
        canales_todos=section.get("canales", {}).get("modo") == "todos",
        pagina=pagina_of(pagina),
    )


def _producto(section: Mapping[str, Any], name: str) -> Producto:
    return Producto(**section[name]) if name in section else _SILENT


def _named(section: Mapping[str, Any], name: str) -> dict[str, Producto]:
    return {key: Producto(**one) for key, one in section.get(name, {}).items()}


def _impuestos(section: Mapping[str, Any]) -> dict[str, TaxRule]:
    """By rate id or label, without regard to case."""
    return {
        name.strip().casefold(): TaxRule(
            IMPUESTOS[rule["impuesto"]],
            TipoFactor(rule.get("factor", "Tasa")),
            None if rule.get("tasa") is None else Decimal(rule["tasa"]),
        )
        for name, rule in section.items()
    }
