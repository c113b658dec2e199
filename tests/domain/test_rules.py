from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cfdi import catalogs
from cfdi.comprobante import Impuesto, TipoFactor
from hub.domain.rules import CARGO, ENVIO, PRODUCTO, Producto, Rules, RulesInvalid, TaxRule, parse
from hub.domain.sale import Payment, SaleLine, SaleTax

ROOT = Path(__file__).resolve().parents[2]
D = Decimal


def problems(toml: str) -> dict[str, str]:
    with pytest.raises(RulesInvalid) as caught:
        parse(toml)
    found: dict[str, str] = {}
    for path, message in caught.value.problems:
        found[path] = f"{found.get(path, '')}; {message}"
    return found


def line(**changes: Any) -> SaleLine:
    given: dict[str, Any] = {
        "key": "1",
        "description": "x",
        "quantity": D(1),
        "subtotal": D(1),
        "discount": D(0),
    }
    return SaleLine(**(given | changes))


def example() -> str:
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    found = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    return str(found[0])


def test_the_example_of_the_documentation_is_good_and_complete() -> None:
    rules, document = parse(example()), tomllib.loads(example())
    schema = json.loads((ROOT / "docs/rules.schema.json").read_text(encoding="utf-8"))
    assert set(document) == set(schema["properties"])
    for name in ("producto", "serie", "usos", "pagina", "invitaciones"):
        assert set(document[name]) == set(schema["properties"][name]["properties"]), name
    assert rules.serie == "WEB"
    assert rules.tipos_cambio == {"USD": D("17.85")}


@pytest.mark.parametrize("name", ["rules", "sale"])
def test_the_published_schema_is_the_one_that_works(name: str) -> None:
    published = (ROOT / f"docs/{name}.schema.json").read_bytes()
    assert published == (ROOT / f"hub/domain/{name}.schema.json").read_bytes()
    Draft202012Validator.check_schema(json.loads(published))


def test_the_schema_lists_what_the_catalogs_have() -> None:
    schema = json.loads((ROOT / "docs/rules.schema.json").read_text(encoding="utf-8"))
    properties = schema["properties"]
    formas = set(properties["forma_pago"]["properties"]["default"]["enum"])
    assert formas == set(catalogs.FORMA_PAGO) - {"99"}
    assert set(properties["usos"]["properties"]["permitidos"]["items"]["enum"]) == set(
        catalogs.USO_CFDI
    )
    objetos = schema["$defs"]["producto"]["properties"]["objeto_imp"]["enum"]
    assert set(objetos) == set(catalogs.OBJETO_IMP)


def test_no_text_is_the_defaults() -> None:
    assert parse("") == Rules()
    assert parse("# nothing\n[ventana]\n") == Rules()


