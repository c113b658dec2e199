"""Headers, downloads, assets and links: everything of an answer that is not its words."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from typing import Any

import pytest

from hub.domain.brand import Brand
from hub.domain.pagina import Pagina
from hub.domain.purchase import Estado


@pytest.mark.parametrize("estado", [*Estado, None])
def test_every_answer_carries_the_headers_and_no_cookie(kit: Any, estado: Estado | None) -> None:
    if estado is not None:
        kit.service.current = kit.purchase(estado)
    token_path = kit.path if estado is not None else "/f/nobody"
    answers = [
        kit.client.get("/"),
        kit.client.get(token_path),
        kit.client.get(f"{token_path}/estado"),
        kit.client.get(f"{token_path}/cfdi.xml"),
        kit.client.get(f"{token_path}/cfdi.pdf"),
        kit.client.post(token_path, data=kit.good),
        kit.client.delete(token_path),
        kit.client.get(f"{token_path}/no/such/page"),
    ]
    for answer in answers:
        headers = answer.headers
        assert "Set-Cookie" not in headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "noindex" in headers["X-Robots-Tag"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "Permissions-Policy" in headers
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("estado", Estado)
def test_no_page_has_inline_code_or_a_third_party(kit: Any, estado: Estado) -> None:
    kit.service.current = kit.purchase(estado, sandbox=True)
    answer = kit.client.get(kit.path)
    text = answer.text
    assert "style=" not in text
    sheets = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert text.count("<style") == len(sheets) == 1
    # Only this very text may be one, so nobody else's style is ever applied.
    digest = base64.b64encode(hashlib.sha256(sheets[0].encode()).digest()).decode()
    assert f"style-src 'self' 'sha256-{digest}';" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"<script(?![^>]*src=\"/assets/)", text)
    assert not re.search(r'(src|href|action)="(https?:)?//', text)


def test_frames_are_for_the_merchants_origins_only(kit: Any) -> None:
    assert "frame-ancestors 'none'" in kit.client.get(kit.path).headers["Content-Security-Policy"]
    assert kit.client.get(kit.path).headers["X-Frame-Options"] == "DENY"
    shop = Pagina(marcos=("https://shop.example", "https://x.example; script-src *"))
    kit.service.current = kit.purchase(brand=Brand("m1", pagina=shop))
    headers = kit.client.get(kit.path).headers
    assert headers["Content-Security-Policy"].endswith("frame-ancestors https://shop.example")
    assert "X-Frame-Options" not in headers
    unknown = kit.client.get("/f/nobody").headers["Content-Security-Policy"]
    assert unknown.endswith("frame-ancestors 'none'")


def test_unknown_links_all_get_the_same_answer(kit: Any) -> None:
    answers = {
        (answer.status_code, answer.data)
        for answer in (
            kit.client.get("/f/x"),
            kit.client.get("/f/" + "A" * 43),
            kit.client.get("/f/%00%ff%F0"),
            kit.client.get("/f/x/cfdi.xml"),
            kit.client.get("/f/x/sat"),
            kit.client.post("/f/x", data=kit.good),
            kit.client.post("/f/x/correo", data={"correo": "a@example.com"}),
        )
    }
    assert len(answers) == 1
    status, body = answers.pop()
    assert status == 404
    assert "No encontramos esa compra" in body.decode()


def test_what_mail_programs_leave_at_a_links_end_does_no_harm(kit: Any) -> None:
    for tail in (".", ")", "%3E", "."):
        answer = kit.client.get(kit.path + tail)
        assert answer.status_code == 302
        assert answer.headers["Location"] == kit.path


def test_the_documents_are_downloads_named_by_their_uuid(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    for ending, content_type in (("xml", "application/xml"), ("pdf", "application/pdf")):
        answer = kit.client.get(f"{kit.path}/cfdi.{ending}")
        assert answer.status_code == 200
        assert answer.mimetype == content_type
        expected = f"attachment; filename={kit.uuid}.{ending}"
        assert answer.headers["Content-Disposition"] == expected


def test_a_strange_uuid_never_reaches_a_file_name(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA, uuid='x"\r\nSet-Cookie: a=b')
    answer = kit.client.get(f"{kit.path}/cfdi.pdf")
    assert answer.headers["Content-Disposition"] == "attachment; filename=cfdi.pdf"
    assert "Set-Cookie" not in answer.headers


def test_no_document_before_there_is_one(kit: Any) -> None:
    for path in ("cfdi.xml", "cfdi.pdf", "sat"):
        answer = kit.client.get(f"{kit.path}/{path}")
        assert answer.status_code == 404
        assert "todavía no existe" in answer.text


def test_the_sat_link_goes_to_the_sats_own_page(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    answer = kit.client.get(f"{kit.path}/sat")
    assert answer.status_code == 302
    target = answer.headers["Location"]
    assert target.startswith("https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx?id=")
    assert kit.uuid in target


def test_the_first_page_is_small(kit: Any) -> None:
    kit.service.current = kit.purchase(sandbox=True)
    page = kit.client.get(kit.path, headers={"Accept-Encoding": "gzip, br"})
    total = len(page.data) + len(str(page.headers))
    # TCP's first window of ten segments (RFC 6928): it is painted after one round trip.
    assert total <= 13 * 1024
    for url in set(re.findall(r'"(/assets/[^"]+)"', gzip.decompress(page.data).decode())):
        asset = kit.client.get(url, headers={"Accept-Encoding": "gzip, br"})
        assert asset.status_code == 200
        assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        total += len(asset.data) + len(str(asset.headers))
    assert total <= 40 * 1024


def test_assets_of_another_version_are_served_but_not_kept(kit: Any) -> None:
    old = kit.client.get("/assets/app.0123456789abcdef.css")
    assert old.status_code == 200
    assert old.headers["Cache-Control"] == "no-store"
    assert kit.client.get("/assets/secret.0123456789abcdef.css").status_code == 404
    assert kit.client.get("/assets/app.css").status_code in {200, 404}
    assert kit.client.get("/assets/..%2f..%2fetc.x.css").status_code == 404
