"""A sale of no platform, typed or sent by the merchant's own system, as sale.schema.json says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final

from cfdi import catalogs
from hub.domain.money import EXACT, round_half_up
from hub.domain.rules import IMPUESTOS
from hub.domain.sale import Buyer, Payment, PaymentState, Sale, SaleLine, SaleTax
from hub.domain.schemas import Problem, path_of, problems

#: CFDI began in 2004; an older date is a typing mistake.
FIRST_YEAR: Final = 2000
#: A clock may be a little ahead of ours.
_AHEAD: Final = timedelta(minutes=5)
_SIZE_MAX: Final = 2 * 1024 * 1024
_ZERO: Final = Decimal(0)


class SaleInvalid(ValueError):
    """Not a sale. `problems` has all of them: where (`lines[0].total`) and what to do."""

    def __init__(self, found: tuple[Problem, ...]) -> None:
        super().__init__(f"the sale has {len(found)} problems")
        self.problems = found


def read_sale(data: bytes, *, now: datetime) -> Sale:
    """The paid sale of a JSON text. The same `key` (or number) again is the same sale.

    Raises `SaleInvalid` with every problem at once.
    """
    document = _document(data)
    found = problems("sale", document)
    if not found:
        found = list(_senseless(document, now))
    if found:
        raise SaleInvalid(tuple(found))
    with localcontext(EXACT):
        return _sale(document, now)


def _document(data: bytes) -> Any:
    if len(data) > _SIZE_MAX:
        raise SaleInvalid((("", f"the text is longer than {_SIZE_MAX} bytes"),))
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=Decimal,
            object_pairs_hook=_without_repeats,
        )
    except SaleInvalid:
        raise
    except UnicodeDecodeError as error:
        raise SaleInvalid((("", "the text is not UTF-8"),)) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SaleInvalid((("", f"the text is not JSON: {where}"),)) from error
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise SaleInvalid((("", "the text is not JSON that can be read"),)) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise SaleInvalid((("", "a key stands twice in the same object: keep one"),))
    return dict(pairs)


def _senseless(document: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
    """What the schema cannot say: dates that exist, rates and keys of SAT's catalogs, sums."""
    yield from _wrong_instants(document, now)
    currency = document.get("currency", "MXN")
    decimals = catalogs.MONEDA.get(currency)
    if decimals is None or currency == "XXX":
        yield "currency", "is not in c_Moneda"
    wrong = list(_wrong_numbers(document, ()))
    yield from wrong
    for place, line in enumerate(document["lines"]):
        yield from _wrong_line(line, ("lines", place))
    if decimals is not None and not wrong:
        yield from _wrong_total(document, decimals)


