"""Tries that come all at once, over the pages on both stores: no more are made than may be."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hub.steps import find
from tests.steps.conftest import FORM

CROWD = 40


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was looked up in the database, which is what a guess is after."""
    seen: list[str] = []
    for name in ("prove", "find"):
        real = getattr(find, name)

        def spy(*given: Any, real: Callable[..., Any] = real, name: str = name) -> Any:
            seen.append(name)
            return real(*given)

        monkeypatch.setattr(find, name, spy)
    return seen


def at_once(client: Any, path: str, to: str, forms: list[dict[str, str]]) -> Counter[int]:
    """The answers to forms of one page that are sent together, each from a place of its own."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found
    start = threading.Barrier(len(forms))

    def send(given: tuple[int, dict[str, str]]) -> int:
        place, form = given
        own = client.application.test_client()
        start.wait()
        answer = own.post(
            path + to,
            data={"csrf_token": found[1], **form},
            environ_base={"REMOTE_ADDR": f"198.51.100.{place}"},
        )
        return int(answer.status_code)

    with ThreadPoolExecutor(len(forms)) as pool:
        return Counter(pool.map(send, enumerate(forms, 1)))


def test_of_many_rfcs_at_once_five_are_tried(
    world: Any, merchant: Any, client: Any, looked: list[str]
) -> None:
    sale_id = merchant.keep()
    merchant.request(sale_id)
    world.quiet()
    row = merchant.of(lambda tenant: tenant.sales.get(sale_id))
    path = "/f/" + str(find.find(world.ctx, row.code, row.sale.total))
    looked.clear()
    wrong = [{"rfc": f"AAA0101{n:02}AAA"} for n in range(1, CROWD + 1)]
    assert at_once(client, path, "/probar", wrong) == {422: 5, 429: CROWD - 5}
    assert looked == ["prove"] * 5
    # Nor is the right one taken now, which would tell.
    assert client.send(path, "/probar", rfc=FORM.rfc).status_code == 429


def test_of_many_totals_at_once_five_are_tried(
    world: Any, merchant: Any, client: Any, looked: list[str]
) -> None:
    sale_id = merchant.keep()
    code = str(merchant.of(lambda tenant: tenant.sales.get(sale_id)).code)
    wrong = [{"codigo": code, "total": f"{n}.00"} for n in range(1, CROWD + 1)]
    path = f"/facturar/{merchant.id}"
    assert at_once(client, path, "", wrong) == {404: 5, 429: CROWD - 5}
    assert looked == ["find"] * 5
    assert client.send(path, codigo=code, total="116.00").status_code == 303
