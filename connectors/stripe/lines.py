"""The lines of an invoice or a Checkout Session: what each cost without tax, and its taxes.

Which of Stripe's amounts add up to what was charged: README.md, "Money".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader
from connectors.stripe.choices import INCLUDE_16, OBJETO_01, Choices
from connectors.stripe.money import ZERO, Money, share
from connectors.stripe.shapes import Document, ident, key_of, listed
from connectors.stripe.taxes import (
    Charged,
    Rate,
    Stated,
    charged,
    charged_at_checkout,
    rates_of,
    was_charged,
)
from hub.domain.sale import SaleLine, SaleTax

#: cfdi:Concepto/@Descripcion: http://omawww.sat.gob.mx/tramitesyservicios/Paginas/anexo_20.htm
MAX_DESCRIPTION: Final = 1000
#: cfdi:Concepto/@Cantidad has six decimals at most; Stripe's `quantity_decimal` twelve.
_FINEST: Final = Decimal("0.000001")
_IVA_16: Final = Decimal("0.16")
#: Names in a product's metadata, without case and marks, by the field of a line.
_KEYS: Final = {
    "clave_prod_serv": ("claveprodserv", "claveproductoservicio", "productkey"),
    "clave_unidad": ("claveunidad", "unitkey"),
    "objeto_imp": ("objetoimp", "objetodeimpuesto"),
    "sku": ("sku",),
    "category": ("category", "categoria"),
}


@dataclass(frozen=True, slots=True)
class Raw:
    """A line as Stripe states it. `before` and `after` its discounts are as listed."""

    key: str
    description: str
    quantity: Decimal
    before: Decimal
    after: Decimal
    #: What is paid for it, taxes included.
    gross: Decimal
    taxes: tuple[Charged, ...]
    product: str = ""
    kind: str = "product"
    #: Where it stands; of a line that we made, nowhere.
    item: Reader | None = None

    @property
    def base(self) -> Decimal:
        return self.gross - sum((tax.amount for tax in self.taxes), ZERO)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes lines of one document, all by the same rates and choices."""

    document: Document
    choices: Choices
    rates: Mapping[str, Rate]

    def line(self, raw: Raw) -> SaleLine:
        stated = [(tax, self.rates[tax.ref]) for tax in raw.taxes if tax.ref in self.rates]
        taxes = tuple(rate.on(tax) for tax, rate in stated if was_charged(tax, rate))
        base = raw.gross - sum((tax.amount for tax in taxes), ZERO)
        subtotal = _listed(raw, base)
        line = SaleLine(
            key=raw.key,
            description=raw.description,
            quantity=raw.quantity,
            subtotal=subtotal,
            discount=subtotal - base,
            taxes=taxes,
            kind=raw.kind,
            product=raw.product,
        )
        line = self._with_keys(line)
        return line if taxes or not raw.gross else self._untaxed(line)

    def _with_keys(self, line: SaleLine) -> SaleLine:
        """What a merchant wrote at the product, in Stripe."""
        metadata = self.document.by_id("products", line.product).at("metadata")
        if not isinstance(metadata.value, dict):
            return line
        told = {_bare(name): value for name, value in metadata.value.items()}
        found = {
            field: value.strip()[:100]
            for field, names in _KEYS.items()
            for value in [next((told[name] for name in names if name in told), "")]
            if isinstance(value, str) and value.strip()
        }
        return replace(line, **found)  # type: ignore[arg-type] # each of these fields is a text

    def _untaxed(self, line: SaleLine) -> SaleLine:
        """A line that Stripe put no tax on is what the merchant says it is, if he does."""
        if self.choices.untaxed == OBJETO_01 and line.objeto_imp is None:
            return replace(line, objeto_imp="01")
        if self.choices.untaxed != INCLUDE_16 or line.objeto_imp not in {None, "02"}:
            return line
        base = share(line.base, Decimal(1), 1 + _IVA_16)
        subtotal = share(line.subtotal, Decimal(1), 1 + _IVA_16) if line.discount else base
        iva = SaleTax(line.base - base, _IVA_16, "IVA")
        return replace(line, subtotal=subtotal, discount=subtotal - base, taxes=(iva,))


