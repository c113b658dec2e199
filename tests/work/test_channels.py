"""SMS and WhatsApp over a socket: what is sent, and what every answer means for the next try."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from connectors import net
from hub.steps.context import (
    ChannelBroken,
    Message,
    PostRefused,
    PostUnavailable,
    PostUncertain,
)
from hub.work.channels import Messengers, sms, whatsapp
from tests.fakes.messages.server import PHONE_ID, TOKEN, Provider, graph_error, running

MESSAGE = Message(
    "+525512345678",
    "Tienda: pide tu factura: https://hub.example/f/abc",
    ("Tienda", "#1042", "$116.00 MXN", "30 de noviembre de 2026"),
    "tok-en_43",
    "invitation",
)
LATER, REFUSED, UNKNOWN, BROKEN = PostUnavailable, PostRefused, PostUncertain, ChannelBroken


@pytest.fixture
def provider(unhurried: None) -> Iterator[Provider]:
    with running() as one:
        yield one


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Taken, so that nobody else comes to listen there, and deaf."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield int(probe.getsockname()[1])


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers is waited for, however busy the machine is."""
    for module in (sms, whatsapp):
        monkeypatch.setattr(module, "_SECONDS", 300.0)
    monkeypatch.setitem(net.send.__kwdefaults__, "total", 300.0)


def send(kind: str, settings: dict[str, str], message: Message = MESSAGE) -> type[Exception] | None:
    """How it ended; what is raised tells nobody's number, key or address."""
    try:
        Messengers(allow_private=True)(kind, settings).send(message)
    except (PostRefused, PostUnavailable, PostUncertain, ChannelBroken) as error:
        told = f"{error}{error.__context__ or ''}{error.__cause__ or ''}"
        assert not any(one in told for one in ("5512345678", TOKEN, "127.0.0.1"))
        return type(error)
    return None


def test_whatsapp_gets_the_template_filled_in(provider: Provider) -> None:
    assert send("whatsapp", provider.whatsapp) is None
    (got,) = provider.got
    assert got.path == f"/{whatsapp.VERSION}/{PHONE_ID}/messages"
    assert got.authorization == f"Bearer {TOKEN}"
    assert got.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "525512345678",
        "type": "template",
        "template": {
            "name": "factura_disponible",
            "language": {"code": "es_MX"},
            "components": [
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": one} for one in MESSAGE.parameters],
                },
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "0",
                    "parameters": [{"type": "text", "text": "tok-en_43"}],
                },
            ],
        },
    }


def test_a_reminder_may_have_a_template_of_its_own(provider: Provider) -> None:
    reminder = Message("+525512345678", "x", ("a",), "t", "reminder")
    send("whatsapp", provider.whatsapp, reminder)
    send("whatsapp", {**provider.whatsapp, "reminder_template": "ultimo_aviso"}, reminder)
    names = [got.body["template"]["name"] for got in provider.got]
    assert names == ["factura_disponible", "ultimo_aviso"]


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        ((200, {"messages": [{"id": "wamid.x"}]}), None),
        ((202, {"messages": [{"id": "wamid.x"}]}), None),
        ((200, {"messages": []}), UNKNOWN),
        ((200, {"messages": "x"}), UNKNOWN),
        ((200, {"messages": [7]}), UNKNOWN),
        ((200, []), UNKNOWN),
        ("not_json", UNKNOWN),
        ("half", UNKNOWN),
        ("cut", UNKNOWN),
        ("huge", UNKNOWN),
        (graph_error(131026), REFUSED),
        (graph_error(131050), REFUSED),
        (graph_error(131049), REFUSED),
        (graph_error(130429), LATER),
        (graph_error(131056), LATER),
        (graph_error(4), LATER),
        (graph_error(2, 503), LATER),
        (graph_error(131016, 500), LATER),
        ((429, {}), LATER),
        (graph_error(131000, 500), UNKNOWN),
        (graph_error(1), UNKNOWN),
        ((500, {}), UNKNOWN),
        ((502, {"error": "bad gateway"}), UNKNOWN),
        ((408, {}), UNKNOWN),
        (graph_error(190, 401), BROKEN),
        (graph_error(10, 403), BROKEN),
        (graph_error(132001, 404), BROKEN),
        (graph_error(132015), BROKEN),
        (graph_error(131042), BROKEN),
        (graph_error(100), BROKEN),
        ((400, {"error": {"code": "131026"}}), BROKEN),
        ((400, {"error": 7}), BROKEN),
        ((302, {}), BROKEN),
    ],
    ids=str,
)
def test_every_answer_of_whatsapp_has_its_meaning(
    provider: Provider, answer: Any, then: type[Exception] | None
) -> None:
    provider.instead = [answer]
    assert send("whatsapp", provider.whatsapp) is then
    assert len(provider.got) == 1


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        ((200, {}), None),
        ((204, {}), None),
        ((400, {}), REFUSED),
        ((422, {}), REFUSED),
        ((401, {}), BROKEN),
        ((402, {}), BROKEN),
        ((404, {}), BROKEN),
        ((429, {}), LATER),
        ((503, {}), LATER),
        ((500, {}), UNKNOWN),
        ((502, {}), UNKNOWN),
        ("cut", UNKNOWN),
    ],
    ids=str,
)
def test_every_answer_of_a_provider_of_sms_has_its_meaning(
    provider: Provider, answer: Any, then: type[Exception] | None
) -> None:
    provider.instead = [answer]
    assert send("sms", provider.sms) is then
    (got,) = provider.got
    assert got.path == "/sms/525512345678"
    assert got.body["message"] == MESSAGE.text


