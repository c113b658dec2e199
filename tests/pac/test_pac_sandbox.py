"""The sandbox as a process: it remembers, it survives a kill, it guards its own surface."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from cfdi.cadena import cadena_timbre
from cfdi.pac import accounts
from cfdi.pac.accounts import open_account
from cfdi.pac.contract import AlreadyStamped, Stamped, Unknown
from cfdi.pac.sandbox import PASSWORD, TOKEN, USER
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sandbox.memory import Memory, Record, ReferenceOfAnother
from cfdi.validator import schema
from cfdi.xml import TIMBRE, parse

Server = Any  # of conftest.py
NewDocument = Callable[[], tuple[bytes, str]]

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
STAMP = "/v4/cfdi33/stamp/v4"

PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from waitress.server import create_server
from cfdi.pac.sandbox.app import application
from cfdi.pac.sandbox.authority import Authority
authority = Authority.load(Path(sys.argv[1]))
now = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
app = application(Path(sys.argv[2]), authority, now=lambda: now, monotonic=lambda: 0.0)
server = create_server(app, host="127.0.0.1", port=0)
print(server.effective_port, flush=True)
server.run()
"""


@contextmanager
def process(authority_folder: Path, state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", PROGRAM, str(authority_folder), str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running, f"http://127.0.0.1:{running.stdout.readline().strip()}"
        finally:
            running.kill()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts at the sandbox give it the time that a busy machine may take."""
    known, span = accounts.PROVIDERS["sandbox"], timedelta(seconds=60)
    terms = replace(known.terms, connect_timeout=span, read_timeout=span)
    changed = {**accounts.PROVIDERS, "sandbox": replace(known, terms=terms)}
    monkeypatch.setattr(accounts, "PROVIDERS", changed)


@pytest.fixture
def authority_folder(tmp_path: Path) -> Path:
    Authority.create(tmp_path / "ca", now=NOW)
    return tmp_path / "ca"


@pytest.mark.usefixtures("patient")
def test_a_stamp_outlives_a_kill_right_after_the_commit(
    authority_folder: Path, tmp_path: Path, seal_by: Callable[[Authority], tuple[bytes, str]]
) -> None:

    sealed, reference = seal_by(Authority.load(authority_folder))
    state = tmp_path / "state.db"
    with process(authority_folder, state) as (running, url):
        pac = open_account("sandbox", "test", {"url": url}, time.monotonic)
        wish = {"mode": "drop_after"}
        requests.post(f"{url}/sandbox/faults", json=wish, timeout=60).raise_for_status()
        assert isinstance(pac.stamp(sealed, reference), Unknown)
        running.kill()
        running.wait(timeout=60)
    with process(authority_folder, state) as (_, url):
        stamps = requests.get(f"{url}/sandbox/stamps", timeout=60).json()
        again = open_account("sandbox", "test", {"url": url}, time.monotonic)
        answer = again.stamp(sealed, reference)
    assert isinstance(answer, AlreadyStamped)
    assert answer.xml is not None
    assert [stamp["uuid"].encode() in answer.xml for stamp in stamps] == [True]


def test_the_answer_has_every_field_of_version_4(
    server: Server, document: NewDocument, authority: Authority
) -> None:
    sealed, reference = document()
    answer = post(server, sealed, reference)
    assert answer.status_code == 200
    data = answer.json()["data"]
    tfd = next(parse(data["cfdi"].encode()).iter(TIMBRE))
    assert data["uuid"] == tfd.get("UUID")
    assert data["cadenaOriginalSAT"] == cadena_timbre(tfd)
    assert data["noCertificadoSAT"] == authority.pac.no_certificado
    assert data["fechaTimbrado"] == "2026-11-20T12:00:00"  # the Center's time
    assert base64.b64decode(data["qrCode"]).startswith(b"\x89PNG")


def test_a_stamped_document_is_valid_by_sats_schema(server: Server, document: NewDocument) -> None:

    cfdi = post(server, *document()).json()["data"]["cfdi"]
    assert list(schema.failures(parse(cfdi.encode()))) == []


def test_a_refusal_has_sws_shape(server: Server, document: NewDocument) -> None:
    sealed, reference = document()
    answer = post(server, sealed.replace(b"G03", b"G02"), reference)
    assert answer.status_code == 400
    assert answer.json() == {
        "message": "CFDI40102 - El resultado de la digestión debe ser igual al resultado de la"
        " desencripción del sello.",
        "messageDetail": "",
        "data": None,
        "status": "error",
    }


def test_a_stamp_is_remembered_longer_than_fecha_would_be_accepted(
    server: Server, document: NewDocument
) -> None:
    sealed, reference = document()
    first = post(server, sealed, reference)
    server.time.pass_by(timedelta(days=30))
    again = post(server, sealed, reference)
    assert again.json()["data"]["cfdi"] == first.json()["data"]["cfdi"]


def test_a_document_of_four_days_ago_is_refused(server: Server, document: NewDocument) -> None:
    server.time.pass_by(timedelta(hours=72))
    answer = post(server, *document())
    assert answer.json()["message"].startswith("401 - ")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN}])
def test_nobody_stamps_without_a_token(
    headers: dict[str, str], server: Server, document: NewDocument
) -> None:
    sealed, reference = document()
    answer = requests.post(
        server.url + STAMP,
        files={"xml": sealed},
        headers={"customid": reference} | headers,
        timeout=5,
    )
    assert answer.status_code == 401
    assert server.uuids_of(sealed) == []


def test_both_ways_to_authenticate(server: Server) -> None:
    login = {"user": USER, "password": PASSWORD}
    new = requests.post(f"{server.url}/v2/security/authenticate", json=login, timeout=60)
    old = requests.post(f"{server.url}/security/authenticate", headers=login, timeout=60)
    for answer in (new, old):
        bearer = {"Authorization": f"Bearer {answer.json()['data']['token']}"}
        balance = requests.get(f"{server.url}/account/balance", headers=bearer, timeout=60)
        assert balance.json()["status"] == "success"
    server.time.pass_by(timedelta(hours=2))
    late = requests.get(f"{server.url}/account/balance", headers=bearer, timeout=60)
    assert late.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/", None, 200),
        ("GET", "/nothing", None, 404),
        ("POST", "/sandbox/stamps", {}, 404),
        ("POST", "/sandbox/faults", {"mode": "explode"}, 400),
        ("POST", "/sandbox/faults", {"mode": "reject:CFDI1"}, 400),
        ("POST", "/sandbox/faults", {"mode": "slow", "times": 0}, 400),
        ("POST", "/sandbox/faults", {"mode": "slow", "times": True}, 400),
        ("POST", "/sandbox/faults", {"mode": "slow", "seconds": -1}, 400),
        ("POST", "/sandbox/faults", {"mode": "slow", "seconds": "1"}, 400),
        ("POST", "/sandbox/faults", {"mode": ["slow"]}, 400),
        ("POST", "/sandbox/faults", [], 400),
        ("POST", "/sandbox/latency", {"seconds": 1e9}, 400),
        ("POST", "/sandbox/taxpayers", {"rfc": "X"}, 400),
    ],
)
def test_the_control_surface_answers_nonsense_with_words(
    method: str, path: str, body: object, status: int, server: Server
) -> None:
    answer = requests.request(method, server.url + path, json=body, timeout=60)
    assert answer.status_code == status
    assert answer.json()["status"] in {"ok", "error"}


def test_a_page_of_another_site_cannot_steer_it(server: Server) -> None:
    simple = {"Content-Type": "text/plain"}  # what a browser sends elsewhere without asking
    answer = requests.post(
        f"{server.url}/sandbox/faults", data='{"mode": "429"}', headers=simple, timeout=5
    )
    assert answer.status_code == 415


def test_a_taxpayer_can_be_added(server: Server) -> None:
    wish = {"rfc": "MARE850101AB1", "nombre": "MARIA REYES", "cp": "06000", "regimen": "612"}
    answer = requests.post(f"{server.url}/sandbox/taxpayers", json=wish, timeout=60)
    assert answer.status_code == 200


def test_latency_holds_for_every_stamp(server: Server, document: NewDocument) -> None:
    requests.post(f"{server.url}/sandbox/latency", json={"seconds": 0.3}, timeout=60)
    for _ in range(2):
        begin = server.time.ticks
        assert post(server, *document()).status_code == 200
        assert server.time.ticks - begin == pytest.approx(0.3)


def test_a_request_grown_old_is_not_stamped_any_more(server: Server, document: NewDocument) -> None:
    requests.post(f"{server.url}/sandbox/latency", json={"seconds": 2.1}, timeout=60)
    sealed, reference = document()
    assert post(server, sealed, reference).status_code == 503
    assert server.uuids_of(sealed) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"", "multipart/form-data; boundary="),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
    ],
)
def test_a_request_without_a_document_is_refused(body: bytes, kind: str, server: Server) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
    answer = requests.post(server.url + STAMP, data=body, headers=headers, timeout=60)
    assert answer.status_code == 400


def test_the_bytes_arrive_as_they_were_sent(server: Server, document: NewDocument) -> None:
    sealed, reference = document()
    odd = sealed + b"\r\n\n\r\n--not-the-boundary\r\n"[:4]
    assert isinstance(post(server, odd, reference).json(), dict)
    assert len(server.uuids_of(odd)) == 1


def test_a_reference_is_free_again_after_three_days(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "state.db")
    memory.keep(record("a", "ref", NOW), NOW)
    with pytest.raises(ReferenceOfAnother):
        memory.find("b", "ref", NOW + timedelta(hours=71))
    later = NOW + timedelta(hours=73)
    assert memory.find("b", "ref", later) is None
    assert memory.find("a", "other", later) == record("a", "ref", NOW)
    memory.close()


def test_who_files_second_gets_the_first_stamp(tmp_path: Path) -> None:
    one, two = Memory(tmp_path / "state.db"), Memory(tmp_path / "state.db")
    first = record("a", "ref", NOW)
    assert one.keep(first, NOW) is first
    assert two.keep(record("a", "ref", NOW, uuid="another"), NOW) == first
    with pytest.raises(ReferenceOfAnother):
        two.keep(record("b", "ref", NOW), NOW)
    assert [kept.uuid for kept in two.records()] == ["uuid-a"]
    one.close()
    two.close()


def record(sha256: str, customid: str, at: datetime, *, uuid: str = "") -> Record:
    made = uuid or f"uuid-{sha256}"
    return Record(sha256, customid, made, "E", "R", "1.00", at.timestamp(), "<t/>", "<c/>")


def test_a_three_line_document_is_stamped_quickly(server: Server, document: NewDocument) -> None:
    documents = [document() for _ in range(10)]
    begin = time.process_time()  # of both sides: what others do on the machine is not counted
    answers = [post(server, *each) for each in documents]
    each = (time.process_time() - begin) / len(documents)
    assert all(answer.status_code == 200 for answer in answers)
    print(f"a stamp takes {each * 1000:.0f} ms")
    assert each < 0.5  # about 0.04 s


def post(server: Server, sealed: bytes, reference: str) -> requests.Response:
    return requests.post(
        server.url + STAMP,
        files={"xml": ("cfdi.xml", sealed, "application/xml")},
        headers={"customid": reference, "Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    )


@pytest.mark.usefixtures("patient")
def test_stamped_is_what_the_client_makes_of_it(server: Server, document: NewDocument) -> None:

    pac = open_account("sandbox", "test", {"url": server.url}, time.monotonic)
    assert isinstance(pac.stamp(*document()), Stamped)
