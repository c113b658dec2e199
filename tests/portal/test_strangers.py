"""What one stranger does to the buyer's page stops nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from hub.domain.purchase import Estado, Joined, Paper
from hub.steps.join import NOT_FOUND
from portal.buyer.bundle import AT_ONCE


@pytest.mark.parametrize("other", [{"number": "1043, 1044"}, {"number": "1042", "part": 2}])
def test_tries_on_one_invoice_without_a_code_are_not_those_on_another(
    kit: Any, other: dict[str, Any]
) -> None:
    """Several together, and the parts of one: no ticket has their code."""
    mine = replace(kit.purchase(Estado.LISTA), proven=False, code="", number="1042", part=1)
    kit.service.current = mine
    for n in range(6):
        guess = kit.post(
            {"rfc": f"AAA01010{n}AAA"}, "/probar", environ_base={"REMOTE_ADDR": f"192.0.2.{n}"}
        )
    assert guess.status_code == 429
    assert [kit.post({}, "/reenviar").status_code for _ in range(4)][-1] == 429
    kit.service.current = replace(mine, **other)
    assert kit.post({"rfc": kit.good["rfc"]}, "/probar").status_code == 303
    assert kit.post({}, "/reenviar").status_code == 303


def test_wrong_links_of_a_stranger_do_not_keep_a_buyer_from_adding_one(
    kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.service.current = replace(kit.purchase(), joinable=True)
    mine = "https://facturas.example.com/f/" + "m" * 43

    def join_link(_token: str, text: str) -> Joined:
        return Joined("a.list") if text == mine else Joined(None, NOT_FOUND)

    more = {"join_link": join_link, "listed": lambda _: (), "unjoinable": lambda _: None}
    for name, answer in more.items():
        monkeypatch.setattr(kit.service, name, answer, raising=False)
    for n in range(40):
        wrong = {"codigo": f"https://facturas.example.com/f/{n:043}"}
        address = {"REMOTE_ADDR": f"192.0.2.{n}"}
        assert kit.post(wrong, "/varias", environ_base=address).status_code == 422
    assert kit.post({"codigo": mine}, "/varias").headers["Location"] == "/f/a.list/varias"


def test_bundles_under_way_leave_threads_to_others(
    kit: Any, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each prints up to a hundred documents; the server of these tests has four threads."""
    kit.service.current = kit.purchase(Estado.LISTA)
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(_service: Any, _token: str, _others: Any) -> Iterator[Paper]:
        begun.release()
        go_on.wait(120)
        yield Paper("a.xml", b"<a/>")

    monkeypatch.setattr(type(kit.service), "bundle", slow)
    form, statuses = kit.signed(), []

    def ask() -> None:
        statuses.append(
            requests.post(f"{served}{kit.path}/zip", data=form, timeout=120).status_code
        )

    asking = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for one in asking:
        one.start()
    for _ in asking:
        assert begun.acquire(timeout=120)
    refused = requests.post(f"{served}{kit.path}/zip", data=form, timeout=120)
    assert (refused.status_code, "mucha gente" in refused.text) == (503, True)
    assert requests.get(f"{served}{kit.path}", timeout=120).status_code == 200
    go_on.set()
    for one in asking:
        one.join(120)
    assert statuses == [200] * AT_ONCE
    for _ in range(3):  # the seats are free again
        assert requests.post(f"{served}{kit.path}/zip", data=form, timeout=120).status_code == 200


def test_a_bundle_that_nobody_reads_on_gives_its_seat_back(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    for _ in range(AT_ONCE + 2):
        answer = kit.post({}, "/zip", buffered=False)
        assert answer.status_code == 200
        answer.close()


def test_nothing_typed_says_anything_to_the_merchants_terminal(kit: Any) -> None:
    """C0 and C1 controls (ECMA-48 §5.3: U+009B begins a sequence), and turned directions."""
    kit.service.current = replace(kit.purchase(Estado.LISTA), proven=False)
    hostile = (
        "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F)))) + "\u2066"
    )
    kit.post({"mensaje": f"a{hostile}b", "correo": ""}, "/no-fui-yo")
    [asked] = kit.service.disputes
    assert asked["mensaje"].split() == ["a", "b"]
    assert all(one in "ab " for one in asked["mensaje"])
