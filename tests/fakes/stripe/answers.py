"""What the API answers, and what it refuses, in the words of the real one."""

from __future__ import annotations

import copy
import re
from typing import Any

from tests.fakes.stripe.account import MAX_ENDPOINTS, Account
from tests.fakes.stripe.shapes import NEWEST, rendered

#: Path → kind of object, subject of its permission, filters of its list.
LISTS: dict[str, tuple[str, str, frozenset[str]]] = {
    "invoices": ("invoice", "invoice", frozenset({"status", "customer", "subscription"})),
    "invoice_payments": ("invoice_payment", "invoice", frozenset({"invoice", "payment", "status"})),
    "credit_notes": ("credit_note", "credit_note", frozenset({"invoice", "customer"})),
    "payment_intents": ("payment_intent", "payment_intent", frozenset({"customer"})),
    "charges": ("charge", "charge", frozenset({"payment_intent", "customer"})),
    "refunds": ("refund", "charge", frozenset({"payment_intent", "charge"})),
    "disputes": ("dispute", "dispute", frozenset({"payment_intent", "charge"})),
    "balance_transactions": (
        "balance_transaction", "balance_transaction_source", frozenset({"type", "source"}),
    ),
    "customers": ("customer", "customer", frozenset({"email"})),
    "checkout/sessions": (
        "checkout.session", "checkout_session",
        frozenset({"payment_intent", "subscription", "customer", "status"}),
    ),
    "subscriptions": ("subscription", "subscription", frozenset({"customer", "status"})),
    "products": ("product", "product", frozenset({"ids", "active"})),
    "prices": ("price", "plan", frozenset({"product"})),
    "tax_rates": ("tax_rate", "tax_rate", frozenset({"active"})),
    "events": ("event", "event", frozenset({"types", "type", "delivery_success"})),
    "payment_records": ("payment_record", "payment_record", frozenset()),
    "webhook_endpoints": ("webhook_endpoint", "webhook", frozenset()),
}  # fmt: skip
_PAGING = {"limit", "starting_after", "ending_before", "expand", "created"}
#: Left out of an answer unless they were asked for.
_INCLUDABLE = {
    "customer": {"tax_ids"},
    "invoice": {"payments"},
    "checkout.session": {"line_items"},
    "item": {"taxes", "discounts"},
}


class Refused(Exception):
    def __init__(self, status: int, kind: str, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.told = {
            "error": {"type": kind, "message": message, **({"code": code} if code else {})}
        }


def answer(
    account: Account, method: str, path: str, params: dict[str, Any], headers: dict[str, str]
) -> dict[str, Any]:
    key = headers.get("authorization", "").removeprefix("Bearer ")
    if key not in account.keys:
        raise Refused(401, "invalid_request_error", f"Invalid API Key provided: {key[:8]}****")
    version = headers.get("stripe-version") or account.version
    if version > NEWEST:
        raise Refused(400, "invalid_request_error", f"Invalid Stripe API version: {version}")
    rest = path.removeprefix("/v1/")
    if rest == "account":
        _allowed(account, key, "accounts_kyc_basic_read")
        return {"id": account.id, "object": "account"}
    name = "checkout/sessions" if rest.startswith("checkout/sessions") else rest.split("/")[0]
    if name not in LISTS:
        raise Refused(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path})")
    _, subject, _ = LISTS[name]
    access = "read" if method == "GET" else "write"
    _allowed(account, key, f"{subject}_{access}")
    inner = rest.removeprefix(name).strip("/").split("/")
    match (method, [one for one in inner if one]):
        case ("GET", []):
            found = _listed(account, name, params, version)
        case ("GET", [object_id]):
            found = _one(account, name, object_id, params, version)
        case ("GET", [object_id, ("lines" | "line_items") as part]):
            found = _part(account, name, object_id, part, params, version)
        case ("POST", []) if name == "webhook_endpoints":
            found = _endpoint_made(account, params)
        case ("POST", [object_id]):
            found = _changed(account, name, object_id, params, version)
        case ("DELETE", [object_id]) if name == "webhook_endpoints":
            _held(account, name, object_id)
            del account.objects[object_id]
            found = {"id": object_id, "object": "webhook_endpoint", "deleted": True}
        case _:
            raise Refused(404, "invalid_request_error", f"Unrecognized request URL ({path})")
    return found


def _allowed(account: Account, key: str, permission: str) -> None:
    given = account.keys[key]
    wide = permission.replace("_read", "_write")
    if key.startswith("sk_") or permission in given or wide in given:
        return
    hidden = "*" * 12 + key[-6:]
    raise Refused(
        403,
        "invalid_request_error",
        f"The provided key '{key[:8]}{hidden}' does not have the required permissions for this "
        f"endpoint on account '{account.id}'. Having the 'rak_{permission}' permission would "
        f"allow this request to continue.",
    )


def _held(account: Account, name: str, object_id: str) -> dict[str, Any]:
    found = account.objects.get(object_id)
    if found is None or found["object"] != LISTS[name][0]:
        raise Refused(
            404, "invalid_request_error", f"No such object: '{object_id}'", "resource_missing"
        )
    return found


def _one(
    account: Account, name: str, object_id: str, params: dict[str, Any], version: str
) -> dict[str, Any]:
    found = _held(account, name, object_id)
    return _shown(account, found, list(params.get("expand", [])), version)