def _bare(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _listed(raw: Raw, base: Decimal) -> Decimal:
    """The price before discounts and without tax: a discount upon prices with tax held some."""
    if raw.before <= raw.after or raw.gross < 0:
        return base
    if raw.after == base or not raw.after:
        return raw.before
    return max(share(base, raw.before, raw.after), base)


def maker_of(
    document: Document,
    raws: Sequence[Raw],
    choices: Choices,
    money: Money,
    doubts: list[str],
) -> Maker:
    stated = [Stated(raw.base, raw.taxes) for raw in raws]
    items = [raw.item for raw in raws if raw.item is not None]
    return Maker(document, choices, rates_of(document, items, stated, money, doubts))


def of_invoice(document: Document, money: Money, doubts: list[str]) -> list[Raw]:
    """Every line of the invoice, and what shipping cost."""
    invoice = document.object
    items = document.listed("lines") if document.fetched.has("lines") else listed(invoice, "lines")
    if not document.fetched.has("lines") and _continued(invoice.at("lines")):
        doubts.append("La factura tiene más renglones de los que llegaron.")
    raws = [invoice_line(item, money) for item in items]
    raws += _shipping(invoice, money)
    _refuse_twins(raws)
    return raws


def _continued(place: Reader) -> bool:
    return isinstance(place.value, dict) and place.flag("has_more", default=False)


def _refuse_twins(raws: Sequence[Raw]) -> None:
    if len({raw.key for raw in raws}) != len(raws):
        raise DeliveryUnreadable("a line stands twice in the document")


def invoice_line(item: Reader, money: Money) -> Raw:
    """https://docs.stripe.com/api/invoice-line-item/object"""
    before = money.amount(item, "amount")
    after = before - _discounts(item, money)
    taxes = charged(item, money)
    on_top = sum((tax.amount for tax, included in taxes if not included), ZERO)
    return Raw(
        key=key_of(item),
        description=described(item.text("description", "")) or "Servicio",
        quantity=_quantity(item),
        before=before,
        after=after,
        gross=after + on_top,
        taxes=tuple(tax for tax, _ in taxes),
        product=_product(item),
        item=item,
    )


def _discounts(item: Reader, money: Money) -> Decimal:
    """Coupons of the line and of the invoice, and credit grants: all come before tax."""
    coupons = (money.amount(one, "amount", ZERO) for one in item.items("discount_amounts"))
    grants = (
        money.amount(one, "amount", ZERO)
        for one in item.items("pretax_credit_amounts")
        if one.text("type", "") == "credit_balance_transaction"
    )
    return sum((*coupons, *grants), ZERO)


def _quantity(item: Reader) -> Decimal:
    """1 where there is none: a flat fee of a tier is charged for no unit at all."""
    whole = item.decimal("quantity", ZERO)
    quantity = item.decimal("quantity_decimal", whole)
    quantity = quantity.quantize(_FINEST, ROUND_HALF_UP).normalize() if quantity else quantity
    return quantity if quantity > 0 else Decimal(1)


def _product(item: Reader) -> str:
    pricing = item.at("pricing.price_details")
    if pricing.value is not None:
        return ident(pricing, "product") or _product_of_price(pricing)
    return _product_of_price(item) or ident(item, "plan.product")


def _product_of_price(place: Reader) -> str:
    return ident(place, "price.product") if isinstance(place.at("price").value, dict) else ""


def _shipping(place: Reader, money: Money, name: str = "shipping_cost") -> Iterator[Raw]:
    """https://docs.stripe.com/api/invoices/object#invoice_object-shipping_cost"""
    cost = place.at(name)
    if cost.value is None or not (gross := money.amount(cost, "amount_total", ZERO)):
        return
    yield Raw(
        key="shipping",
        description="Envío",
        quantity=Decimal(1),
        before=gross,
        after=gross,
        gross=gross,
        taxes=tuple(charged_at_checkout(cost, money)),
        kind="shipping",
        product=ident(cost, "shipping_rate"),
        item=cost,
    )


def of_session(session: Reader, money: Money, doubts: list[str]) -> list[Raw]:
    """Every line of a Checkout Session without an invoice, and what shipping cost."""
    if _continued(session.at("line_items")):
        doubts.append("La compra tiene más renglones de los que llegaron.")
    raws = [_session_line(item, money) for item in listed(session, "line_items")]
    raws += _shipping(session, money) if raws else ()
    _refuse_twins(raws)
    return raws


def _session_line(item: Reader, money: Money) -> Raw:
    """https://docs.stripe.com/api/checkout/sessions/line_items"""
    before = money.amount(item, "amount_subtotal")
    return Raw(
        key=key_of(item),
        description=described(item.text("description", "")) or "Producto",
        quantity=_quantity(item),
        before=before,
        after=before - money.amount(item, "amount_discount", ZERO),
        gross=money.amount(item, "amount_total"),
        taxes=tuple(charged_at_checkout(item, money)),
        product=_product_of_price(item),
        item=item,
    )


def credit_note_lines(note: Reader, money: Money) -> list[tuple[str, Raw]]:
    """Of each line the line of the invoice that it gives back, "" if it names none."""
    found = [
        (ident(item, "invoice_line_item"), _credit_note_line(item, money))
        for item in listed(note, "lines")
    ]
    return found + [("shipping", raw) for raw in _shipping(note, money)]


def _credit_note_line(item: Reader, money: Money) -> Raw:
    """https://docs.stripe.com/api/credit_notes/line_item"""
    raw = invoice_line(item, money)
    if item.has("discount_amounts"):
        return raw
    less = money.amount(item, "discount_amount", ZERO)
    return replace(raw, after=raw.after - less, gross=raw.gross - less)


def described(text: str) -> str:
    """On one line, and as long as an invoice can hold."""
    return " ".join(text.split())[:MAX_DESCRIPTION].strip()


def only_line(key: str, description: str, gross: Decimal) -> Raw:
    """A payment of which nobody said what was sold."""
    text = described(description) or "Venta"
    return Raw(key, text, Decimal(1), gross, gross, gross, ())