@pytest.mark.parametrize(
    ("toml", "path", "says"),
    [
        ("[produto.default]", "produto", "did you mean producto?"),
        ("[ventana]\ndia=3", "ventana.dia", "did you mean dias?"),
        ("[serie]\nfolio=3", "serie.folio", "known here: "),
        ("[ventana]\ndias=3\nhasta='mes'", "ventana", "keep one"),
        ("[ventana]\ndias=0", "ventana.dias", "1 to 366"),
        ("[ventana]\ndias=true", "ventana.dias", "whole number"),
        ("[ventana]\nhasta='mañana'", "ventana.hasta", "mes, anio"),
        ("[ventana]\nemite_global='no'", "ventana.emite_global", "true or false"),
        ("forma_pago='03'", "forma_pago", "table"),
        ("[forma_pago]\ndefault='99'", "forma_pago.default", "c_FormaPago"),
        ("[forma_pago]\ncod=1", "forma_pago.cod", "c_FormaPago"),
        ("[producto.default]\nclave_prod_serv='1'", "producto.default.clave_prod_serv", "8 digits"),
        (
            "[producto.sku.'A 1']\nclave_prod_serv='99999999'",
            'producto.sku."A 1".clave_prod_serv',
            "not in c_ClaveProdServ",
        ),
        (
            "[producto.default]\nclave_prod_serv='15101514'",
            "producto.default.clave_prod_serv",
            "complement",
        ),
        ("[producto.envio]\nclave_unidad='QQ'", "producto.envio.clave_unidad", "c_ClaveUnidad"),
        ("[producto.default]\nobjeto_imp='09'", "producto.default.objeto_imp", "c_ObjetoImp"),
        ("[producto.default]\nimpuesto='gratis'", "producto.default.impuesto", "exento"),
        ("[impuestos.3]\ntasa=0.16", "impuestos.3.impuesto", "is missing: the tax"),
        ("[impuestos.3]\nimpuesto='ISR'", "impuestos.3.impuesto", "IVA, IEPS"),
        ("[impuestos.3]\nimpuesto='IVA'\ntasa=0.15", "impuestos.3.tasa", "c_TasaOCuota"),
        ("[impuestos.3]\nimpuesto='IVA'\ntasa=16", "impuestos.3.tasa", "c_TasaOCuota"),
        ("[impuestos.3]\nimpuesto='IVA'\ntasa=nan", "impuestos.3.tasa", "finite"),
        ("[impuestos.3]\nimpuesto='IVA'\ntasa=1e999", "impuestos.3.tasa", "finite"),
        (
            "[impuestos.3]\nimpuesto='IVA'\nfactor='Exento'\ntasa=0",
            "impuestos.3.tasa",
            "without a rate",
        ),
        ("[moneda.usd]\ntipo_cambio=17", "moneda.usd", "three capital letters"),
        ("[moneda.MXN]\ntipo_cambio=1", "moneda.MXN", "foreign currency"),
        ("[moneda.ZZZ]\ntipo_cambio=1", "moneda.ZZZ", "foreign currency"),
        ("[moneda.USD]", "moneda.USD.tipo_cambio", "is missing"),
        ("[moneda.USD]\ntipo_cambio=0", "moneda.USD.tipo_cambio", "above 0"),
        ("[moneda.USD]\ntipo_cambio='0.000'", "moneda.USD.tipo_cambio", "above 0"),
        ("[moneda.USD]\ntipo_cambio=17.1234567", "moneda.USD.tipo_cambio", "6 decimals"),
        ("[serie]\nnombre='a b'", "serie.nombre", "capital letters"),
        ("[usos]\npermitidos=[]", "usos.permitidos", "at least one"),
        ("[usos]\npermitidos=['G03','G03']", "usos.permitidos", "different"),
        ("[usos]\npermitidos=['G99']", "usos.permitidos[0]", "c_UsoCFDI"),
        ("[pagina]\ncorreo='no'", "pagina.correo", "e-mail"),
        ("[pagina]\ncorreo='a@b.mx, c@d.mx'", "pagina.correo", "e-mail"),
        ('[pagina]\ncorreo="a@b.mx\\nBcc: c@d.mx"', "pagina.correo", "control characters"),
        ("[pagina]\nidioma='fr'", "pagina.idioma", "es, en"),
        ("[pagina]\nnombre=''", "pagina.nombre", "1 to 100"),
        ("[invitaciones]\ndias=-1", "invitaciones.dias", "0 to 90"),
        ("[invitaciones]\nenviar=1", "invitaciones.enviar", "true or false"),
        ("x = [", "", "not TOML"),
        ("a=1\na=2\nb=3", "", "line 2"),
        ("#" + "x" * 1_000_001, "", "longer"),
        ("x=" + "[" * 5000, "", "not TOML"),
    ],
)
def test_every_problem_says_where_and_what(toml: str, path: str, says: str) -> None:
    found = problems(toml)
    assert path in found, found
    assert says in found[path]


def test_all_problems_come_at_once() -> None:
    found = problems("[ventana]\ndias=0\n[pagina]\nidioma='fr'\ncorreo='x'\n[serie]\nfolio=1")
    assert set(found) == {"ventana.dias", "pagina.idioma", "pagina.correo", "serie.folio"}


def test_messages_repeat_no_value() -> None:
    found = problems("[pagina]\ncorreo='secreto at ejemplo'\n[serie]\nnombre='XAXX 010101'")
    assert "secreto" not in str(found)
    assert "XAXX" not in str(found)


GOOD = [
    "",
    "[forma_pago]\ndefault='03'\nbacs='03'",
    "[producto.default]\nclave_prod_serv='01010101'",
    "[ventana]\nhasta='anio'",
    "[impuestos.'IVA frontera']\nimpuesto='IVA'\ntasa=0.08",
    "[impuestos.2]\nimpuesto='IEPS'\nfactor='Cuota'\ntasa='1.6451'",
    "[usos]\npermitidos=['G03','S01']",
]
BAD = ["[x]", "[ventana]\ndias=0", "[usos]\npermitidos=[]", "[forma_pago]\nx='99'", "[serie]\na=1"]


@pytest.mark.parametrize("toml", [*GOOD, *BAD])
def test_the_schema_says_what_the_parser_does(toml: str) -> None:
    schema = json.loads((ROOT / "docs/rules.schema.json").read_text(encoding="utf-8"))
    valid = Draft202012Validator(schema).is_valid(tomllib.loads(toml))
    assert valid is (toml in GOOD)
    if valid:
        parse(toml)
    else:
        problems(toml)