def _wrong_instants(document: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
    for name in ("paid_at", "placed_at"):
        if name not in document:
            continue
        try:
            instant = _instant(document[name])
        except (ValueError, OverflowError):
            yield name, "is no date and time that exists"
            continue
        if instant.year < FIRST_YEAR:
            yield name, f"is before the year {FIRST_YEAR}"
        if instant > now + _AHEAD:
            yield name, "is in the future: only a paid sale can be invoiced"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def _wrong_numbers(value: Any, steps: tuple[object, ...]) -> Iterator[Problem]:
    """Numbers that came without quotes escape the patterns of the schema."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _wrong_numbers(one, (*steps, name))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _wrong_numbers(one, (*steps, place))
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        if number >= 10**12 or number != round(number, 6):
            yield path_of(steps), "needs to be below 10^12, with at most 6 decimals"


def _wrong_line(line: Mapping[str, Any], steps: tuple[object, ...]) -> Iterator[Problem]:
    clave, unidad = line.get("clave_prod_serv"), line.get("clave_unidad")
    if clave is not None and not catalogs.clave_prod_serv_exists(clave):
        yield path_of((*steps, "clave_prod_serv")), "is not in c_ClaveProdServ"
    if unidad is not None and not catalogs.clave_unidad_exists(unidad):
        yield path_of((*steps, "clave_unidad")), "is not in c_ClaveUnidad"
    for place, tax in enumerate(_taxes(line)):
        path = path_of((*steps, "rate") if "rate" in line else (*steps, "taxes", place))
        if tax.impuesto and not catalogs.tasa_exists(IMPUESTOS[tax.impuesto], tax.factor, tax.rate):
            yield path, f"is not a rate of c_TasaOCuota for {tax.impuesto} {tax.factor}"
    if _repeats(line):
        yield path_of((*steps, "taxes")), "names the same tax twice"


def _repeats(line: Mapping[str, Any]) -> bool:
    kinds = [
        (tax.impuesto, None if tax.impuesto == "IVA" else (tax.factor, tax.rate))
        for tax in _taxes(line)
    ]
    return len(set(kinds)) < len(kinds)


def _wrong_total(document: Mapping[str, Any], decimals: int) -> Iterator[Problem]:
    total = sum((Decimal(line["total"]) for line in document["lines"]), _ZERO)
    if "total" in document and Decimal(document["total"]) != total:
        yield "total", "is not what the lines add up to"
    if total <= 0:
        yield "lines", "add up to nothing: there is nothing to invoice"
    if total != round(total, decimals):
        yield "lines", f"add up to an amount with more than the currency's {decimals} decimals"


def _sale(document: Mapping[str, Any], now: datetime) -> Sale:
    paid_at = _instant(document["paid_at"])
    total = sum((Decimal(line["total"]) for line in document["lines"]), _ZERO)
    rate = document.get("exchange_rate")
    return Sale(
        key=document.get("key", document["number"]),
        number=document["number"],
        revision=int(now.timestamp() * 1_000_000),
        placed_at=_instant(document["placed_at"]) if "placed_at" in document else paid_at,
        paid_at=paid_at,
        payment_state=PaymentState.PAID,
        currency=document.get("currency", "MXN"),
        total=total,
        lines=tuple(_line(line, place) for place, line in enumerate(document["lines"], 1)),
        payments=(Payment("", total, forma_pago=document["forma_pago"]),),
        buyer=Buyer(**document.get("buyer", {})),
        exchange_rate=None if rate is None else Decimal(rate),
    )


def _line(line: Mapping[str, Any], place: int) -> SaleLine:
    quantity, paid = Decimal(line["quantity"]), Decimal(line["total"])
    rates = _taxes(line)
    net = _net(rates, quantity, paid)
    listed = _net(rates, quantity, paid + Decimal(line.get("discount", 0)))
    return SaleLine(
        key=str(place),
        description=line["description"],
        quantity=quantity,
        subtotal=listed,
        discount=listed - net,
        taxes=_charged(rates, quantity, net, paid),
        kind=line.get("kind", "product"),
        sku=line.get("sku", ""),
        product=line.get("product", ""),
        category=line.get("category", ""),
        clave_prod_serv=line.get("clave_prod_serv"),
        clave_unidad=line.get("clave_unidad"),
        objeto_imp=line.get("objeto_imp"),
    )


def _taxes(line: Mapping[str, Any]) -> tuple[SaleTax, ...]:
    """Without amounts yet, IEPS before IVA."""
    stated = line.get("taxes", [])
    if "rate" in line:
        exempt = line["rate"] == "exento"
        stated = [
            {"impuesto": "IVA", "factor": "Exento"}
            if exempt
            else {"impuesto": "IVA", "rate": line["rate"]}
        ]
    taxes = [
        SaleTax(
            amount=_ZERO,
            rate=None if tax.get("rate") is None else Decimal(tax["rate"]),
            impuesto=tax["impuesto"],
            factor=tax.get("factor", "Tasa"),
        )
        for tax in stated
    ]
    return tuple(sorted(taxes, key=lambda tax: tax.impuesto == "IVA"))


def _net(taxes: tuple[SaleTax, ...], quantity: Decimal, gross: Decimal) -> Decimal:
    """The price without tax: IEPS is upon the price or by the unit, IVA upon all of it."""
    rate = {"IVA": _ZERO, "IEPS": _ZERO}
    by_unit = _ZERO
    for tax in taxes:
        if tax.factor == "Cuota":
            by_unit += quantity * (tax.rate or _ZERO)
        else:
            rate[str(tax.impuesto)] += tax.rate or _ZERO
    net = (gross / (1 + rate["IVA"]) - by_unit) / (1 + rate["IEPS"])
    return max(round_half_up(net, 6), _ZERO)


def _charged(
    taxes: tuple[SaleTax, ...], quantity: Decimal, net: Decimal, paid: Decimal
) -> tuple[SaleTax, ...]:
    """With amounts; the last one is what is left of what was paid, so that the line is exact."""
    amounts: list[Decimal] = []
    for tax in taxes:
        base = net + sum(amounts, _ZERO) if tax.impuesto == "IVA" else net
        units = quantity if tax.factor == "Cuota" else base
        amounts.append(round_half_up(units * (tax.rate or _ZERO), 6))
    if amounts and taxes[-1].rate:
        amounts[-1] = max(paid - net - sum(amounts[:-1], _ZERO), _ZERO)
    return tuple(
        SaleTax(amount, tax.rate, "", "", tax.impuesto, tax.factor)
        for tax, amount in zip(taxes, amounts, strict=True)
    )