def _listed(account: Account, name: str, params: dict[str, Any], version: str) -> dict[str, Any]:
    kind, _, filters = LISTS[name]
    unknown = set(params) - filters - _PAGING
    if unknown:
        raise Refused(400, "invalid_request_error", f"Received unknown parameter: {min(unknown)}")
    if kind == "event":
        types = params.get("types", [])
        if len(types) > 20:
            raise Refused(400, "invalid_request_error", "types: at most 20")
        found = [one for one in reversed(account.events) if not types or one["type"] in types]
    else:
        found = [one for one in account.look(kind) if _passes(one, params, filters)]
    found = [one for one in found if _made_within(one, params.get("created", {}))]
    return _page(account, found, params, version, f"/v1/{name}")


def _passes(one: dict[str, Any], params: dict[str, Any], filters: frozenset[str]) -> bool:
    for name in filters & set(params):
        wanted = params[name]
        if name == "ids":
            held = one["id"] in wanted
        elif name == "payment":
            held = all(one["payment"].get(k) == v for k, v in wanted.items())
        else:
            held = one.get(name) == wanted
        if not held:
            return False
    return True


def _made_within(one: dict[str, Any], period: dict[str, str]) -> bool:
    at = one["created"]
    tests = {"gte": at.__ge__, "gt": at.__gt__, "lt": at.__lt__, "lte": at.__le__}
    return all(tests[name](int(value)) for name, value in period.items())


def _page(
    account: Account, found: list[dict[str, Any]], params: dict[str, Any], version: str, url: str
) -> dict[str, Any]:
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= 100:
        raise Refused(400, "invalid_request_error", "This value must be between 1 and 100")
    after = params.get("starting_after")
    if after:
        ids = [one["id"] for one in found]
        if after not in ids:
            raise Refused(400, "invalid_request_error", f"No such object: {after}")
        found = found[ids.index(after) + 1 :]
    wanted = [one.removeprefix("data.") for one in params.get("expand", [])]
    shown = [
        one if one["object"] == "event" else _shown(account, one, wanted, version, depth=3)
        for one in found[:limit]
    ]
    return {"object": "list", "url": url, "has_more": len(found) > limit, "data": shown}


def _part(
    account: Account, name: str, object_id: str, part: str, params: dict[str, Any], version: str
) -> dict[str, Any]:
    """A list within an object, whole, whatever the object itself shows of it."""
    whole = _held(account, name, object_id)[f"_{part}"]
    holder = {**_held(account, name, object_id), "lines": {"data": whole}}
    lines = rendered(holder, version, account.look)["lines"]["data"]
    return _page(account, lines, params, version, "")


def _shown(
    account: Account, found: dict[str, Any], expand: list[str], version: str, depth: int = 4
) -> dict[str, Any]:
    for path in expand:
        if path.count(".") >= depth:
            raise Refused(400, "invalid_request_error", "You cannot expand more than 4 levels")
    told = {k: v for k, v in rendered(found, version, account.look).items() if k[0] != "_"}
    heads = {path.split(".")[0] for path in expand}
    for name in _INCLUDABLE.get(told["object"], set()) - heads:
        told.pop(name, None)
    for head in heads:
        deeper = [path.partition(".")[2] for path in expand if path.startswith(f"{head}.")]
        if told["object"] == "invoice" and head == "payments":
            paying = account.look("invoice_payment", invoice=told["id"])
            told[head] = {"object": "list", "data": copy.deepcopy(paying), "has_more": False}
        elif isinstance(told.get(head), str) and told[head] in account.objects:
            told[head] = _shown(account, account.objects[told[head]], deeper, version, depth - 1)
    return told


def _endpoint_made(account: Account, params: dict[str, Any]) -> dict[str, Any]:
    if len(account.look("webhook_endpoint")) >= MAX_ENDPOINTS:
        raise Refused(400, "invalid_request_error", "You have reached the maximum of 16 endpoints")
    made = account.put(
        {
            "id": account.new_id("we"),
            "object": "webhook_endpoint",
            "url": params["url"],
            "enabled_events": params["enabled_events"],
            "api_version": params.get("api_version"),
            "description": params.get("description"),
            "status": "enabled",
        }
    )
    account.secrets[made["id"]] = f"whsec_of{made['id'][-8:]}"
    return {**made, "secret": account.secrets[made["id"]]}


def _changed(
    account: Account, name: str, object_id: str, params: dict[str, Any], version: str
) -> dict[str, Any]:
    found = _held(account, name, object_id)
    if name == "webhook_endpoints":
        if "api_version" in params:
            raise Refused(400, "invalid_request_error", "Received unknown parameter: api_version")
        disabled = params.pop("disabled", None)
        if disabled is not None:
            found["status"] = "disabled" if disabled == "true" else "enabled"
        found |= params
        return dict(found)
    for key, value in params.get("metadata", {}).items():
        if len(key) > 40 or len(value) > 500:
            raise Refused(400, "invalid_request_error", "Metadata is too long")
        found["metadata"].pop(key, None)
        found["metadata"] |= {key: value} if value else {}
    if "invoice_settings" in params:
        found["invoice_settings"] = found.get("invoice_settings", {}) | params["invoice_settings"]
    if set(params) - {"metadata", "invoice_settings"}:
        raise Refused(400, "invalid_request_error", "Received unknown parameter")
    if re.match("invoice", found["object"]):
        account.happens("invoice.updated", found)
    return _shown(account, found, [], version)
