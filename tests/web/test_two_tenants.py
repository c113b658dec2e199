"""Whatever belongs to one merchant is never found by another, by any route or command."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click
import pytest
from pypdf import PdfReader

from hub.cli import main

#: What names the first merchant, its buyer, its sale. None of it may reach the other.
MARKERS = (
    "EKU9003173C9",
    "ESCUELA KEMPER",
    "XAMA620210DQ5",
    "XKARAJAM",
    "canario-a@example.com",
    "PEDIDO-A-7341",
    "shop-of-a",
)
#: The platform's id of a customer whose data the first merchant knows.
CUSTOMER = "cus-canary-7341"
BUYER_A = {"rfc": "XAMA620210DQ5", "nombre": "ALBA XKARAJAM MENDEZ", "cp": "01219",
           "regimen": "612", "uso": "G03", "correo": "canario-a@example.com"}  # fmt: skip


@dataclass
class Tenant:
    merchant_id: str
    connection_id: str
    inbox_id: str
    sale: dict[str, Any]
    open_sale: dict[str, Any]
    invoice_id: str

    @property
    def path(self) -> str:
        return "/f/" + str(self.sale["link"]).rpartition("/")[2]


@dataclass
class Two:
    site: Any
    a: Tenant
    b: Tenant


@pytest.fixture(scope="module")
def two(make_site: Callable[..., Any], sandbox: Any, buyer: dict[str, str]) -> Two:
    site = make_site()
    b_buyer = buyer | {"correo": "canario-b@example.com"}
    a = tenant(site, sandbox, "EKU9003173C9", "ESCUELA KEMPER URGATE", "A", BUYER_A)
    b_name = "INDISTRIA ILUMINADORA DE ALMACENES"
    b = tenant(site, sandbox, "IIA040805DZ4", b_name, "B", b_buyer)
    return Two(site, a, b)


def tenant(
    site: Any, sandbox: Any, rfc: str, nombre: str, letter: str, form: dict[str, str]
) -> Tenant:
    merchant_id = site.merchant(rfc, nombre)
    site.stamps_with(sandbox, merchant_id, rfc, nombre)
    connection_id = site.connection(merchant_id, f"shop-of-{letter.lower()}", f"whsec_{letter}")
    sale = site.sell(merchant_id, f"PEDIDO-{letter}-7341", buyer={"email": form["correo"]})
    open_sale = site.sell(merchant_id, f"PEDIDO-{letter}-7341-2")
    path = "/f/" + sale["link"].rpartition("/")[2]
    while site.work():
        pass  # the invitation
    assert site.post_form(path, form).status_code == 303
    body = json.dumps({"id": 1, "status": f"PEDIDO-{letter}-7341"}).encode()
    door = f"/webhooks/woocommerce/{connection_id}"
    digest = webhook(body, f"whsec_{letter}")
    assert site.client.post(door, data=body, headers=digest).text == "filed\n"
    while site.work():
        pass
    state = site.client.get(f"{path}/estado").json
    assert state["estado"] == "lista", state
    of = ("--merchant", merchant_id)
    if letter == "A":
        given = [word for name, value in form.items() for word in (f"--{name}", value)]
        site.told("customer", "set", *of, "--connection", connection_id, CUSTOMER, *given)
    (invoice,) = site.told("invoice", "list", *of)["data"]
    (row,) = site.told("inbox", "list", *of)["data"]
    return Tenant(merchant_id, connection_id, row["id"], sale, open_sale, invoice["id"])


def webhook(body: bytes, secret: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return {"X-WC-Webhook-Topic": "order.created", "X-WC-Webhook-Signature": signature}


def clean(data: bytes | str, where: str) -> None:
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    found = [marker for marker in MARKERS if marker.lower() in text.lower()]
    assert not found, f"{where}: {found}"


def readable(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_what_the_buyer_of_b_sees_names_nothing_of_a(two: Two) -> None:
    client, path = two.site.client, two.b.path
    for suffix in ("", "?prueba=1", "/estado", "/cfdi.xml", "/sat"):
        answer = client.get(path + suffix)
        clean(answer.data, suffix)
        clean(str(answer.headers), suffix)
    pdf = client.get(f"{path}/cfdi.pdf").data
    clean(pdf, "pdf")
    clean(readable(pdf), "pdf text")
    assert "INDISTRIA" in readable(pdf)
    assert "XKARAJAM" in readable(client.get(f"{two.a.path}/cfdi.pdf").data)


def filled(rule: str, values: dict[str, str]) -> str:
    """The path of a route, with these in the places of its arguments."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda name: values[name[1]], rule)


