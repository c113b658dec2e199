# ruff: noqa: S608 - SQL made of constants of this file; nothing of a row or a request is in it
"""What the database itself refuses, on both engines from one list of rules.

A rule is a condition under which a change is refused; it is written in the SQL that SQLite and
PostgreSQL share, over NEW and OLD. `guards.py` makes triggers of the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.domain.states import MOVES

#: Answers after which the document surely was not stamped by that attempt.
DEFINITE: Final = "('never', 'later')"

#: Rows of these are only ever added; with the columns of their keys.
APPEND_ONLY: Final = {
    "document": ("invoice_id", "version"),
    "attempt": ("invoice_id", "number"),
    "answer": ("invoice_id", "number"),
    "stamp": ("invoice_id",),
    "transition": ("invoice_id", "number"),
    "declaration": ("invoice_id", "version"),
    "basis": ("invoice_id", "version"),
    "basis_refund": ("invoice_id", "version", "refund_key"),
    "share": ("invoice_id", "version", "sale_id"),
    "share_refund": ("invoice_id", "version", "sale_id", "refund_key"),
    "invoice_sale": ("invoice_id", "sale_id"),
    "cancellation": ("invoice_id", "number"),
    "cancel_event": ("invoice_id", "number", "step"),
    "audit": ("id",),
}
#: Keys of the guarded tables, within their merchant.
KEYS: Final = {
    **APPEND_ONLY,
    "invoice": ("id",),
    "claim": ("id",),
    "credit_note": ("invoice_id",),
    "division": ("sale_id", "number"),
}

#: Name, table, unique, columns or expressions, condition ("" for all rows).
INDEXES: Final = (
    ("guard_one_claim", "claim", True, "merchant_id, sale_id, part", "closed_at IS NULL"),
    (
        "guard_one_note",
        "credit_note",
        True,
        "merchant_id, sale_id, refund_key",
        "closed_at IS NULL",
    ),
    ("guard_one_uuid", "stamp", True, "upper(uuid)", ""),
    ("guard_one_link", "link", True, "merchant_id, sale_id, part", "revoked_at IS NULL"),
    ("guard_one_division", "division", True, "merchant_id, sale_id", "closed_at IS NULL"),
    ("guard_one_pac", "pac_account", True, "merchant_id", "active"),
    ("guard_one_ask", "ask", True, "merchant_id, sale_id, part, kind", "resolved_at IS NULL"),
    ("ask_of_sale", "ask", False, "merchant_id, sale_id, id", ""),
    ("guard_own_sale", "sale", True, "merchant_id, key", "connection_id IS NULL"),
    ("guard_one_promise", "outbox", True, "merchant_id, job, subject", "state = 'ready'"),
    ("outbox_ready", "outbox", False, "queue, due_at, id", "state = 'ready'"),
    ("outbox_claimed", "outbox", False, "claimed_until", "state = 'claimed'"),
    ("outbox_dead", "outbox", False, "id", "state = 'dead'"),
    ("sale_in_review", "sale", False, "merchant_id, id", "in_review"),
    # A mail server names a letter that came back by its Message-ID alone.
    ("mail_by_message", "mail", False, "message_id", ""),
    ("connection_by_account", "connection", False, "platform, account", ""),
    # One shop is never two merchants' at once.
    ("guard_one_bond", "bond", True, "platform, shop", "state = 'connected'"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    table: str
    event: str  # INSERT, UPDATE or DELETE
    refused_if: str
    message: str


def same(alias: str, row: str, invoice: str = "invoice_id") -> str:
    return f"{alias}.merchant_id = {row}.merchant_id AND {alias}.invoice_id = {row}.{invoice}"


def unsettled(row: str, invoice: str = "invoice_id") -> str:
    """An attempt of the invoice has no answer, or one that leaves open whether it was stamped.

    Unless a person declared that the provider has no stamp of that version.
    """
    return (
        "EXISTS (SELECT 1 FROM attempt a LEFT JOIN answer w ON w.merchant_id = a.merchant_id "
        "AND w.invoice_id = a.invoice_id AND w.number = a.number "
        f"WHERE {same('a', row, invoice)} "
        f"AND (w.outcome IS NULL OR w.outcome NOT IN {DEFINITE}) "
        "AND NOT EXISTS (SELECT 1 FROM declaration e WHERE e.merchant_id = a.merchant_id "
        "AND e.invoice_id = a.invoice_id AND e.version = a.version))"
    )


def stamped(row: str, invoice: str = "invoice_id") -> str:
    return f"EXISTS (SELECT 1 FROM stamp s WHERE {same('s', row, invoice)})"


def _moves() -> str:
    return ", ".join(sorted(f"'{before}>{after}'" for before, after in MOVES))


def _newest_version(row: str) -> str:
    return f"(SELECT COALESCE(MAX(d.version), 0) FROM document d WHERE {same('d', row)})"


def _of_refund(row: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM invoice v WHERE v.merchant_id = {row}.merchant_id "
        f"AND v.id = {row}.invoice_id AND v.origin = 'refund')"
    )


_UNCLAIMED = (
    f"NOT {_of_refund('NEW')} AND "
    "EXISTS (SELECT 1 FROM invoice_sale i WHERE "
    f"{same('i', 'NEW')} AND NOT EXISTS (SELECT 1 FROM claim c WHERE "
    f"{same('c', 'NEW')} AND c.sale_id = i.sale_id AND c.closed_at IS NULL))"
)
_CLAIM_CHANGED = " OR ".join(
    (
        *(f"NEW.{c} <> OLD.{c}" for c in ("merchant_id", "id", "sale_id", "part", "parts")),
        *(f"COALESCE(NEW.{c}, '') <> COALESCE(OLD.{c}, '')" for c in ("invoice_id", "global_uuid")),
        "NEW.opened_at <> OLD.opened_at",
    )
)
_OTHER_PARTS = (
    "EXISTS (SELECT 1 FROM claim c WHERE c.merchant_id = NEW.merchant_id "
    "AND c.sale_id = NEW.sale_id AND c.closed_at IS NULL AND c.parts <> NEW.parts)"
)
_IN_FORCE = (
    f"({unsettled('OLD')} AND NOT {stamped('OLD')}) OR ({stamped('OLD')} AND EXISTS (SELECT 1 "
    "FROM invoice v WHERE v.merchant_id = OLD.merchant_id AND v.id = OLD.invoice_id "
    "AND v.state NOT IN ('superseded', 'cancelled')))"
)


def ended(row: str, invoice: str = "invoice_id") -> str:
    """SAT said of its newest cancellation that the document is cancelled."""
    return (
        f"EXISTS (SELECT 1 FROM cancel_event k WHERE {same('k', row, invoice)} "
        "AND k.kind = 'ended' AND k.number = (SELECT MAX(x.number) FROM cancellation x WHERE "
        f"{same('x', row, invoice)}))"
    )


def _not_in(row: str, states: str) -> str:
    return (
        f"NOT EXISTS (SELECT 1 FROM invoice v WHERE v.merchant_id = {row}.merchant_id "
        f"AND v.id = {row}.invoice_id AND v.state IN ({states}))"
    )


_NOTES = (
    "SELECT COALESCE(SUM(n.total), 0) FROM credit_note n WHERE n.merchant_id = NEW.merchant_id "
    "AND n.ingreso_id = NEW.ingreso_id AND n.closed_at IS NULL"
)
_INVOICED = (
    "SELECT d.total FROM stamp s JOIN document d ON d.merchant_id = s.merchant_id "
    "AND d.invoice_id = s.invoice_id AND d.version = s.version "
    "WHERE s.merchant_id = NEW.merchant_id AND s.invoice_id = NEW.ingreso_id"
)
_ACCOUNTED = (
    "EXISTS (SELECT 1 FROM stamp s JOIN basis_refund b ON b.merchant_id = s.merchant_id "
    "AND b.invoice_id = s.invoice_id AND b.version = s.version "
    "WHERE s.merchant_id = NEW.merchant_id AND s.invoice_id = NEW.ingreso_id "
    "AND b.refund_key = NEW.refund_key)"
)
_ACCOUNTED_IN_SHARE = (
    "EXISTS (SELECT 1 FROM stamp s JOIN share_refund b ON b.merchant_id = s.merchant_id "
    "AND b.invoice_id = s.invoice_id AND b.version = s.version "
    "WHERE s.merchant_id = NEW.merchant_id AND s.invoice_id = NEW.ingreso_id "
    "AND b.sale_id = NEW.sale_id AND b.refund_key = NEW.refund_key)"
)
_MORE_THAN_ITS_SHARE = (
    "EXISTS (SELECT 1 FROM stamp s JOIN share h ON h.merchant_id = s.merchant_id "
    "AND h.invoice_id = s.invoice_id AND h.version = s.version "
    "WHERE s.merchant_id = NEW.merchant_id AND s.invoice_id = NEW.ingreso_id "
    f"AND h.sale_id = NEW.sale_id AND NEW.total + ({_NOTES} AND n.sale_id = NEW.sale_id) > h.due)"
)
_NOTE_CHANGED = " OR ".join(
    f"NEW.{c} <> OLD.{c}"
    for c in (
        "merchant_id",
        "invoice_id",
        "ingreso_id",
        "sale_id",
        "refund_key",
        "total",
        "actor",
        "opened_at",
    )
)
#: A credit note stands for one refund of the sale that a stamped invoice holds.
NOTE_RULES: Final = (
    Rule(
        "credit_note",
        "INSERT",
        f"NOT {_of_refund('NEW')}",
        "only an invoice row made for a refund is a credit note",
    ),
    Rule(
        "credit_note",
        "INSERT",
        f"NOT {stamped('NEW', 'ingreso_id')} OR EXISTS (SELECT 1 FROM credit_note n "
        "WHERE n.merchant_id = NEW.merchant_id AND n.invoice_id = NEW.ingreso_id)",
        "only a stamped invoice has credit notes",
    ),
    Rule(
        "credit_note",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM claim c WHERE c.merchant_id = NEW.merchant_id "
        "AND c.invoice_id = NEW.ingreso_id AND c.sale_id = NEW.sale_id AND c.closed_at IS NULL)",
        "a credit note is of the invoice that holds the sale",
    ),
    Rule(
        "credit_note",
        "INSERT",
        f"NEW.total <= 0 OR NEW.total + ({_NOTES}) > ({_INVOICED})",
        "credit notes never make more than their invoice",
    ),
    Rule(
        "credit_note",
        "INSERT",
        f"{_ACCOUNTED} OR {_ACCOUNTED_IN_SHARE}",
        "the invoice accounts for that refund already",
    ),
    Rule(
        "credit_note",
        "INSERT",
        _MORE_THAN_ITS_SHARE,
        "credit notes never make more than their sale is of the invoice",
    ),
    Rule(
        "credit_note",
        "INSERT",
        "EXISTS (SELECT 1 FROM invoice v, invoice w WHERE v.merchant_id = NEW.merchant_id "
        "AND v.id = NEW.invoice_id AND w.merchant_id = NEW.merchant_id "
        "AND w.id = NEW.ingreso_id AND v.currency <> w.currency)",
        "a credit note has the currency of its invoice",
    ),
    Rule("credit_note", "DELETE", "1 = 1", "a credit note is closed, never deleted"),
    Rule("credit_note", "UPDATE", _NOTE_CHANGED, "a credit note is only ever closed"),
    Rule("credit_note", "UPDATE", "OLD.closed_at IS NOT NULL", "a closed note stays closed"),
    Rule("credit_note", "UPDATE", _IN_FORCE, "the credit note may be in force: it stays open"),
    Rule(
        "document",
        "INSERT",
        f"EXISTS (SELECT 1 FROM credit_note n WHERE {same('n', 'NEW')} AND n.total <> NEW.total)",
        "a credit note is of what was given back",
    ),
    Rule(
        "attempt",
        "INSERT",
        f"{_of_refund('NEW')} AND NOT EXISTS (SELECT 1 FROM credit_note n "
        f"WHERE {same('n', 'NEW')} AND n.closed_at IS NULL)",
        "a credit note is not sent without its refund",
    ),
    Rule(
        "attempt",
        "INSERT",
        "EXISTS (SELECT 1 FROM credit_note n JOIN invoice v ON v.merchant_id = n.merchant_id "
        "AND v.id = n.invoice_id JOIN invoice w ON w.merchant_id = n.merchant_id "
        f"AND w.id = n.ingreso_id WHERE {same('n', 'NEW')} AND v.environment <> w.environment)",
        "a credit note is stamped where its invoice was",
    ),
)


def divided(row: str) -> str:
    """The sale is invoiced in parts, as was agreed."""
    return (
        f"EXISTS (SELECT 1 FROM division v WHERE v.merchant_id = {row}.merchant_id "
        f"AND v.sale_id = {row}.sale_id AND v.closed_at IS NULL)"
    )


_CLAIMED = (
    "EXISTS (SELECT 1 FROM claim c WHERE c.merchant_id = NEW.merchant_id "
    "AND c.sale_id = NEW.sale_id AND c.closed_at IS NULL)"
)
_DIVISION_CHANGED = " OR ".join(
    f"NEW.{c} <> OLD.{c}"
    for c in ("merchant_id", "sale_id", "number", "fingerprint", "units", "made_at")
)
#: A sale is invoiced whole or in the parts that were agreed, never both.
DIVISION_RULES: Final = (
    Rule("division", "INSERT", _CLAIMED, "a sale that is invoiced is not divided"),
    Rule("division", "DELETE", "1 = 1", "a division is closed, never deleted"),
    Rule("division", "UPDATE", _DIVISION_CHANGED, "a division is only ever closed"),
    Rule("division", "UPDATE", "OLD.closed_at IS NOT NULL", "a closed division stays closed"),
    Rule("division", "UPDATE", _CLAIMED, "a part is invoiced: the sale stays divided"),
    Rule(
        "claim",
        "INSERT",
        f"NEW.parts = 1 AND {divided('NEW')}",
        "a divided sale is claimed by its parts, never whole",
    ),
    Rule(
        "claim",
        "INSERT",
        f"NEW.parts > 1 AND (SELECT COUNT(*) FROM invoice_sale i WHERE {same('i', 'NEW')}) > 1",
        "a part of a sale is invoiced by itself",
    ),
)

RULES: Final = (
    Rule("invoice", "INSERT", "NEW.state <> 'requested'", "an invoice begins as requested"),
    Rule("invoice", "DELETE", "1 = 1", "an invoice is never deleted"),
    Rule(
        "invoice",
        "UPDATE",
        "NEW.merchant_id <> OLD.merchant_id OR NEW.id <> OLD.id OR NEW.origin <> OLD.origin",
        "an invoice keeps its id and origin",
    ),
    Rule(
        "invoice",
        "UPDATE",
        f"NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN ({_moves()})",
        "no such move of an invoice",
    ),
    Rule(
        "invoice",
        "UPDATE",
        f"NEW.state <> OLD.state AND NEW.state = 'stamped' AND NOT {stamped('NEW', 'id')}",
        "an invoice without a stamp is not stamped",
    ),
    Rule(
        "invoice",
        "UPDATE",
        "NEW.state <> OLD.state AND NEW.state IN ('requested', 'rejected', 'sealed') "
        f"AND ({unsettled('NEW', 'id')} OR {stamped('NEW', 'id')})",
        "the document may have been stamped: the invoice cannot be undone",
    ),
    Rule(
        "invoice",
        "UPDATE",
        "NEW.state <> OLD.state AND NEW.state IN ('sealed', 'sending', 'unknown') "
        f"AND (NOT EXISTS (SELECT 1 FROM document d WHERE {same('d', 'NEW', 'id')}) "
        f"OR {stamped('NEW', 'id')})",
        "only a sealed document without a stamp can be sent",
    ),
    Rule(
        "invoice",
        "UPDATE",
        f"NEW.state <> OLD.state AND NEW.state = 'cancelled' AND NOT {ended('NEW', 'id')}",
        "an invoice is not cancelled before SAT says so",
    ),
    Rule(
        "cancellation",
        "INSERT",
        _not_in("NEW", "'stamped', 'superseded'"),
        "only a stamped invoice that is not being cancelled can be asked to be cancelled",
    ),
    Rule(
        "cancellation",
        "INSERT",
        "NEW.number <> (SELECT COALESCE(MAX(k.number), 0) FROM cancellation k "
        f"WHERE {same('k', 'NEW')}) + 1",
        "cancellations count from 1 without gaps",
    ),
    Rule(
        "cancel_event",
        "INSERT",
        _not_in("NEW", "'cancelling'"),
        "nothing happens to a cancellation that is not under way",
    ),
    Rule(
        "document",
        "INSERT",
        f"{unsettled('NEW')} OR {stamped('NEW')}",
        "the earlier document may have been stamped: no new version",
    ),
    Rule(
        "document",
        "INSERT",
        f"NEW.version <> {_newest_version('NEW')} + 1",
        "versions of a document count from 1 without gaps",
    ),
    Rule(
        "attempt",
        "INSERT",
        f"NEW.version <> {_newest_version('NEW')}",
        "only the newest version of a document is sent",
    ),
    Rule("attempt", "INSERT", stamped("NEW"), "a stamped document is not sent again"),
    Rule("attempt", "INSERT", _UNCLAIMED, "an invoice is not sent without the claim of its sale"),
    Rule(
        "attempt",
        "INSERT",
        "NEW.number <> (SELECT COALESCE(MAX(a.number), 0) FROM attempt a "
        f"WHERE {same('a', 'NEW')}) + 1",
        "attempts count from 1 without gaps",
    ),
    Rule("stamp", "INSERT", stamped("NEW"), "the invoice has a stamp already"),
    Rule(
        "stamp",
        "INSERT",
        f"NOT EXISTS (SELECT 1 FROM attempt a WHERE {same('a', 'NEW')} "
        "AND a.version = NEW.version)",
        "a document that was never sent cannot have a stamp",
    ),
    Rule(
        "attempt",
        "INSERT",
        f"EXISTS (SELECT 1 FROM declaration e WHERE {same('e', 'NEW')} "
        "AND e.version = NEW.version)",
        "a document declared unstamped is not sent again",
    ),
    Rule("declaration", "INSERT", stamped("NEW"), "the invoice has a stamp"),
    Rule(
        "declaration",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM invoice v WHERE v.merchant_id = NEW.merchant_id "
        "AND v.id = NEW.invoice_id AND v.state = 'review')",
        "only an invoice in review can be declared unstamped",
    ),
    Rule("claim", "INSERT", _OTHER_PARTS, "open claims of a sale divide it into the same parts"),
    Rule("claim", "DELETE", "1 = 1", "a claim is closed, never deleted"),
    Rule(
        "claim",
        "INSERT",
        "EXISTS (SELECT 1 FROM sale s JOIN sale_object o ON o.merchant_id = s.merchant_id "
        "AND o.connection_id = s.connection_id AND o.object_id = s.key "
        "WHERE s.merchant_id = NEW.merchant_id AND s.id = NEW.sale_id AND o.sale_id <> s.id)",
        "the sale is part of another one",
    ),
    Rule("claim", "UPDATE", _CLAIM_CHANGED, "a claim is only ever closed"),
    Rule("claim", "UPDATE", "OLD.closed_at IS NOT NULL", "a closed claim stays closed"),
    Rule("claim", "UPDATE", _IN_FORCE, "the invoice may be in force: its claim stays open"),
    *NOTE_RULES,
    *DIVISION_RULES,
    *(
        Rule(table, event, "1 = 1", f"{table}: rows are only ever added")
        for table in APPEND_ONLY
        for event in ("UPDATE", "DELETE")
    ),
)