@given(st.text(max_size=60))
def test_any_text_is_rules_or_refused(text: str) -> None:
    with suppress(RulesInvalid):
        assert isinstance(parse(text), Rules)


def test_the_nearest_rule_wins_field_by_field() -> None:
    rules = parse(
        """
        [producto.default]
        clave_prod_serv = "50202306"
        clave_unidad = "XBX"
        impuesto = "tasa_0"
        [producto.categoria."ropa"]
        clave_prod_serv = "53101600"
        [producto.producto."17"]
        clave_prod_serv = "53103000"
        clave_unidad = "EA"
        [producto.sku."A"]
        clave_prod_serv = "53102500"
        """
    )
    assert rules.product_of(line(product="17", category="ropa")).clave_prod_serv == "53103000"
    found = rules.product_of(line(sku="A", product="17", category="ropa"))
    assert found == Producto("53102500", "EA", None, "tasa_0")
    assert rules.product_of(line(category="ropa")).clave_prod_serv == "53101600"
    assert rules.product_of(line(sku="A", clave_prod_serv="50202306")).clave_prod_serv == "50202306"
    assert rules.product_of(line(kind="shipping")) == ENVIO
    assert rules.product_of(line(kind="tip")) == CARGO
    assert Rules().product_of(line()) == PRODUCTO


def test_the_default_keys_are_in_the_catalogs() -> None:
    for producto in (PRODUCTO, ENVIO, CARGO):
        assert catalogs.clave_prod_serv_exists(producto.clave_prod_serv or "")
        assert catalogs.clave_unidad_exists(producto.clave_unidad or "")


@pytest.mark.parametrize(
    ("toml", "payment", "expected"),
    [
        ("", Payment("bacs", D(1)), None),
        ("", None, None),
        ("", Payment("bacs", D(1), forma_pago="04"), "04"),
        ("[forma_pago]\ndefault='03'", None, "03"),
        ("[forma_pago]\ndefault='03'\ncod='01'", Payment("cod", D(1)), "01"),
        ("[forma_pago]\ndefault='03'\ncod='01'", Payment("bacs", D(1)), "03"),
        ("[forma_pago]\ncod='01'", Payment("bacs", D(1)), None),
    ],
)
def test_forma_pago(toml: str, payment: Payment | None, expected: str | None) -> None:
    assert parse(toml).forma_pago_of(payment) == expected


EXEMPT = TaxRule(Impuesto.IVA, TipoFactor.EXENTO, None)
IVA16 = TaxRule(Impuesto.IVA, TipoFactor.TASA, D("0.16"))
RULE: Mapping[str, str] = {
    "ref": "[impuestos.7]\nimpuesto='IVA'\ntasa=0.16",
    "label": "[impuestos.'VAT Mx']\nimpuesto='IVA'",
    "exempt": "[impuestos.'IVA']\nimpuesto='IVA'\nfactor='Exento'",
}


@pytest.mark.parametrize(
    ("toml", "tax", "expected"),
    [
        ("", SaleTax(D(16), D("0.16"), "IVA 16%"), IVA16),
        ("", SaleTax(D(16), D("0.160000"), "iva"), IVA16),
        ("", SaleTax(D(0), D(0), "IVA 0%"), TaxRule(Impuesto.IVA, TipoFactor.TASA, D(0))),
        ("", SaleTax(D(8), D("0.08"), "IEPS"), TaxRule(Impuesto.IEPS, TipoFactor.TASA, D("0.08"))),
        ("", SaleTax(D(16), D("0.16"), "VAT"), None),
        ("", SaleTax(D(16), D("0.16"), "PRIVADO"), None),
        ("", SaleTax(D(16), D("0.15"), "IVA"), None),
        ("", SaleTax(D(16), None, "IVA 16%"), None),
        ("", SaleTax(D(0), D(0), "IVA exento"), None),
        ("", SaleTax(D(0), D(0), "IVA e IEPS"), None),
        ("", SaleTax(D(16), D("0.16"), impuesto="IVA"), IVA16),
        ("", SaleTax(D(16), D("0.16"), impuesto="ISR"), None),
        ("", SaleTax(D(16), D("0.16"), impuesto="IVA", factor="Otro"), None),
        (RULE["ref"], SaleTax(D(16), None, "Impuestos", "7"), IVA16),
        (RULE["label"], SaleTax(D(16), D("0.16"), "vat mx "), IVA16),
        (RULE["label"], SaleTax(D(16), D("0.2"), "VAT MX"), None),
        (RULE["exempt"], SaleTax(D(0), D(0), "IVA"), EXEMPT),
    ],
)
def test_taxes_are_recognised_never_guessed(
    toml: str, tax: SaleTax, expected: TaxRule | None
) -> None:
    assert parse(toml).tax_of(tax) == expected
