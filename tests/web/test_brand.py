"""A merchant's own page: its looks, its names and hosts, and nothing of anybody else there."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

HOST = "facturas.mitienda.example"
RULES = """
[forma_pago]
default = "04"
[producto.default]
clave_prod_serv = "01010101"
clave_unidad = "H87"
[pagina]
nombre = "Mi Tienda"
correo = "facturas@mitienda.example"
color = "#0B6E4F"
mensaje = "Gracias por comprar <aquí>."
telefono = "55 5555 5555"
sitio = "https://mitienda.example"
aviso_privacidad = "https://mitienda.example/privacidad"
responsable = "Comercial de Ejemplo"
domicilio = "Calle Uno 1, Centro, 06000 Ciudad de México"
marcos = ["https://mitienda.example"]
formato_fecha = "iso"
idioma = "en"
"""


def picture(kind: str = "PNG", size: tuple[int, int] = (400, 100)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "#0b6e4f").save(file, kind)
    return file.getvalue()


class Shop:
    """One merchant with its looks, and a sale."""

    def __init__(self, site: Any, rfc: str, nombre: str) -> None:
        self.site = site
        self.id = site.merchant(rfc, nombre)
        self.of = ("--merchant", self.id)

    def dress(self) -> None:
        self.site.told("rules", "set", *self.of, "--file", self.site.file("brand.toml", RULES))
        file = self.site.file("logo.png", picture())
        self.site.told("brand", "set", *self.of, "--logo", file)

    def sell(self, number: str, **more: Any) -> str:
        return str(self.site.sell(self.id, number, **more)["link"])


@pytest.fixture
def shop(site: Any) -> Shop:
    made = Shop(site, "EKU9003173C9", "ESCUELA KEMPER URGATE")
    made.dress()
    return made


@pytest.fixture
def other(site: Any) -> Shop:
    return Shop(site, "IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES")


def path_of(link: str) -> str:
    return "/f/" + link.rpartition("/")[2]


def at(site: Any, host: str, path: str, **more: Any) -> Any:
    return site.client.get(path, base_url=f"http://{host}:8000", **more)


def test_the_page_wears_the_merchants_looks(site: Any, shop: Shop) -> None:
    page = site.client.get(path_of(shop.sell("PED-1")), headers={"Accept-Language": "es"})
    text = page.text
    assert ":root{--accent:#0b6e4f;" in text
    logo = re.search(r'<img class="brand-logo" src="(/assets/brand/[^"]+)" alt="Mi Tienda"', text)
    assert logo is not None
    answer = site.client.get(logo[1])
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(answer.data) <= 10 * 1024
    stale = site.client.get(re.sub(r"\.[0-9a-f]{16}\.", ".0000000000000000.", logo[1]))
    assert stale.data == answer.data
    assert stale.headers["Cache-Control"] == "no-store"
    assert "Gracias por comprar &lt;aquí&gt;." in text
    assert 'href="tel:5555555555"' in text
    assert 'href="https://mitienda.example"' in text
    assert page.headers["Content-Security-Policy"].endswith(
        "frame-ancestors https://mitienda.example"
    )
    assert "style=" not in text


def test_language_and_dates_are_the_merchants_where_nobody_says_otherwise(
    site: Any, shop: Shop
) -> None:
    path = path_of(shop.sell("PED-1"))
    in_french = site.client.get(path, headers={"Accept-Language": "fr"})
    assert '<html lang="en"' in in_french.text
    assert '<html lang="es-MX"' in site.client.get(path, headers={"Accept-Language": "es"}).text
    assert '<html lang="es-MX"' in site.client.get(f"{path}?lang=es").text
    assert re.search(r"2\d{3}-\d\d-\d\d", in_french.text)


@pytest.mark.parametrize(
    "name", ["x.y.css", "0b6e4f.css", "..%2f..%2fetc.png", ".png", "nobody.0.png", "a.b.c.png"]
)
def test_there_are_no_other_assets(site: Any, name: str) -> None:
    assert site.client.get(f"/assets/brand/{name}").status_code == 404


def test_a_merchant_without_looks_has_the_plain_page(site: Any, other: Shop) -> None:
    text = site.client.get(path_of(other.sell("PED-1"))).text
    assert "/assets/brand/" not in text
    assert 'class="brand-mark"' in text


def test_a_logo_is_shown_replaced_and_removed(site: Any, shop: Shop) -> None:
    shown = site.told("brand", "show", *shop.of)
    assert shown["logo"] == {"width": 320, "height": 80}
    assert shown["colors"]["contrast"] >= 4.5
    file = site.file("other.webp", picture("WEBP", (100, 100)))
    site.told("brand", "set", *shop.of, "--logo", file)
    assert site.told("brand", "show", *shop.of)["logo"] == {"width": 80, "height": 80}
    path = path_of(shop.sell("PED-1"))
    assert 'alt="" width="40" height="40"' in site.client.get(path).text  # the name is beside it
    assert site.told("brand", "remove", *shop.of) == {"removed": True}
    assert site.told("brand", "remove", *shop.of) == {"removed": False}
    assert 'class="brand-logo"' not in site.client.get(path).text


@pytest.mark.parametrize(
    "data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture()[:60], b"\x89PNG" * 2**21]
)
def test_a_file_that_is_no_logo_changes_nothing(site: Any, shop: Shop, data: bytes) -> None:
    before = site.told("brand", "show", *shop.of)
    result = site.cli("brand", "set", *shop.of, "--logo", site.file("bad.png", data))
    assert result.exit_code == 2, result.output
    assert site.told("brand", "show", *shop.of) == before


# -- names and hosts


def test_names_are_one_merchants_alone(site: Any, shop: Shop, other: Shop) -> None:
    add = ("brand", "address", "add")
    made = site.told(*add, *shop.of, "--slug", "Mi-Tienda")
    assert made["page"] == "http://127.0.0.1:8000/facturar/mi-tienda"
    made = site.told(*add, *shop.of, "--host", f"{HOST.upper()}.")
    assert made["page"] == f"http://{HOST}:8000/facturar"
    for name in (("--slug", "mi-tienda"), ("--host", HOST)):
        refused = site.cli(*add, *other.of, *name)
        assert refused.exit_code == 1
        assert "taken" in refused.output
        assert shop.id not in refused.output
        assert "EKU9003173C9" not in refused.output
    again = site.cli(*add, *shop.of, "--slug", "mi-tienda")
    assert (again.exit_code, "the merchant has mi-tienda already" in again.output) == (1, True)
    assert site.told("brand", "address", "list", *other.of) == {"data": []}
    refused = site.cli("brand", "address", "remove", *other.of, HOST)
    assert refused.exit_code == 1
    names = [one["name"] for one in site.told("brand", "address", "list", *shop.of)["data"]]
    assert names == ["mi-tienda", HOST]
    site.told("brand", "address", "remove", *shop.of, HOST)
    site.told(*add, *other.of, "--host", HOST)


@pytest.mark.parametrize(
    "name",
    [
        ("--slug", "ab"),
        ("--slug", "x" * 32),
        ("--slug", "mi tienda"),
        ("--slug", "../x"),
        ("--slug", "mi--tienda"),
        ("--host", "localhost"),
        ("--host", "127.0.0.1"),
        ("--host", "1.2.3"),
        ("--host", "https://x.mx"),
        ("--host", "x.mx:443"),
        ("--host", "x.mx/f"),
        ("--host", "*.x.mx"),
        ("--host", "a b.mx"),
        ("--host", "x" * 64 + ".mx"),
        ("--host", ""),
        ("--slug", ""),
        (),
        ("--slug", "abc", "--host", "x.mx"),
    ],
)
def test_what_is_no_name_is_refused(site: Any, shop: Shop, name: tuple[str, ...]) -> None:
    refused = site.cli("brand", "address", "add", *shop.of, *name)
    assert refused.exit_code == 2
    assert ("a short name is" in refused.output) is (name[:1] == ("--slug",) and len(name) == 2)


def test_what_is_shown_of_a_brand_is_for_people(site: Any, housed: Shop, other: Shop) -> None:
    shown = site.cli("brand", "show", *housed.of).output
    assert f"addresses  {HOST}\n" in shown
    assert "frames     https://mitienda.example\n" in shown
    assert "given #0b6e4f" in shown.lower()
    bare = site.cli("brand", "show", *other.of).output
    assert not set("{}[]'") & set(shown + bare)
    assert "None" not in bare


def test_a_host_with_accents_is_kept_as_browsers_send_it(site: Any, shop: Shop) -> None:
    made = site.told("brand", "address", "add", *shop.of, "--host", "facturas.peñasco.example")
    assert made["name"] == "facturas.xn--peasco-xwa.example"


@pytest.fixture
def housed(site: Any, shop: Shop) -> Shop:
    site.told("brand", "address", "add", *shop.of, "--host", HOST)
    return shop


def test_links_are_made_with_the_merchants_host(site: Any, housed: Shop, other: Shop) -> None:
    link = housed.sell("PED-1", buyer={"email": "ana@example.com"})
    assert link.startswith(f"http://{HOST}:8000/f/")
    assert other.sell("PED-2").startswith("http://127.0.0.1:8000/f/")
    (row,) = site.told("sale", "list", *housed.of)["data"]
    assert row["link"] == link
    assert site.told("sale", "link", *housed.of, row["id"])["link"] == link
    site.work()
    (letter,) = letters(site)
    assert link in letter


def letters(site: Any) -> list[str]:
    found = []
    for file in sorted((Path(site.var_dir) / "mail").glob("*.eml")):
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        found += [part.get_content() for part in message.walk()
                  if part.get_content_type() == "text/plain"]  # fmt: skip
    return found


def test_a_host_serves_its_merchant_and_pages_of_buyers_alone(
    site: Any, housed: Shop, other: Shop
) -> None:
    mine, theirs = path_of(housed.sell("PED-1")), path_of(other.sell("PED-2"))
    assert at(site, HOST, mine).status_code == 200
    assert at(site, "127.0.0.1", mine).status_code == 200
    assert at(site, "127.0.0.1", theirs).status_code == 200
    unknown = at(site, HOST, "/f/nobody")
    for suffix in ("", "?lang=es", "/cfdi.xml", "/cfdi.pdf", "/sat", "/privacidad", "/estado"):
        answer = at(site, HOST, theirs + suffix)
        assert answer.status_code == 404, suffix
        assert "INDISTRIA" not in answer.text
    assert at(site, HOST, theirs).data == unknown.data
    assert "Mi Tienda" in unknown.text
    home = at(site, HOST, "/")
    assert (home.status_code, home.headers["Location"]) == (302, "/facturar")
    assert "Mi Tienda" in at(site, HOST, "/facturar").text
    assert at(site, HOST, f"/facturar/{other.id}").status_code == 404
    assert at(site, HOST, f"/facturar/{other.id}/privacidad").status_code == 404
    for path in ("/connect/woocommerce", "/connect/shopify", "/panel", "/api/v1/x", "/metrics"):
        assert at(site, HOST, path).status_code == 404, path
    connection = site.connection(other.id)
    answer = at(site, HOST, f"/s/woocommerce/{connection}/1?c={'p' * 43}")
    assert answer.status_code == 404


def test_forms_are_taken_from_the_host_they_stand_on(
    site: Any, housed: Shop, buyer: dict[str, str]
) -> None:
    path = path_of(housed.sell("PED-1"))
    page = at(site, HOST, path)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    data = buyer | {"csrf_token": found[1], "accion": "corregir"}
    for origin, status in (
        ("http://evil.example", 403),
        ("http://127.0.0.1:8000", 403),
        (f"http://{HOST}", 403),  # another port is another origin
        (f"https://{HOST}:8000", 403),
        (f"http://{HOST}:8000", 200),
    ):
        base = f"http://{HOST}:8000"
        answer = site.client.post(path, data=data, base_url=base, headers={"Origin": origin})
        assert answer.status_code == status, origin
    answer = site.client.post(path, data=data, headers={"Origin": f"http://{HOST}:8000"})
    assert answer.status_code == 403  # at the hub's own host the merchant's is a stranger


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"{HOST}.evil.example", f"x.{HOST}", "evil.example:8000", "[::1]", "a..b",
     "facturas.mitienda.example@evil.example", "x" * 300 + ".mx", "%00.mx", "exa mple.mx"],
)  # fmt: skip
def test_a_host_that_nobody_registered_is_the_hubs_and_leaks_nowhere(
    site: Any, housed: Shop, host: str
) -> None:
    link = housed.sell("PED-1", buyer={"email": "ana@example.com"})
    for path in (path_of(link), "/", "/facturar", "/f/nobody"):
        answer = site.client.get(path, headers={"Host": host, "X-Forwarded-Host": host})
        assert answer.status_code in {200, 400, 404}, path
        assert "evil" not in answer.text
        assert "evil" not in str(answer.headers)
    site.work()
    assert letters(site)
    assert not any("evil" in text for text in letters(site))


def test_a_registered_host_is_known_however_it_is_spelled(site: Any, housed: Shop) -> None:
    for host in (HOST.upper(), f"{HOST}.", f"{HOST}:443"):
        assert at_header(site, host, "/").status_code == 302, host


def at_header(site: Any, host: str, path: str) -> Any:
    return site.client.get(path, headers={"Host": host})


def test_a_proxy_on_this_machine_is_told_which_hosts_there_are(
    make_site: Callable[..., Any],
) -> None:
    site = make_site(PUBLIC_URL="https://hub.example.com", **KEYS)
    shop = Shop(site, "EKU9003173C9", "ESCUELA KEMPER URGATE")
    site.told("brand", "address", "add", *shop.of, "--host", HOST)

    def status(domain: str, **more: Any) -> int:
        return int(site.client.get("/tls/ask", query_string={"domain": domain}, **more).status_code)

    assert status(HOST) == status("hub.example.com") == 200
    for domain in ("evil.example", "", "127.0.0.1", f"x.{HOST}", "a" * 5000, "mi-tienda"):
        assert status(domain) == 404, domain
    assert status(HOST, environ_base={"REMOTE_ADDR": "198.51.100.7"}) == 404
    assert status(HOST, headers={"X-Forwarded-For": "127.0.0.1"}) == 404
    assert site.told("brand", "show", *shop.of)["page"] == f"https://{HOST}/facturar"


KEYS = {
    "AUTOFACTURA_KEYS": "k1:" + "A" * 43 + "=",
    "SECRET_KEY": "a secret of these tests alone, long",
}


def test_the_snippet_is_what_a_site_needs(site: Any, housed: Shop, other: Shop) -> None:
    told = site.told("brand", "snippet", *housed.of)
    assert f'src="http://{HOST}:8000/facturar"' in told["iframe"]
    assert told["frames"] == ["https://mitienda.example"]
    text = site.cli("brand", "snippet", *other.of).output
    assert f"/facturar/{other.id}" in text
    assert "no frame is shown yet" in text


# -- privacy, documents, and whose name stands where


def test_the_privacy_notice_says_what_the_law_asks_for(site: Any, shop: Shop, other: Shop) -> None:
    path = f"{path_of(shop.sell('PED-1'))}/privacidad?lang=es"
    for address in (path, f"/facturar/{shop.id}/privacidad?lang=es"):
        text = site.client.get(address).text
        for said in ("Comercial de Ejemplo", "Calle Uno 1, Centro", "RFC, nombre o razón social",
                     "SAT", "PAC", "ARCO", "mailto:facturas@mitienda.example",
                     "https://mitienda.example/privacidad"):  # fmt: skip
            assert said in text, said
    plain = site.client.get(f"/facturar/{other.id}/privacidad?lang=es").text
    for said in ("INDISTRIA ILUMINADORA", "IIA040805DZ4", "42501", "cuando lo pidas"):
        assert said in plain, said
    assert site.client.get("/facturar/nobody/privacidad").status_code == 404
    open_page = site.client.get(path.removesuffix("/privacidad?lang=es")).text
    form = open_page[open_page.index('id="factura"') :]
    assert "/privacidad" in form[: form.index("</form>")]


def test_the_document_carries_logo_and_colour(
    site: Any, shop: Shop, sandbox: Any, buyer: dict[str, str]
) -> None:
    site.stamps_with(sandbox, shop.id, "EKU9003173C9", "ESCUELA KEMPER URGATE")
    link = shop.sell("PED-1", buyer={"email": "ana@example.com"})
    (row,) = site.told("sale", "list", *shop.of)["data"]
    data = [part for name in ("rfc", "nombre", "cp", "regimen", "uso")
            for part in (f"--{name}", buyer[name])]  # fmt: skip
    made = site.told("invoice", "create", *shop.of, "--sale", row["id"], *data,
                     "--correo", "ana@example.com")  # fmt: skip
    site.work()
    site.work()
    branded = site.client.get(f"{path_of(link)}/cfdi.pdf").data
    assert site.told("brand", "remove", *shop.of)["removed"]
    plain = site.client.get(f"{path_of(link)}/cfdi.pdf").data
    counts = [len(PdfReader(io.BytesIO(one)).pages[0].images) for one in (branded, plain)]
    assert counts[0] == counts[1] + 1
    file = site.file("cli.pdf", b"")
    site.told("invoice", "pdf", *shop.of, made["id"], "--output", file)
    assert Path(file).read_bytes() == plain
    for one in (branded, plain):
        meta = str(PdfReader(io.BytesIO(one)).metadata).casefold()
        assert "autofactura" not in meta


def test_no_name_but_the_merchants_stands_on_what_buyers_see(
    site: Any, housed: Shop, sandbox: Any, buyer: dict[str, str]
) -> None:
    site.stamps_with(sandbox, housed.id, "EKU9003173C9", "ESCUELA KEMPER URGATE")
    open_link = housed.sell("PED-1", buyer={"email": "ana@example.com"})
    done_link = housed.sell("PED-2")
    row = site.told("sale", "list", *housed.of)["data"][0]
    data = [part for name in ("rfc", "nombre", "cp", "regimen", "uso")
            for part in (f"--{name}", buyer[name])]  # fmt: skip
    site.told("invoice", "create", *housed.of, "--sale", row["id"], *data,
              "--correo", "ana@example.com")  # fmt: skip
    site.work()
    site.work()
    seen = []
    for path in ("/", "/facturar", "/f/nobody", path_of(open_link), path_of(done_link),
                 f"{path_of(open_link)}/privacidad", f"{path_of(done_link)}/estado"):  # fmt: skip
        for language in ("es", "en"):
            answer = at(site, HOST, path, headers={"Accept-Language": language})
            seen += [answer.text, str(answer.headers)]
    assets = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', "".join(seen)))
    assert assets
    seen += [site.client.get(one).text for one in assets if not one.endswith(".png")]
    mails = sorted((Path(site.var_dir) / "mail").glob("*.eml"))
    assert len(mails) >= 2
    for mail in mails:
        message = message_from_bytes(mail.read_bytes(), policy=policy.default)
        seen.append(str(message.items()))
        seen += [str(part.get_content()) for part in message.walk()
                 if part.get_content_maintype() == "text"]  # fmt: skip
    for text in seen:
        found = re.search(
            r".{0,60}(autofactura|powered by|typst|werkzeug|flask|waitress)", text, re.IGNORECASE
        )
        assert found is None, found[0]