def ways_of_b(two: Two) -> list[str]:
    """What leads to pages of the second merchant: its links, and passes for who has its tickets."""
    of_ticket = [
        two.site.post_form(
            f"/facturar/{two.b.merchant_id}", {"codigo": sale["code"], "total": sale["total"]}
        ).headers["Location"]
        for sale in (two.b.sale, two.b.open_sale)
    ]
    links = [str(sale["link"]) for sale in (two.b.sale, two.b.open_sale)]
    return [way.rpartition("/")[2] for way in [*links, *of_ticket]]


def test_no_page_of_b_names_a(two: Two) -> None:
    """Every route there is, whoever adds it, asked for with all that leads to the second one."""
    given = {"merchant": two.b.merchant_id, "connection": two.b.connection_id, "number": "1",
             "platform": "woocommerce", "order": "1", "filename": "x", "digest": "x",
             "theme": "dark", "name": "abierta"}  # fmt: skip
    ids = (two.a.merchant_id, two.a.connection_id, two.a.sale["id"], two.a.invoice_id,
           two.a.sale["code"], two.a.path[3:])  # fmt: skip
    shown = set()
    for rule in two.site.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith("/design"):
            continue
        for token in ways_of_b(two) if "token" in rule.arguments else [""]:
            path = filled(rule.rule, given | {"token": token})
            answer = two.site.client.get(path)
            clean(answer.data, path)
            clean(str(answer.headers), path)
            if answer.mimetype == "application/pdf":
                clean(readable(answer.data), path)
            assert not [one for one in ids if one in str(answer.data) + str(answer.headers)], path
            shown |= {rule.rule} if answer.status_code == 200 else set()
    assert {"/f/<token>", "/f/<token>/varias", "/f/<token>/cfdi.pdf", "/f/<token>/privacidad",
            "/facturar/<merchant>", "/f/<token>/qr.svg"} <= shown  # fmt: skip


def archived(site: Any, path: str, form: dict[str, str]) -> Any:
    found = re.search(r'name="csrf_token" value="([^"]+)"', site.client.get(path).text)
    assert found is not None
    return site.client.post(f"{path}/zip", data={"csrf_token": found[1], **form})


def test_nothing_of_a_is_had_by_a_link_of_b(two: Two) -> None:
    """Its link, and what stands on its ticket, typed and sent where the second one takes such."""
    b_open = "/f/" + two.b.open_sale["link"].rpartition("/")[2]
    theirs = two.a.open_sale
    for typed in (theirs["link"], theirs["code"]):
        wanted = {"codigo": typed, "total": theirs["total"]}
        for path in (f"{b_open}/varias", f"/facturar/{two.b.merchant_id}"):
            answer = two.site.post_form(path, wanted)
            assert answer.status_code in {404, 422}, (path, answer.status_code)
            clean(answer.text.replace(typed, ""), path)
    enlaces = {"enlace": two.a.path.removeprefix("/f/")}
    archive = archived(two.site, two.b.path, enlaces)
    own = archived(two.site, two.a.path, {})
    with zipfile.ZipFile(io.BytesIO(archive.data)) as papers:
        assert len(papers.namelist()) == 2
        for name in papers.namelist():
            clean(name, "zip")
            content = papers.read(name)
            clean(readable(content) if name.endswith("pdf") else content, name)
    with zipfile.ZipFile(io.BytesIO(own.data)) as papers:
        assert any(b"XKARAJAM" in papers.read(name) for name in papers.namelist())


