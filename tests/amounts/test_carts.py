"""Random carts by the thousand: the Total is what was charged, and no limit of SAT's is broken.

24,000 carts each time; `CARTS=5000` asks for so many of each of the 48 classes (240,000).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from cfdi.amounts import fit

EACH = int(os.environ.get("CARTS", "500"))
CUSTOMS = ("incl", "incl6", "excl", "excl6", "excl-total", "incl-raw")


@pytest.mark.parametrize("withheld", [False, True], ids=["paid whole", "withheld"])
@pytest.mark.parametrize("decimales", [0, 2, 3, 4])
@pytest.mark.parametrize("custom", CUSTOMS)
def test_no_cart_misses(
    custom: str,
    decimales: int,
    withheld: bool,
    shop: Callable[[int], Any],
    judge: Callable[..., list[str]],
) -> None:
    charge = shop(1000 + 10 * decimales + withheld)
    charged = 0
    for _ in range(EACH):
        cart = charge.cart(decimales=decimales, custom=custom, withheld=withheld)
        if cart.total <= 0:
            continue  # nothing was paid: there is nothing to invoice
        charged += 1
        cuentas = fit(cart.partidas, total=cart.total, decimales=decimales)
        assert judge(cart.partidas, cuentas, cart.total, decimales) == [], cart
    assert charged > EACH * 0.9
