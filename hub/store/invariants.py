# ruff: noqa: S608 - SQL made of constants of this package; nothing of a row or a request is in it
"""What must hold in every database, asked of the rows themselves; `doctor` tells what does not.

The guards make these impossible; this finds what a lost guard, a restored file or a hand let in.
"""

from __future__ import annotations

from typing import Any, Final

from peewee import SqliteDatabase

from hub.domain.states import MOVES
from hub.store import guards
from hub.store.guard_rules import INDEXES, divided, ended, stamped, unsettled
from hub.store.transaction import Transaction

_WITH_STAMP = "('stamped', 'superseded', 'cancelling', 'cancelled')"
_KNOWN = ", ".join(sorted(f"'{before}>{after}'" for before, after in MOVES))

#: Each selects merchant and id of what must not be.
CHECKS: Final = (
    (
        "a part of a sale is held by two open claims",
        (
            "SELECT merchant_id, sale_id FROM claim WHERE closed_at IS NULL "
            "GROUP BY merchant_id, sale_id, part HAVING COUNT(*) > 1"
        ),
    ),
    (
        "open claims divide a sale differently",
        (
            "SELECT merchant_id, sale_id FROM claim WHERE closed_at IS NULL "
            "GROUP BY merchant_id, sale_id HAVING MIN(parts) <> MAX(parts)"
        ),
    ),
    (
        "an invoice counts as stamped without a stamp",
        (
            f"SELECT v.merchant_id, v.id FROM invoice v WHERE v.state IN {_WITH_STAMP} "
            f"AND NOT {stamped('v', 'id')}"
        ),
    ),
    (
        "a stamp belongs to an invoice that does not count as stamped",
        (
            f"SELECT v.merchant_id, v.id FROM invoice v WHERE v.state NOT IN {_WITH_STAMP} "
            f"AND {stamped('v', 'id')}"
        ),
    ),
    (
        "an invoice counts as cancelled without SAT's word",
        (
            "SELECT v.merchant_id, v.id FROM invoice v WHERE v.state = 'cancelled' "
            f"AND NOT {ended('v', 'id')}"
        ),
    ),
    (
        "an invoice is being cancelled and nobody asked for it",
        (
            "SELECT v.merchant_id, v.id FROM invoice v WHERE v.state = 'cancelling' "
            "AND NOT EXISTS (SELECT 1 FROM cancellation k WHERE k.merchant_id = v.merchant_id "
            "AND k.invoice_id = v.id)"
        ),
    ),
    (
        "an invoice that is or may be in force does not hold its sale",
        (
            "SELECT v.merchant_id, v.id FROM invoice v WHERE v.origin <> 'refund' "
            "AND (v.state = 'stamped' OR (v.state = 'cancelling' "
            "AND EXISTS (SELECT 1 FROM cancellation k WHERE k.merchant_id = v.merchant_id "
            "AND k.invoice_id = v.id AND k.was = 'stamped' AND k.number = (SELECT MAX(x.number) "
            "FROM cancellation x WHERE x.merchant_id = v.merchant_id AND x.invoice_id = v.id))) "
            f"OR ({unsettled('v', 'id')} AND NOT {stamped('v', 'id')})) AND EXISTS (SELECT 1 "
            "FROM invoice_sale i WHERE i.merchant_id = v.merchant_id AND i.invoice_id = v.id "
            "AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.merchant_id = v.merchant_id "
            "AND c.invoice_id = v.id AND c.sale_id = i.sale_id AND c.closed_at IS NULL))"
        ),
    ),
    (
        "the state of an invoice is not that of its last move",
        (
            "SELECT v.merchant_id, v.id FROM invoice v WHERE v.state <> COALESCE((SELECT t.after "
            "FROM transition t WHERE t.merchant_id = v.merchant_id AND t.invoice_id = v.id "
            "ORDER BY t.number DESC LIMIT 1), '')"
        ),
    ),
    (
        "a move of an invoice that there is not",
        (
            "SELECT merchant_id, invoice_id FROM transition WHERE before <> '' "
            f"AND before || '>' || after NOT IN ({_KNOWN})"
        ),
    ),
    (
        "one UUID stands twice",
        (
            "SELECT MIN(merchant_id), MIN(invoice_id) FROM stamp GROUP BY UPPER(uuid) "
            "HAVING COUNT(*) > 1"
        ),
    ),
    (
        "a document was sealed anew while an earlier one may have been stamped",
        (
            "SELECT d.merchant_id, d.invoice_id FROM document d JOIN attempt a "
            "ON a.merchant_id = d.merchant_id AND a.invoice_id = d.invoice_id "
            "AND a.version < d.version LEFT JOIN answer w ON w.merchant_id = a.merchant_id "
            "AND w.invoice_id = a.invoice_id AND w.number = a.number "
            "WHERE COALESCE(w.outcome, '') NOT IN ('never', 'later') AND NOT EXISTS (SELECT 1 "
            "FROM declaration e WHERE e.merchant_id = a.merchant_id "
            "AND e.invoice_id = a.invoice_id AND e.version = a.version)"
        ),
    ),
    (
        "an older document was sent after a newer one",
        (
            "SELECT a.merchant_id, a.invoice_id FROM attempt a JOIN attempt b "
            "ON b.merchant_id = a.merchant_id AND b.invoice_id = a.invoice_id "
            "AND b.number < a.number AND b.version > a.version"
        ),
    ),
    (
        "a stamp of a document that was never sent",
        (
            "SELECT s.merchant_id, s.invoice_id FROM stamp s WHERE NOT EXISTS (SELECT 1 "
            "FROM attempt a WHERE a.merchant_id = s.merchant_id AND a.invoice_id = s.invoice_id "
            "AND a.version = s.version)"
        ),
    ),
    (
        "an invoice is on its way without a document",
        (
            "SELECT v.merchant_id, v.id FROM invoice v WHERE v.state IN ('sealed', 'sending', "
            "'unknown') AND NOT EXISTS (SELECT 1 FROM document d "
            "WHERE d.merchant_id = v.merchant_id AND d.invoice_id = v.id)"
        ),
    ),
    (
        "a refund has two credit notes",
        (
            "SELECT merchant_id, sale_id FROM credit_note WHERE closed_at IS NULL "
            "GROUP BY merchant_id, sale_id, refund_key HAVING COUNT(*) > 1"
        ),
    ),
    (
        "the credit notes of an invoice make more than it",
        (
            "SELECT n.merchant_id, n.ingreso_id FROM credit_note n JOIN invoice v "
            "ON v.merchant_id = n.merchant_id AND v.id = n.ingreso_id WHERE n.closed_at IS NULL "
            "GROUP BY n.merchant_id, n.ingreso_id, v.total HAVING SUM(n.total) > v.total"
        ),
    ),
    (
        "a credit note that is or may be in force does not stand for its refund",
        (
            "SELECT v.merchant_id, v.id FROM invoice v WHERE v.origin = 'refund' "
            "AND (v.state IN ('stamped', 'cancelling') "
            f"OR ({unsettled('v', 'id')} AND NOT {stamped('v', 'id')})) AND NOT EXISTS (SELECT 1 "
            "FROM credit_note n WHERE n.merchant_id = v.merchant_id AND n.invoice_id = v.id "
            "AND n.closed_at IS NULL)"
        ),
    ),
    (
        "a credit note is not of what was given back",
        (
            "SELECT n.merchant_id, n.invoice_id FROM credit_note n JOIN document d "
            "ON d.merchant_id = n.merchant_id AND d.invoice_id = n.invoice_id "
            "AND d.total <> n.total"
        ),
    ),
    (
        "an invoice accounts for a refund that has a credit note",
        (
            "SELECT n.merchant_id, n.invoice_id FROM credit_note n JOIN stamp s "
            "ON s.merchant_id = n.merchant_id AND s.invoice_id = n.ingreso_id JOIN basis_refund b "
            "ON b.merchant_id = s.merchant_id AND b.invoice_id = s.invoice_id "
            "AND b.version = s.version AND b.refund_key = n.refund_key WHERE n.closed_at IS NULL"
        ),
    ),
    (
        "an order of a platform stands for no sale",
        (
            "SELECT s.merchant_id, s.id FROM sale s WHERE s.connection_id IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM sale_object o WHERE o.merchant_id = s.merchant_id "
            "AND o.connection_id = s.connection_id AND o.object_id = s.key)"
        ),
    ),
    (
        "a sale that is part of another one is invoiced by itself",
        (
            "SELECT c.merchant_id, c.sale_id FROM claim c JOIN sale s "
            "ON s.merchant_id = c.merchant_id AND s.id = c.sale_id JOIN sale_object o "
            "ON o.merchant_id = s.merchant_id AND o.connection_id = s.connection_id "
            "AND o.object_id = s.key WHERE c.closed_at IS NULL AND o.sale_id <> s.id"
        ),
    ),
    (
        "a sale has two links in force",
        (
            "SELECT merchant_id, sale_id FROM link WHERE revoked_at IS NULL "
            "GROUP BY merchant_id, sale_id, part HAVING COUNT(*) > 1"
        ),
    ),
    (
        "a sale is divided in two ways at once",
        (
            "SELECT merchant_id, sale_id FROM division WHERE closed_at IS NULL "
            "GROUP BY merchant_id, sale_id HAVING COUNT(*) > 1"
        ),
    ),
    (
        "a divided sale is claimed whole, or one that is not by parts",
        (
            "SELECT c.merchant_id, c.sale_id FROM claim c WHERE c.closed_at IS NULL "
            f"AND (c.parts > 1) <> {divided('c')}"
        ),
    ),
    (
        "an invoice of several sales holds a part of one",
        (
            "SELECT c.merchant_id, c.invoice_id FROM claim c WHERE c.closed_at IS NULL "
            "AND c.parts > 1 AND (SELECT COUNT(*) FROM invoice_sale i "
            "WHERE i.merchant_id = c.merchant_id AND i.invoice_id = c.invoice_id) > 1"
        ),
    ),
    (
        "the sales of a document do not make its total",
        (
            "SELECT h.merchant_id, h.invoice_id FROM share h JOIN document d "
            "ON d.merchant_id = h.merchant_id AND d.invoice_id = h.invoice_id "
            "AND d.version = h.version GROUP BY h.merchant_id, h.invoice_id, h.version, d.total "
            "HAVING SUM(h.due) <> d.total"
        ),
    ),
    (
        "a sealed document of several sales does not say which is how much of it",
        (
            "SELECT d.merchant_id, d.invoice_id FROM document d JOIN invoice v "
            "ON v.merchant_id = d.merchant_id AND v.id = d.invoice_id WHERE v.origin <> 'refund' "
            "AND (SELECT COUNT(*) FROM invoice_sale i WHERE i.merchant_id = d.merchant_id "
            "AND i.invoice_id = d.invoice_id) > 1 AND (SELECT COUNT(*) FROM invoice_sale i "
            "WHERE i.merchant_id = d.merchant_id AND i.invoice_id = d.invoice_id) <> "
            "(SELECT COUNT(*) FROM share h WHERE h.merchant_id = d.merchant_id "
            "AND h.invoice_id = d.invoice_id AND h.version = d.version)"
        ),
    ),
    (
        "the credit notes of a sale make more than it is of its invoice",
        (
            "SELECT n.merchant_id, n.invoice_id FROM credit_note n JOIN stamp s "
            "ON s.merchant_id = n.merchant_id AND s.invoice_id = n.ingreso_id JOIN share h "
            "ON h.merchant_id = s.merchant_id AND h.invoice_id = s.invoice_id "
            "AND h.version = s.version AND h.sale_id = n.sale_id WHERE n.closed_at IS NULL "
            "AND (SELECT SUM(m.total) FROM credit_note m WHERE m.merchant_id = n.merchant_id "
            "AND m.ingreso_id = n.ingreso_id AND m.sale_id = n.sale_id "
            "AND m.closed_at IS NULL) > h.due"
        ),
    ),
)


def violations(tx: Transaction) -> list[str]:
    """What does not hold, each with merchant and id; empty when all is well."""
    db = tx.session.engine.db
    found = _missing_guards(db)
    for name, query in CHECKS:
        found += [f"{name}: {merchant}/{row}" for merchant, row in db.execute_sql(query)]
    return found + _broken_references(db)


def _broken_references(db: Any) -> list[str]:
    """PostgreSQL checks its references always; SQLite only for connections that ask for it."""
    if not isinstance(db, SqliteDatabase):
        return []
    query: Any = db.execute_sql
    return [
        f"a reference to a row that is not there: {row[0]}"
        for row in query("PRAGMA foreign_key_check")
    ]


def _missing_guards(db: Any) -> list[str]:
    there = {name for name, _ in guards.triggers(db)}
    missing = guards.expected_triggers(db) - there
    missing |= {name for name, *_ in INDEXES} - _indexes(db)
    return [f"a guard of the database is missing: {name}" for name in sorted(missing)]


def _indexes(db: Any) -> set[str]:
    if isinstance(db, SqliteDatabase):
        query = "SELECT name FROM sqlite_master WHERE type = 'index'"
    else:
        query = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
    return {name for (name,) in db.execute_sql(query)}