def test_no_mail_for_b_names_a(two: Two) -> None:
    seen = 0
    for file in (two.site.var_dir / "mail").iterdir():
        letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if "canario-a@" in str(letter["To"]):
            continue
        seen += 1
        clean(str(letter.items()), "headers")
        for part in letter.walk():
            if not part.is_multipart():
                content = part.get_payload(decode=True)
                pdf = part.get_content_type() == "application/pdf"
                clean(readable(content) if pdf else content, part.get_content_type())
    assert seen == 2  # an invitation and an invoice


@pytest.mark.parametrize("kind", ["merchant_id", "connection_id", "inbox_id", "invoice_id"])
def test_no_id_is_a_link(two: Two, kind: str) -> None:
    for name in (getattr(two.a, kind), two.a.sale["id"], two.a.sale["code"]):
        for suffix in ("", "/estado", "/cfdi.xml", "/cfdi.pdf", "/sat"):
            answer = two.site.client.get(f"/f/{name}{suffix}")
            assert answer.status_code in {404, 429}
            clean(answer.data, suffix)


def test_the_form_of_one_link_posts_to_no_other(two: Two, buyer: dict[str, str]) -> None:
    a_open = "/f/" + two.a.open_sale["link"].rpartition("/")[2]
    b_open = "/f/" + two.b.open_sale["link"].rpartition("/")[2]
    page = two.site.client.get(b_open).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    answer = two.site.client.post(a_open, data=buyer | {"csrf_token": found[1]})
    assert answer.status_code == 422
    assert two.site.client.get(f"{a_open}/estado").json["estado"] == "abierta"


def test_the_secret_of_b_opens_no_door_of_a(two: Two) -> None:
    body = b'{"id": 99}'
    door = f"/webhooks/woocommerce/{two.a.connection_id}"
    answer = two.site.client.post(door, data=body, headers=webhook(body, "whsec_B"))
    assert answer.status_code == 401
    clean(answer.data, door)


#: Commands of one merchant that ask for something by its id: with an id of the other.
BY_ID: dict[str, tuple[str, ...]] = {
    "connection show": ("{connection}",),
    "connection set": ("{connection}", "--announce"),
    "connection renew": ("{connection}", "--webhook-secret", "whsec_of_b"),
    "connection disconnect": ("{connection}",),
    "connection reconcile": ("{connection}",),
    "inbox show": ("{inbox}",),
    "inbox replay": ("{inbox}",),
    "sale show": ("{sale}",),
    "sale link": ("{sale}",),
    "sale qr": ("{sale}",),
    "sale ticket": ("{sale}",),
    "sale link --renew": ("{open}",),
    "invoice create": ("--sale", "{open}", "--rfc", "CACX7605101P8", "--nombre",
                       "XOCHILT CASAS CHAVEZ", "--cp", "36257", "--regimen", "612", "--uso", "G03"),
    "customer show": ("--connection", "{connection}", "{customer}"),
    "customer set": ("--connection", "{connection}", "{customer}", "--rfc", "XAMA620210DQ5",
                     "--nombre", "ALBA XKARAJAM MENDEZ", "--cp", "01219", "--regimen", "612",
                     "--uso", "S01"),
    "customer forget": ("--connection", "{connection}", "{customer}"),
    "invoice show": ("{invoice}",),
    "invoice xml": ("{invoice}", "--output", "{file}"),
    "invoice pdf": ("{invoice}", "--output", "{file}"),
    "invoice answer": ("{invoice}", "--number", "1", "--output", "{file}"),
    "invoice retry": ("{invoice}",),
    "invoice cancel": ("{invoice}", "--motivo", "02"),
    "invoice status": ("{invoice}",),
    "invoice acuse": ("{invoice}", "--output", "{file}"),
    "review resolve": ("{invoice}", "--retry"),
    "review resolve --ask-again": ("{invoice}",),
    "review resolve --not-stamped": ("{invoice}",),
    "review resolve --given-back": ("{sale}",),
    "review resolve --done": ("{sale}",),
    "review resolve --declined": ("{sale}", "--answer", "no"),
    "review resolve --answer=no": ("{sale}",),
    "review resolve --found": ("{file}", "{invoice}"),
}  # fmt: skip
#: Those that list or change what is the merchant's own: they may answer, but not with the other's.
OWN: dict[str, tuple[str, ...]] = {
    "connection list": (),
    "channel list": (),
    "audit list": (),
    "connection pair": (),
    "inbox list": (),
    "inbox list --after": ("{inbox}",),
    "sale list": (),
    "sale list --after": ("{sale}",),
    "sale export": ("--open",),
    "sale reopen": ("--global-uuid", "5fb2822e-396d-4725-8521-cdc4bdd20ccf"),
    "customer list": (),
    "customer list --after": ("{connection}", "{customer}"),
    "invoice list": (),
    "invoice list --after": ("{invoice}",),
    "review list": (),
    "rules show": (),
    "brand show": (),
    "brand snippet": (),
    "brand remove": (),
    "pac test": (),
}
#: Tried in tests/commands with one merchant: they take no id of anything and show nothing stored.
#: `brand address …` with two of them in test_brand.py.
OTHERS = {
    "brand set",
    "brand address add",
    "brand address list",
    "brand address remove",
    "connection create",
    "csd add",
    "pac set",
    "rules set",
    "sale create",
    "sale close",
    "channel set",
    "channel test",
    "channel remove",
}


