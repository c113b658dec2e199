"""SAT's catalogs: what a key is called, whether it exists, whom it is for.

Small catalogs are tables; the large ones (postal codes, products, units) are read from the SQLite
file that the package satcfdi ships, a row at a time, so a process never holds them in memory.
"""

from __future__ import annotations

import atexit
import io
import pickle
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn
from zoneinfo import ZoneInfo

from cfdi import catalog_tables as tables


@dataclass(frozen=True, slots=True)
class RegimenFiscal:
    clave: str
    nombre: str
    fisica: bool
    moral: bool


@dataclass(frozen=True, slots=True)
class UsoCfdi:
    """`regimenes` are those of the receiver for which the use is allowed."""

    clave: str
    nombre: str
    fisica: bool
    moral: bool
    regimenes: frozenset[str]


class CodigoPostalUnknown(LookupError):
    """A postal code that c_CodigoPostal does not have."""


REGIMEN_FISCAL: Mapping[str, RegimenFiscal] = MappingProxyType(
    {clave: RegimenFiscal(clave, *row) for clave, row in tables.REGIMENES.items()}
)
USO_CFDI: Mapping[str, UsoCfdi] = MappingProxyType(
    {
        clave: UsoCfdi(clave, nombre, fisica, moral, frozenset(regimenes.split()))
        for clave, (nombre, fisica, moral, regimenes) in tables.USOS.items()
    }
)
FORMA_PAGO: Mapping[str, str] = MappingProxyType(tables.FORMAS_PAGO)
OBJETO_IMP: Mapping[str, str] = MappingProxyType(tables.OBJETOS_IMP)
TIPO_DE_COMPROBANTE: Mapping[str, str] = MappingProxyType(tables.TIPOS_DE_COMPROBANTE)
EXPORTACION: Mapping[str, str] = MappingProxyType(tables.EXPORTACIONES)
METODO_PAGO: Mapping[str, str] = MappingProxyType(tables.METODOS_PAGO)
PERIODICIDAD: Mapping[str, str] = MappingProxyType(tables.PERIODICIDADES)
MESES: Mapping[str, str] = MappingProxyType(tables.MESES)
TIPO_RELACION: Mapping[str, str] = MappingProxyType(tables.TIPOS_RELACION)
#: ISO 3166 in three letters.
PAIS: frozenset[str] = frozenset(tables.PAISES.split())
#: How a country's tax numbers are written, as a regular expression; most countries have none.
FORMATO_DE_REGISTRO: Mapping[str, str] = MappingProxyType(tables.FORMATOS_DE_REGISTRO)
#: ClaveProdServ that must declare IVA.
CLAVES_CON_IVA: frozenset[str] = tables.CLAVES_CON_IVA
#: Decimals of each currency.
MONEDA: Mapping[str, int] = MappingProxyType(
    {
        clave: decimals
        for decimals, claves in tables.MONEDAS_BY_DECIMALS.items()
        for clave in claves.split()
    }
)

_TASAS = tuple(
    (impuesto, factor, Decimal(least), Decimal(greatest), traslado, retencion)
    for impuesto, factor, least, greatest, traslado, retencion in tables.TASAS
)


def tasa_exists(
    impuesto: str, tipo_factor: str, tasa: Decimal | None, *, traslado: bool = True
) -> bool:
    """Whether c_TasaOCuota has this rate (a fraction: 0.16), as transferred or as withheld tax.

    Exento goes without a rate and is only ever transferred (IVA or IEPS).
    """
    if tipo_factor == "Exento":
        return tasa is None and traslado and impuesto in {"002", "003"}
    if tasa is None or not tasa.is_finite() or tasa != round(tasa, 6):
        return False
    for least, greatest in _tasas(impuesto, tipo_factor, traslado=traslado):
        if least <= tasa <= greatest:
            return True
    return False


@lru_cache(maxsize=64)
def _tasas(
    impuesto: str, tipo_factor: str, *, traslado: bool
) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple(
        row[2:4]
        for row in _TASAS
        if row[:2] == (impuesto, tipo_factor) and row[4 if traslado else 5]
    )


def codigo_postal_exists(cp: str) -> bool:
    return _row("CodigoPostal", cp) is not None


def clave_prod_serv_exists(clave: str) -> bool:
    return _row("ClaveProdServ", clave) is not None


def clave_unidad_exists(clave: str) -> bool:
    return _row("ClaveUnidad", clave) is not None


def clave_unidad_nombre(clave: str) -> str:
    """The name, "" if there is no such key."""
    return str(_row("ClaveUnidad", clave) or "")


def zone(cp: str) -> ZoneInfo:
    """The time zone at a postal code. Raises `CodigoPostalUnknown`.

    SAT's own offsets are not used: those of Chihuahua's border have summer and winter swapped.
    Source: Ley de los Husos Horarios en los Estados Unidos Mexicanos (DOF 28-10-2022).
    """
    row = _row("CodigoPostal", cp)
    if not isinstance(row, list):
        raise CodigoPostalUnknown("c_CodigoPostal has no such postal code")
    return ZoneInfo(_zone_name(cp, estado=str(row[0]), huso=str(row[4])))


_ZONE_OF_ESTADO = {
    "BCN": "America/Tijuana",
    "BCS": "America/Mazatlan",
    "ROO": "America/Cancun",
    "SIN": "America/Mazatlan",
    "SON": "America/Hermosillo",
}
# Coyame del Sotol, Ojinaga and Manuel Benavides follow the summer time of Texas. The catalog files
# them under the Center and leaves the municipality of most codes empty, hence the prefixes.
_OJINAGA = ("3285", "3288", "3289", "3298", "3299")


def _zone_name(cp: str, *, estado: str, huso: str) -> str:
    if estado in _ZONE_OF_ESTADO:
        return _ZONE_OF_ESTADO[estado]
    if huso == "Tiempo del Centro en Frontera":
        return "America/Ciudad_Juarez" if estado == "CHH" else "America/Matamoros"
    if estado == "CHH" and cp.startswith(_OJINAGA):
        return "America/Ojinaga"
    # Nayarit keeps the Pacific's time but for Bahía de Banderas.
    return "America/Mazatlan" if huso == "Tiempo del Pacífico" else "America/Mexico_City"


# In the package, but not in SAT's workbook.
_NOT_SAT = {("CodigoPostal", "00000"), ("ClaveUnidad", "Dx")}


@lru_cache(maxsize=4096)
def _row(catalog: str, clave: str) -> object:
    """A row of satcfdi's file: a description, for a postal code a list; None if there is none."""
    if (catalog, clave) in _NOT_SAT:
        return None
    # The package writes its keys as pickled strings of protocol 4.
    key = pickle.dumps(clave, protocol=4)
    query = f"SELECT value FROM C756_c_{catalog} WHERE key = ?"  # noqa: S608 # names of ours only
    with _reading:
        found = _connection().execute(query, (key,)).fetchone()
    return None if found is None else _PlainValues(io.BytesIO(found[0])).load()


class _PlainValues(pickle.Unpickler):
    """Reads strings and lists; the package's file can make nothing else of us."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"unexpected {module}.{name} in a catalog")


#: One row at a time: the threads share the connection, and `_row` keeps what was read.
_reading = threading.Lock()


@cache
def _connection() -> sqlite3.Connection:
    """Read only, closed when the process ends."""
    address = f"{_file().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    atexit.register(connection.close)
    return connection


@cache
def _file() -> Path:
    """Found without importing satcfdi.catalogs, which would open it for writing."""
    return Path(str(files("satcfdi").joinpath("catalogs", "catalogs.db"))).resolve()
