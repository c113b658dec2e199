"""What a buyer writes to the merchant reaches the merchant, whole."""

from __future__ import annotations

from typing import Any

from hub.steps import ask, review


def test_the_merchant_reads_all_that_the_buyer_gave(world: Any, merchant: Any) -> None:
    given = {
        "rfc": "CAC-X760510-1P8",
        "nombre": "XOCHILT CASAS CHAVEZ",
        "cp": "36257",
        "regimen": "612",
        "uso": "G03",
        "correo": "comprador@example.com",
        "mensaje": "La necesito.",
        "idioma": "es",
    }
    token = merchant.token(merchant.keep())
    world.clock.advance(40 * 86400)
    assert ask.ask(world.ctx, token, given) is None
    (waiting,) = review.waiting(world.ctx, merchant.id)
    assert (waiting.kind, waiting.form) == ("ask", given | {"por": "enlace"})