def of_merchants(group: click.Group, prefix: str = "") -> Iterator[str]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from of_merchants(one, f"{prefix}{name} ")
        elif any(parameter.name == "merchant_id" and parameter.opts == ["--merchant"]
                 for parameter in one.params):  # fmt: skip
            yield prefix + name


def named(path: str) -> str:
    return " ".join(path.split()[:2])


def test_every_command_of_a_merchant_is_known_here() -> None:
    assert set(of_merchants(main)) == {named(path) for path in [*BY_ID, *OWN]} | OTHERS


def arguments(two: Two, path: str, template: tuple[str, ...], file: str) -> list[str]:
    ids = {
        "connection": two.a.connection_id,
        "inbox": two.a.inbox_id,
        "sale": two.a.sale["id"],
        "open": two.a.open_sale["id"],
        "customer": CUSTOMER,
        "invoice": two.a.invoice_id,
        "file": file,
    }
    words = path.split()
    given = [*words[2:], *(one.format(**ids) for one in template)]
    return [*words[:2], "--merchant", two.b.merchant_id, *given]


def rows(two: Two) -> list[str]:
    with sqlite3.connect(two.site.var_dir / "hub.sqlite3") as database:
        return list(database.iterdump())


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("path", BY_ID)
def test_ids_of_a_are_unknown_to_b(two: Two, path: str, as_json: bool) -> None:
    file = two.site.file("theirs.xml", "<a/>") if "found" in path else f"{two.site.var_dir}/none"
    given = arguments(two, path, BY_ID[path], file)
    before = rows(two)
    result = two.site.cli(*given, *(["--json"] if as_json else []))
    assert result.exit_code == 1, result.output
    told = result.output.replace(" ".join(given), "")
    clean(told, path)
    assert "has no" in told or "only an invoice" in told
    assert "should not happen" not in told
    assert rows(two) == before


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("path", OWN)
def test_what_b_lists_holds_nothing_of_a(two: Two, path: str, as_json: bool) -> None:
    given = arguments(two, path, OWN[path], "")
    result = two.site.cli(*given, *(["--json"] if as_json else []))
    assert result.exit_code == 0, result.output
    clean(result.output, path)
    for secret in (two.a.connection_id, two.a.inbox_id, two.a.sale["id"], two.a.invoice_id):
        assert secret not in result.output


def test_the_same_crawl_with_its_own_ids_finds_everything(two: Two) -> None:
    """The crawl can fail: what is asked for by its own merchant is there."""
    for path, template in BY_ID.items():
        if named(path) in {
            "connection disconnect",
            "connection reconcile",
            "inbox replay",
            "invoice create",
            "review resolve",
            "invoice retry",
            "invoice cancel",
            "invoice acuse",
        }:
            continue
        words = arguments(two, path, template, f"{two.site.var_dir}/own")
        words[3] = two.a.merchant_id
        result = two.site.cli(*words)
        assert result.exit_code == 0, (path, result.output)
