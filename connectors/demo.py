"""Demonstration shops, by entry point: what `up --demo` plays without naming a platform."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

GROUP: Final = "autofactura.demo_shops"


class DemoShop(Protocol):
    """A shop with a few paid orders, to be served on loopback."""

    platform: str
    #: What a merchant would type when connecting it.
    credentials: Mapping[str, str]
    #: The shop's own HTTP interface, which `fetch` asks.
    app: WSGIApplication

    def send_orders(self, webhook_url: str) -> None:
        """Network: greet and send every order once, signed, as the platform does.

        Raises `OSError` if the hub does not answer 200.
        """
        ...


MakeDemoShop = Callable[[datetime, random.Random], DemoShop]


def demo_shops(now: datetime, rng: random.Random) -> list[DemoShop]:
    """One shop of each platform that offers one, its orders dated just before `now`."""
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    makers: list[MakeDemoShop] = [point.load() for point in points]
    return [make(now, rng) for make in makers]
