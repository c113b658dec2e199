"""An amount in Spanish words, as on Mexican invoices: CIENTO VEINTIÚN PESOS 50/100 M.N."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

_UNDER_THIRTY = [
    "CERO",
    "UNO",
    "DOS",
    "TRES",
    "CUATRO",
    "CINCO",
    "SEIS",
    "SIETE",
    "OCHO",
    "NUEVE",
    "DIEZ",
    "ONCE",
    "DOCE",
    "TRECE",
    "CATORCE",
    "QUINCE",
    "DIECISÉIS",
    "DIECISIETE",
    "DIECIOCHO",
    "DIECINUEVE",
    "VEINTE",
    "VEINTIUNO",
    "VEINTIDÓS",
    "VEINTITRÉS",
    "VEINTICUATRO",
    "VEINTICINCO",
    "VEINTISÉIS",
    "VEINTISIETE",
    "VEINTIOCHO",
    "VEINTINUEVE",
]
_TENS = ["TREINTA", "CUARENTA", "CINCUENTA", "SESENTA", "SETENTA", "OCHENTA", "NOVENTA"]
_HUNDREDS = [
    "CIENTO",
    "DOSCIENTOS",
    "TRESCIENTOS",
    "CUATROCIENTOS",
    "QUINIENTOS",
    "SEISCIENTOS",
    "SETECIENTOS",
    "OCHOCIENTOS",
    "NOVECIENTOS",
]


@dataclass(frozen=True, slots=True)
class NombreMoneda:
    """How a currency is called; all of these are masculine, as the words of the numbers are."""

    nombre: str
    singular: str
    plural: str
    sufijo: str
    decimales: int = 2


MONEDAS = {
    "MXN": NombreMoneda("Peso mexicano", "PESO", "PESOS", "M.N."),
    "USD": NombreMoneda("Dólar estadounidense", "DÓLAR", "DÓLARES", "USD"),
    "EUR": NombreMoneda("Euro", "EURO", "EUROS", "EUR"),
    "CAD": NombreMoneda("Dólar canadiense", "DÓLAR CANADIENSE", "DÓLARES CANADIENSES", "CAD"),
    "BRL": NombreMoneda("Real brasileño", "REAL", "REALES", "BRL"),
    "CHF": NombreMoneda("Franco suizo", "FRANCO SUIZO", "FRANCOS SUIZOS", "CHF"),
    "CNY": NombreMoneda("Yuan", "YUAN", "YUANES", "CNY"),
    "COP": NombreMoneda("Peso colombiano", "PESO COLOMBIANO", "PESOS COLOMBIANOS", "COP"),
    "GTQ": NombreMoneda("Quetzal", "QUETZAL", "QUETZALES", "GTQ"),
    "JPY": NombreMoneda("Yen", "YEN", "YENES", "JPY", decimales=0),
}


def importe_con_letra(importe: Decimal, moneda: str) -> str:
    """The amount in words. A currency without a Spanish name here is named by its key.

    Raises ValueError for a negative amount, one of 10¹⁸ or more, or one with more decimals (that
    are not zeros) than two, or four in a currency that is not named here: some are divided into
    thousandths, and no document total has more.
    """
    known = MONEDAS.get(moneda)
    if not importe.is_finite() or importe < 0 or importe >= 10**18:
        raise ValueError("only amounts from 0 to 10^18 can be written in words")
    places = 2 if known else next((n for n in (2, 3) if not importe * 10**n % 1), 4)
    partes = 10**places
    if importe * partes % 1:
        raise ValueError("an amount has more decimals than its currency")
    entero, fraccion = divmod(int(importe * partes), partes)
    if known is None:
        return f"{_cardinal(entero)} {fraccion:0{places}}/{partes} {moneda}"
    noun = known.singular if entero == 1 else known.plural
    if entero and entero % 1_000_000 == 0:
        noun = f"DE {noun}"
    tail = f" {fraccion:02}/100" if known.decimales or fraccion else ""
    return f"{_before_noun(_cardinal(entero))} {noun}{tail} {known.sufijo}"


def _cardinal(number: int) -> str:
    if number < 1_000_000:
        return _under_million(number)
    billions = number >= 10**12
    size, one, many = (10**12, "BILLÓN", "BILLONES") if billions else (10**6, "MILLÓN", "MILLONES")
    head, rest = divmod(number, size)
    words = f"UN {one}" if head == 1 else f"{_before_noun(_cardinal(head))} {many}"
    return f"{words} {_cardinal(rest)}" if rest else words


def _under_million(number: int) -> str:
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _under_thousand(rest)
    head = "MIL" if thousands == 1 else f"{_before_noun(_under_thousand(thousands))} MIL"
    return f"{head} {_under_thousand(rest)}" if rest else head


def _under_thousand(number: int) -> str:
    if number < 30:
        return _UNDER_THIRTY[number]
    if number == 100:
        return "CIEN"
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 3] + (f" Y {_UNDER_THIRTY[ones]}" if ones else "")
    hundreds, rest = divmod(number, 100)
    return _HUNDREDS[hundreds - 1] + (f" {_under_thousand(rest)}" if rest else "")


def _before_noun(words: str) -> str:
    """UNO loses its O before what it counts: VEINTIÚN PESOS, TREINTA Y UN MIL."""
    if words.endswith("VEINTIUNO"):
        return words.removesuffix("VEINTIUNO") + "VEINTIÚN"
    return words.removesuffix("O") if words.endswith("UNO") else words
