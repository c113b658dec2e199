"""A global invoice of 5,000 tickets, built and sealed: processor time and what memory it took."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from cfdi import csd
from cfdi.amounts import Partida, Tributo
from cfdi.comprobante import Emisor, Impuesto, TipoFactor
from cfdi.documents import Expedicion, Ticket, factura_global, informacion_global
from cfdi.pac.sandbox.authority import Authority
from cfdi.seal import seal
from tests.bench.figures import Figure

TICKETS = 5000
RFC, NOMBRE = "EKU9003173C9", "ESCUELA KEMPER URGATE"


@dataclass(frozen=True, slots=True)
class Taken:
    seconds: float
    megabytes: float


def measure(place: Path, tickets: int = TICKETS) -> Iterator[Figure]:
    """In a process of its own: what it holds at its peak is all there is, imports included."""
    code = f"from tests.bench.globals import tell; tell({str(place)!r}, {tickets})"
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    taken = Taken(**json.loads(told))
    small = "" if tickets == TICKETS else f"only {tickets} tickets"
    yield Figure("global of 5,000 tickets, built + sealed", taken.seconds, "s", 1, note=small)
    yield Figure(
        "global of 5,000 tickets, memory at its peak", taken.megabytes, "MB", 300, note=small
    )


def tell(place: str, tickets: int) -> None:
    """Print the best of three as JSON."""
    now = datetime.now(UTC).replace(microsecond=0)
    made = Authority.open(Path(place) / "globals", now=now).issue_csd(RFC, NOMBRE, now=now)
    pair = csd.check_csd(made.cer_der, made.key_der, made.password, rfc=RFC, now=now)
    many = [_ticket(number) for number in range(tickets)]
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        document = factura_global(
            many,
            expedicion=Expedicion(Emisor(RFC, NOMBRE, "601"), "42501", now.replace(tzinfo=None)),
            periodo=informacion_global("04", date(now.year, now.month, now.day)),
        )
        seal(document, pair)
        best = min(best, time.process_time() - begun)
    print(json.dumps(asdict(Taken(best, _peak_megabytes()))))


def _peak_megabytes() -> float:
    """Of this process alone: what getrusage tells starts with what its parent held (Linux)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource  # noqa: PLC0415 - where there is no /proc

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _ticket(number: int) -> Ticket:
    """Three lines of two rates; no two tickets are alike."""
    net = Decimal(1000 + number % 7000) / 100
    iva = Tributo(Impuesto.IVA, TipoFactor.TASA, Decimal("0.16"), round(net * Decimal("0.16"), 2))
    zero = Tributo(Impuesto.IVA, TipoFactor.TASA, Decimal(0), Decimal(0))
    lines = (
        Partida(Decimal(1), net, Decimal(0), (iva,)),
        Partida(Decimal(2), net, Decimal(0), (iva,)),
        Partida(Decimal(1), net, Decimal(0), (zero,)),
    )
    return Ticket(f"T-{number:06d}", lines, 3 * net + 2 * iva.importe, "01")
