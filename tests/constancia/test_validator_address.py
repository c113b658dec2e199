"""The address in the QR: SAT's validator alone, taken apart and never opened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfdi.constancia import read_qr

BASE = "https://siat.sat.gob.mx/app/qr/faces/pages/mobile/validadorqr.jsf?D1=10&D2=1&D3="


@pytest.mark.parametrize(
    "rfc", ["EKU9003173C9", "CACX7605101P8", "H&E951128469", "OÑO120726RX3", "RAQÑ7701212M3"]
)
def test_the_address_gives_rfc_and_id(rfc: str) -> None:
    encoded = rfc.replace("&", "%26").replace("Ñ", "%C3%91")
    for text in (f"{BASE}12345678901_{rfc}", f"  {BASE}12345678901_{encoded}\n"):
        assert read_qr(text) == (rfc, "12345678901")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "EKU9003173C9",
        f"{BASE}12345678901_XAXX010101000",
        f"{BASE}12345678901_EKU9003173C",
        f"{BASE}_EKU9003173C9",
        f"{BASE}abc_EKU9003173C9",
        f"{BASE}12345678901-EKU9003173C9",
        f"{BASE}1234567890123456_EKU9003173C9",
        f"{BASE}12345678901_EKU9003173C9".replace("siat.", "siat-"),
        f"{BASE}12345678901_EKU9003173C9".replace("gob.mx/", "gob.mx.example.com/"),
        f"{BASE}12345678901_EKU9003173C9".replace("https://siat", "https://x@evil.example/siat"),
        f"{BASE}12345678901_EKU9003173C9".replace("https", "javascript"),
        f"{BASE}12345678901_EKU9003173C9".replace("validadorqr", "otra"),
        "https://[::1",
        "https://siat.sat.gob.mx:notaport/",
    ],
)
def test_every_other_text_is_none(text: str) -> None:
    assert read_qr(text) is None


@given(st.text(max_size=100))
def test_no_text_breaks_it(tail: str) -> None:
    assert read_qr(tail) is None
    read_qr(BASE + tail)
    read_qr(f"{BASE}12345678901_{tail}")
