from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from cfdi.pdf.qr import svg, verification_url

Stamped = Callable[..., bytes]
UUID = "5B3C1D2E-8F4A-4C6B-9D7E-0A1B2C3D4E5F"


def test_the_address_holds_what_anexo_20_asks(stamped: Stamped) -> None:
    xml = stamped(seal_cfd="x" * 336 + "AbC+/d==")
    assert verification_url(xml) == (
        "https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx"
        f"?id={UUID}&re=EKU9003173C9&rr=CACX7605101P8&tt=1260.0&fe=AbC+/d=="
    )


@pytest.mark.parametrize(
    ("total", "printed"),
    [
        ("1260.00", "1260.0"),
        ("1260.50", "1260.5"),
        ("0.05", "0.05"),
        ("15390.3", "15390.3"),
        ("100", "100.0"),
        ("999999999.99", "999999999.99"),
        ("1E+2", "100.0"),
    ],
)
def test_the_total_has_no_insignificant_zeros(stamped: Stamped, total: str, printed: str) -> None:
    assert f"&tt={printed}&fe=" in verification_url(stamped(Total=total))


def test_an_ampersand_in_an_rfc_stays_in_the_rfc(stamped: Stamped) -> None:
    url = verification_url(stamped(issuer_rfc="Ñ&U9003173C9", receiver_rfc="A&A010101AAA"))
    query = parse_qs(urlsplit(url).query)
    assert query["re"] == ["Ñ&U9003173C9"]
    assert query["rr"] == ["A&A010101AAA"]


def test_a_document_without_a_stamp_has_no_address(stamped: Stamped) -> None:
    with pytest.raises(ValueError, match="not stamped"):
        verification_url(stamped().replace(b"<tfd:Timbre", b"<tfd:Otro"))


def test_the_code_is_a_drawing_of_squares() -> None:
    drawing = svg("https://example.com/")
    assert drawing.startswith("<svg")
    assert "<path" in drawing