def test_nobody_there_is_surely_not_sent(closed_port: int) -> None:
    port = closed_port
    assert send("sms", {"url": f"json://127.0.0.1:{port}/{{telefono}}"}) is LATER
    assert send("sms", {"url": "json://nowhere.invalid/{telefono}"}) is LATER
    base = {"phone_id": PHONE_ID, "token": TOKEN, "template": "a", "language": "es"}
    assert send("whatsapp", {**base, "url": f"http://127.0.0.1:{port}"}) is LATER
    assert send("whatsapp", {**base, "url": "http://nowhere.invalid"}) is LATER


@pytest.mark.parametrize("answer", ["drip", "silent"])
def test_an_answer_that_does_not_end_holds_nobody(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(sms, "_SECONDS", 1.0)
    monkeypatch.setattr(whatsapp, "_SECONDS", 1.0)
    monkeypatch.setitem(net.send.__kwdefaults__, "total", 1.0)
    provider.instead = [answer, answer]
    assert send("sms", provider.sms) is UNKNOWN
    assert send("whatsapp", provider.whatsapp) is UNKNOWN


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "syslog://{telefono}",
        "mailto://user:pass@example.com/{telefono}",
        "file:///etc/passwd?{telefono}",
        "twilio://short/{telefono}",
        "twilio://AC" + "a" * 32 + ":" + "b" * 32 + "@15551234567/525512345678",
        "json://example.com/{telefono}" + "x" * 3000,
    ],
)
def test_only_urls_of_providers_of_sms_are_taken(url: str) -> None:
    with pytest.raises(ChannelBroken) as caught:
        Messengers(allow_private=True)("sms", {"url": url})
    assert not url or url not in str(caught.value)


@pytest.mark.parametrize("scheme", ["json", "jsons"])
def test_a_gateway_of_ones_own_needs_the_flag(scheme: str) -> None:
    with pytest.raises(ChannelBroken, match="ALLOW_PRIVATE_HOSTS"):
        Messengers()("sms", {"url": f"{scheme}://10.0.0.1/{{telefono}}"})


def test_a_real_provider_is_taken_as_apprise_writes_it() -> None:
    account = "AC" + "a" * 32 + ":" + "b" * 32
    made = Messengers()("sms", {"url": f"twilio://{account}@15551234567/{{telefono}}"})
    assert account not in repr(made)
    plugin: Any = made._plugin("525512345678")  # type: ignore[attr-defined]
    assert "+525512345678" in str(plugin.targets)


def test_whatsapp_is_metas_whatever_the_settings_say(provider: Provider) -> None:
    made = whatsapp.WhatsApp.read(provider.whatsapp, allow_private=False)
    assert made.base == whatsapp.GRAPH
    assert TOKEN not in repr(made)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone_id", ""),
        ("phone_id", "../1234567"),
        ("template", "Con Espacios"),
        ("template", ""),
        ("reminder_template", "x\n"),
        ("language", "español"),
        ("token", "short"),
        ("token", "x" * 30 + "\r\nHost: evil"),
        ("token", "ñ" * 40),
    ],
)
def test_settings_of_whatsapp_are_looked_at(provider: Provider, name: str, value: str) -> None:
    with pytest.raises(ChannelBroken):
        Messengers()("whatsapp", {**provider.whatsapp, name: value})


def test_an_unknown_kind_is_none() -> None:
    with pytest.raises(ChannelBroken):
        Messengers()("pigeon", {})


def test_no_number_reaches_a_log(provider: Provider) -> None:
    """Apprise logs numbers and texts with every failure."""
    provider.instead = [(500, {}), (401, {})]
    program = f"""
from hub import log
from hub.steps.context import Message
from hub.work.channels import Messengers
log.configure("debug")
for _ in range(2):
    try:
        Messengers(True)("sms", {provider.sms!r}).send(
            Message("+525512345678", "hush", (), "t", "invitation"))
    except Exception:
        pass
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert len(provider.got) == 2
    assert done.stderr == done.stdout == b""


def test_apprise_is_not_loaded_before_a_message_is_sent() -> None:
    program = "import sys, hub.app, hub.wiring, hub.work.worker; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
