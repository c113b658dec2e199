"""What the sandbox provider remembers, in one SQLite file: stamps, cancellations, taxpayers."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

#: A customid counts from its first use on for this long.
#: https://developers.sw.com.mx/knowledge-base/timbradov4-customid
REFERENCE_LIFETIME: Final = timedelta(hours=72)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS stamp (
    sha256 TEXT PRIMARY KEY, customid TEXT NOT NULL, uuid TEXT NOT NULL UNIQUE,
    rfc_emisor TEXT NOT NULL, rfc_receptor TEXT NOT NULL, total TEXT NOT NULL,
    stamped_at REAL NOT NULL, tfd TEXT NOT NULL, cfdi TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS stamp_customid ON stamp (customid, stamped_at);
CREATE TABLE IF NOT EXISTS taxpayer (
    rfc TEXT PRIMARY KEY, nombre TEXT NOT NULL, cp TEXT NOT NULL, regimen TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cancellation (
    uuid TEXT PRIMARY KEY, motivo TEXT NOT NULL, estatus TEXT NOT NULL, requested_at REAL NOT NULL,
    requests INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS listed (rfc TEXT PRIMARY KEY, situacion TEXT NOT NULL);
"""
_COLUMNS = "sha256, customid, uuid, rfc_emisor, rfc_receptor, total, stamped_at, tfd, cfdi"


@dataclass(frozen=True, slots=True)
class Record:
    sha256: str
    customid: str
    uuid: str
    rfc_emisor: str
    rfc_receptor: str
    total: str
    stamped_at: float  # seconds since 1970
    tfd: str
    cfdi: str


@dataclass(frozen=True, slots=True)
class Taxpayer:
    rfc: str
    nombre: str
    cp: str
    regimen: str


@dataclass(frozen=True, slots=True)
class Cancellation:
    """`uuid` in upper case; `estatus` in SAT's words; `requests`: how many were filed so far."""

    uuid: str
    motivo: str
    estatus: str
    requested_at: float  # seconds since 1970
    requests: int = 1


class ReferenceOfAnother(Exception):
    """The customid was used for other bytes within its lifetime."""


class Memory:
    """Thread safe, and safe between processes. A stamp is on disk before `keep` returns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def find(self, sha256: str, customid: str, now: datetime) -> Record | None:
        """The stamp given to these bytes. Raises `ReferenceOfAnother`."""
        with self._lock:
            return self._find(sha256, customid, now)

    def keep(self, record: Record, now: datetime) -> Record:
        """File it, unless these bytes were stamped meanwhile: then that stamp counts.

        Raises `ReferenceOfAnother`.
        """
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                found = self._find(record.sha256, record.customid, now)
                if found is None:
                    self._insert(record)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
        return found or record

    def records(self) -> list[Record]:
        with self._lock:
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM stamp ORDER BY rowid")  # noqa: S608 - our own constant
            return [Record(*row) for row in rows]

    def by_uuid(self, uuid: str) -> Record | None:
        with self._lock:
            return self._record("uuid = ?", uuid.lower())

    def referring_to(self, uuid: str) -> list[Record]:
        """Every document in which this UUID stands as that of another."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM stamp WHERE uuid <> ? AND cfdi LIKE ?",  # noqa: S608 - our own constant
                (uuid.lower(), f'%="{uuid}"%'),
            )
            return [Record(*row) for row in rows]

    def cancellation(self, uuid: str) -> Cancellation | None:
        with self._lock:
            row = self._db.execute(
                "SELECT * FROM cancellation WHERE uuid = ?", (uuid.upper(),)
            ).fetchone()
        return Cancellation(*row) if row else None

    def cancellations(self) -> list[Cancellation]:
        with self._lock:
            return [
                Cancellation(*row)
                for row in self._db.execute("SELECT * FROM cancellation ORDER BY requested_at")
            ]

    def keep_cancellation(self, wanted: Cancellation, before: Cancellation | None) -> bool:
        """File it in the place of `before`. False if that is not what stands there (any more)."""
        values = (wanted.motivo, wanted.estatus, wanted.requested_at, wanted.requests, wanted.uuid)
        with self._lock:
            if before is None:
                done = self._db.execute(
                    "INSERT OR IGNORE INTO cancellation"
                    " (motivo, estatus, requested_at, requests, uuid) VALUES (?, ?, ?, ?, ?)",
                    values,
                )
            else:
                done = self._db.execute(
                    "UPDATE cancellation SET motivo = ?, estatus = ?, requested_at = ?,"
                    " requests = ? WHERE uuid = ? AND estatus = ? AND requests = ?",
                    (*values, before.estatus, before.requests),
                )
        return done.rowcount == 1

    def list_69b(self, rfc: str, situacion: str) -> None:
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO listed VALUES (?, ?)", (rfc, situacion))

    def situacion_69b(self, rfc: str) -> str:
        """Its situation in the list of article 69-B; empty if it is not there."""
        with self._lock:
            row = self._db.execute("SELECT situacion FROM listed WHERE rfc = ?", (rfc,)).fetchone()
        return str(row[0]) if row else ""

    def taxpayers(self) -> list[Taxpayer]:
        """Those added to the register, beyond the ones it always holds."""
        with self._lock:
            return [
                Taxpayer(*row)
                for row in self._db.execute("SELECT rfc, nombre, cp, regimen FROM taxpayer")
            ]

    def add_taxpayer(self, taxpayer: Taxpayer) -> None:
        values = (taxpayer.rfc, taxpayer.nombre, taxpayer.cp, taxpayer.regimen)
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO taxpayer VALUES (?, ?, ?, ?)", values)

    def close(self) -> None:
        self._db.close()

    def _find(self, sha256: str, customid: str, now: datetime) -> Record | None:
        since = (now - REFERENCE_LIFETIME).timestamp()
        other = self._db.execute(
            "SELECT 1 FROM stamp WHERE customid = ? AND customid <> '' AND sha256 <> ?"
            " AND stamped_at > ?",
            (customid, sha256, since),
        ).fetchone()
        if other:
            raise ReferenceOfAnother
        return self._record("sha256 = ?", sha256)

    def _record(self, where: str, value: str) -> Record | None:
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM stamp WHERE {where}",  # noqa: S608 - our own constants
            (value,),
        ).fetchone()
        return Record(*row) if row else None

    def _insert(self, record: Record) -> None:
        self._db.execute(
            "INSERT INTO stamp VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.sha256,
                record.customid,
                record.uuid,
                record.rfc_emisor,
                record.rfc_receptor,
                record.total,
                record.stamped_at,
                record.tfd,
                record.cfdi,
            ),
        )
