"""The tables are SAT's workbook, and the large catalogs are read without loading them."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cfdi import catalogs
from cfdi.catalogs import tasa_exists, zone


def _items(shared: Path, name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads((shared / f"sat/catalogs/c_{name}.json").read_text())[
        "items"
    ]
    return items


def _rows(shared: Path, name: str) -> Iterator[dict[str, str]]:
    with gzip.open(shared / f"sat/catalogs/c_{name}.csv.gz", "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def test_regimenes_are_the_workbooks(shared: Path) -> None:
    assert {(r.clave, r.nombre, r.fisica, r.moral) for r in catalogs.REGIMEN_FISCAL.values()} == {
        (i["clave"], i["descripcion"], i["fisica"], i["moral"])
        for i in _items(shared, "RegimenFiscal")
    }


def test_usos_are_the_workbooks(shared: Path) -> None:
    assert {
        (u.clave, u.nombre, u.fisica, u.moral, u.regimenes) for u in catalogs.USO_CFDI.values()
    } == {
        (
            i["clave"],
            i["descripcion"].rstrip("."),
            i["fisica"],
            i["moral"],
            frozenset(i["regimenes_receptor"]),
        )
        for i in _items(shared, "UsoCFDI")
    }


def test_the_other_tables_are_the_workbooks(shared: Path) -> None:
    assert dict(catalogs.FORMA_PAGO) == {
        i["clave"]: i["descripcion"] for i in _items(shared, "FormaPago")
    }
    assert dict(catalogs.OBJETO_IMP) == {
        i["clave"]: i["descripcion"].rstrip(".") for i in _items(shared, "ObjetoImp")
    }
    assert dict(catalogs.MONEDA) == {i["clave"]: i["decimales"] for i in _items(shared, "Moneda")}


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("TipoDeComprobante", catalogs.TIPO_DE_COMPROBANTE),
        ("Exportacion", catalogs.EXPORTACION),
        ("MetodoPago", catalogs.METODO_PAGO),
        ("Periodicidad", catalogs.PERIODICIDAD),
        ("Meses", catalogs.MESES),
        ("TipoRelacion", catalogs.TIPO_RELACION),
    ],
)
def test_keys_and_their_names_are_the_workbooks(
    name: str, table: Mapping[str, str], shared: Path
) -> None:
    assert dict(table) == {item["clave"]: item["descripcion"] for item in _items(shared, name)}


def test_countries_are_the_workbooks(shared: Path) -> None:
    items = _items(shared, "Pais")
    assert {item["clave"] for item in items} == catalogs.PAIS
    # Mexico's is the form of an RFC, and no ResidenciaFiscal may be Mexico.
    forms = {item["clave"]: item["formato_tin"] for item in items if item["formato_tin"]}
    assert {**catalogs.FORMATO_DE_REGISTRO, "MEX": forms["MEX"]} == forms


def test_keys_that_demand_iva_are_the_workbooks(shared: Path) -> None:
    rows = list(_rows(shared, "ClaveProdServ"))
    assert {row["clave"] for row in rows if row["incluir_iva"] == "Sí"} == catalogs.CLAVES_CON_IVA
    # What no rule asks for: were it there, CFDI40163 and 40164 would have more to check.
    assert {(row["complemento"], row["incluir_ieps"]) for row in rows} == {("", "Opcional")}


def test_every_rate_of_the_workbook_exists(shared: Path) -> None:
    impuestos = {"ISR": "001", "IVA": "002", "IEPS": "003"}
    for item in _items(shared, "TasaOCuota"):
        impuesto = impuestos[item["impuesto"].split()[0]]
        for written in filter(None, (item["minimo"], item["maximo"])):
            tasa = Decimal(written)
            for traslado in (True, False):
                if item["traslado" if traslado else "retencion"]:
                    assert tasa_exists(impuesto, item["factor"], tasa, traslado=traslado), item


@pytest.mark.parametrize(
    ("impuesto", "factor", "tasa", "traslado", "exists"),
    [
        ("002", "Tasa", "0.16", True, True),
        ("002", "Tasa", "0.160000", True, True),
        ("002", "Tasa", "0.08", True, True),
        ("002", "Tasa", "0.15", True, False),
        ("002", "Tasa", "16", True, False),
        ("002", "Tasa", "-0.16", True, False),
        ("002", "Tasa", "0.1600001", True, False),
        ("002", "Tasa", "NaN", True, False),
        ("002", "Tasa", None, True, False),
        ("002", "Tasa", "0.106667", False, True),
        ("002", "Cuota", "0.16", True, False),
        ("002", "Exento", None, True, True),
        ("002", "Exento", "0", True, False),
        ("002", "Exento", None, False, False),
        ("001", "Tasa", "0.0125", False, True),
        ("001", "Tasa", "0.36", False, False),
        ("001", "Tasa", "0.10", True, False),
        ("001", "Exento", None, True, False),
        ("003", "Tasa", "0.08", True, True),
        ("003", "Tasa", "0.16", True, False),
        ("003", "Tasa", "0.03", False, False),
        ("003", "Cuota", "6.4555", True, True),
        ("003", "Cuota", "72.1606", True, False),
        ("004", "Tasa", "0.16", True, False),
    ],
)
def test_rates(impuesto: str, factor: str, tasa: str | None, traslado: bool, exists: bool) -> None:
    rate = None if tasa is None else Decimal(tasa)
    assert tasa_exists(impuesto, factor, rate, traslado=traslado) is exists


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def test_products_exist_and_units_have_their_names(shared: Path) -> None:
    for number, row in enumerate(_rows(shared, "ClaveProdServ")):
        if number % 97 == 0:
            assert catalogs.clave_prod_serv_exists(row["clave"])
    for row in _rows(shared, "ClaveUnidad"):
        assert catalogs.clave_unidad_exists(row["clave"])
        assert _plain(catalogs.clave_unidad_nombre(row["clave"])) == _plain(row["nombre"])


@pytest.mark.parametrize("bad", ["", "0", "00000", "Dx", "01010101'", "ñ", "\x00", "9" * 10_000])
def test_keys_that_do_not_exist(bad: str) -> None:
    assert not catalogs.codigo_postal_exists(bad)
    assert not catalogs.clave_prod_serv_exists(bad)
    assert not catalogs.clave_unidad_exists(bad)
    assert catalogs.clave_unidad_nombre(bad) == ""
    with pytest.raises(catalogs.CodigoPostalUnknown):
        zone(bad)


def test_every_postal_code_has_the_zone_of_its_offset(shared: Path) -> None:
    """The workbook is right but for the border of Chihuahua."""
    winter = datetime(2026, 12, 20, 12, tzinfo=UTC)
    summer = datetime(2026, 7, 20, 12, tzinfo=UTC)
    seen = set()
    for row in _rows(shared, "CodigoPostal"):
        name = str(zone(row["cp"]))
        key = (name, row["dif_horaria_invierno"], row["dif_horaria_verano"])
        if key in seen:
            continue
        seen.add(key)
        for instant, column in ((winter, "dif_horaria_invierno"), (summer, "dif_horaria_verano")):
            offset = instant.astimezone(zone(row["cp"])).utcoffset()
            assert offset is not None
            hours = offset.total_seconds() / 3600
            if name == "America/Ciudad_Juarez":
                hours = -13 - hours  # swapped in the workbook
            if name == "America/Ojinaga" and instant is summer:
                hours -= 1  # the workbook knows nothing of its summer time
            assert hours == int(row[column]), (row["cp"], name)
    assert len({name for name, _, _ in seen}) == 8


@pytest.mark.parametrize(
    ("cp", "name"),
    [
        ("06000", "America/Mexico_City"),
        ("42501", "America/Mexico_City"),
        ("22000", "America/Tijuana"),
        ("83000", "America/Hermosillo"),
        ("80000", "America/Mazatlan"),
        ("23000", "America/Mazatlan"),
        ("63000", "America/Mazatlan"),
        ("63732", "America/Mexico_City"),
        ("77500", "America/Cancun"),
        ("32000", "America/Ciudad_Juarez"),
        ("32880", "America/Ojinaga"),
        ("31000", "America/Mexico_City"),
        ("26000", "America/Matamoros"),
        ("88000", "America/Matamoros"),
        ("64000", "America/Mexico_City"),
    ],
)
def test_zones(cp: str, name: str) -> None:
    assert str(zone(cp)) == name


def test_many_threads_read_at_once() -> None:
    catalogs._row.cache_clear()
    found: list[str] = []

    def work() -> None:
        found.extend(catalogs._row.__wrapped__("ClaveUnidad", "H87") for _ in range(100))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["Pieza"] * 800


#: Not `ru_maxrss`, in which a child counts what its parent had when it was forked.
_MEASURE = """
from pathlib import Path
from cfdi import cadena, catalogs, csd, findings, receptor, seal, timbre
for number in range(20000, 40000):
    catalogs.codigo_postal_exists(str(number))
cadena._stylesheet("4/cadenaoriginal_4_0/cadenaoriginal_4_0.xslt")
import sys
assert not any(name.startswith("satcfdi.") for name in sys.modules)
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")
def test_a_process_stays_small() -> None:
    """A process of the hub has 160 MB for everything."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 80


def test_the_file_can_make_nothing_but_values(tmp_path: Path) -> None:
    import io  # noqa: PLC0415
    import pickle  # noqa: PLC0415

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "made",))

    with pytest.raises(pickle.UnpicklingError):
        catalogs._PlainValues(io.BytesIO(pickle.dumps(Evil(), protocol=4))).load()
    assert not (tmp_path / "made").exists()
