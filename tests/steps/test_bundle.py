"""All documents of the links somebody holds, and of no others."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from typing import Any

import pytest

from cfdi.pdf.qr import verification_url
from hub.domain.purchase import Paper
from portal.buyer.bundle import MOST, zipped
from portal.buyer.limits import BUNDLES

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def invoiced(world: Any, merchant: Any, key: str) -> str:
    sale_id = merchant.keep(key)
    merchant.request(sale_id)
    world.quiet()
    return str(merchant.token(sale_id))


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            head = archive.read(name)[:5]
            assert head == (b"%PDF-" if name.endswith(".pdf") else b"<?xml")
        return archive.namelist()


def test_one_purchase_and_those_remembered(world: Any, merchant: Any, client: Any) -> None:
    first, second = (invoiced(world, merchant, key) for key in ("7001", "70/02"))
    uuids = [client.get(f"/f/{token}/estado").json["uuid"] for token in (first, second)]
    alone = names(client.send(f"/f/{first}", "/zip"))
    assert alone == [f"2026-11-20-7001-factura-{uuids[0]}.{end}" for end in ("xml", "pdf")]
    both = names(client.send(f"/f/{first}", "/zip", enlace=[second, first, second]))
    assert both == alone + [f"2026-11-20-70_02-factura-{uuids[1]}.{end}" for end in ("xml", "pdf")]


def test_a_link_of_anybody_else_adds_nothing(world: Any, merchant: Any, client: Any) -> None:
    mine = invoiced(world, merchant, "7001")
    other = world.settle(1)
    theirs = invoiced(world, other, "9001")
    open_one = merchant.token(merchant.keep("7002"))
    sale_id = merchant.sale_id()
    link = merchant.of(lambda tenant: tenant.links.current(sale_id))
    ticket = world.ctx.passes.make(
        merchant.id, [(link.sale_id, link.generation)], world.clock.now()
    )
    hostile = [theirs, open_one, ticket, "", "x" * 43, "../../etc/passwd", "\0", "á" * 50, mine * 9]
    assert len(names(client.send(f"/f/{mine}", "/zip", enlace=hostile))) == 2
    assert client.send(f"/f/{open_one}", "/zip", enlace=[mine]).status_code == 404
    assert client.send(f"/f/{ticket}", "/zip", enlace=[mine]).status_code == 404
    assert client.post(f"/f/{mine}/zip", data={"enlace": mine}).status_code == 422


def test_so_many_and_so_often(world: Any, merchant: Any, client: Any) -> None:
    mine = invoiced(world, merchant, "7001")
    assert len(names(client.send(f"/f/{mine}", "/zip", enlace=["y" * 43] * 500))) == 2
    many = {"enlace": ["z" * 43] * 2000}
    assert client.send(f"/f/{mine}", "/zip", **many).status_code == 413
    told = [client.send(f"/f/{mine}", "/zip").status_code for _ in range(BUNDLES.amount)]
    assert told[-1] == 429
    assert told[0] == 200


def test_a_large_bundle_is_not_held_in_memory(url: str) -> None:
    del url
    blob = bytes(range(256)) * 4096  # 1 MB
    tracemalloc.start()
    size = sum(len(piece) for piece in zipped(Paper(f"{n}.pdf", blob) for n in range(2 * MOST)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 0
    assert peak < 8 * len(blob)


def test_what_sat_is_asked_about_is_the_document_itself(
    world: Any, merchant: Any, client: Any
) -> None:
    token = invoiced(world, merchant, "7001")
    location = client.get(f"/f/{token}/sat").location
    assert location == verification_url(client.get(f"/f/{token}/cfdi.xml").data)
    assert location.startswith("https://verificacfdi.facturaelectronica.sat.gob.mx/")
