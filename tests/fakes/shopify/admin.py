"""The GraphQL Admin API over the orders of a shop that is played, executed by graphql-core.

What is asked is checked against `admin.graphql`: a field that is not there fails as it does at
Shopify. Costs are counted by the published rule (an object 1, a list its `first` times what one of
it costs, a mutation 10), at most 1000 a question, from a bucket that fills again; of what was asked
and not there, the points are given back.
https://shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
)
from graphql.type import GraphQLInterfaceType

from tests.fakes.shopify.orders import ENTITY, Order, instant, touched

SDL = (Path(__file__).parent / "admin.graphql").read_text("utf-8")
SCHEMA = build_schema(SDL)
WINDOW = timedelta(days=60)
MAX_COST = 1000
_TERM = re.compile(r"(updated_at|created_at|processed_at):(>=|<=|<|>)'([^']+)'")
#: Fields of an order whose type has a scope of its own ("Requires … access scope" on its page):
#: https://shopify.dev/docs/api/admin-graphql/latest/objects/PaymentTerms, …/Product, …/Customer
SCOPES = {
    ("Order", "paymentTerms"): "read_payment_terms",
    ("LineItem", "product"): "read_products",
    ("Order", "customer"): "read_customers",
}
_FIELDS = {"updated_at": "updatedAt", "created_at": "createdAt", "processed_at": "processedAt"}


@dataclass
class Bucket:
    """Points to ask with."""

    now: Callable[[], datetime]
    size: float = 2000.0
    rate: float = 100.0
    left: float = 2000.0
    at: datetime | None = None

    def take(self, cost: int) -> bool:
        now = self.now()
        passed = (now - self.at).total_seconds() if self.at else 0.0
        self.left, self.at = min(self.size, self.left + passed * self.rate), now
        if cost > self.left:
            return False
        self.left -= cost
        return True

    def told(self, cost: int, actual: int = 0) -> dict[str, Any]:
        return {
            "cost": {
                "requestedQueryCost": cost,
                "actualQueryCost": actual,
                "throttleStatus": {
                    "maximumAvailable": self.size,
                    "currentlyAvailable": int(self.left),
                    "restoreRate": self.rate,
                },
            }
        }


@dataclass
class FakeShop:
    domain: str
    now: Callable[[], datetime]
    orders: dict[str, Order] = field(default_factory=dict)
    bucket: Bucket = field(init=False)
    #: Top fields of an order that the app was not approved for: hidden, and said so.
    hidden: frozenset[str] = frozenset()
    #: What one question may cost.
    max_cost: int = MAX_COST
    #: Told of each change: the topic and the body.
    tell: Callable[[str, Order], None] = field(default=lambda topic, order: None)
    #: Called before an answer is made, e.g. to change an order between two pages.
    before_answer: Callable[[str], None] = field(default=lambda operation: None)
    costs: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bucket = Bucket(self.now)

    def visible(self, scopes: tuple[str, ...]) -> list[Order]:
        first = self.now() - WINDOW
        all_ = "read_all_orders" in scopes
        return [o for o in self.orders.values() if all_ or instant(o["createdAt"]) >= first]


def answer(shop: FakeShop, scopes: tuple[str, ...], asked: Mapping[str, Any]) -> dict[str, Any]:
    """What Shopify would answer, as HTTP 200."""
    try:
        document = parse(str(asked.get("query", "")))
    except GraphQLError as error:
        return {"errors": [{"message": error.message}]}
    if errors := validate(SCHEMA, document):
        told = [{"message": e.message, "extensions": {"code": "undefinedField"}} for e in errors]
        return {"errors": told}
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    name = operation.name.value if operation.name else ""
    cost = cost_of(document.definitions)
    shop.asked.append(name)
    shop.costs[name] = max(cost, shop.costs.get(name, 0))
    if cost > shop.max_cost:
        return {"errors": [_error("Query cost is too high", "MAX_COST_EXCEEDED")]}
    if not shop.bucket.take(cost):
        throttled = [_error("Throttled", "THROTTLED")]
        return {"errors": throttled, "extensions": shop.bucket.told(cost)}
    shop.before_answer(name)
    made = execute_sync(
        SCHEMA,
        document,
        root_value=_Root(shop, scopes),
        context_value=(shop, scopes),
        variable_values=dict(asked.get("variables") or {}),
        field_resolver=_resolve,
        type_resolver=lambda value, *_: value["__typename"],
    )
    actual = _objects(made.data)
    shop.bucket.left += max(cost - actual, 0)
    whole: dict[str, Any] = {"data": made.data, "extensions": shop.bucket.told(cost, actual)}
    if made.errors:
        whole["errors"] = [
            {"message": e.message, "path": e.path, "extensions": e.extensions or {}}
            for e in made.errors
        ]
    return whole


def _objects(value: Any) -> int:
    """What was really found."""
    if isinstance(value, dict):
        return 1 + sum(_objects(one) for one in value.values())
    return sum(_objects(one) for one in value) if isinstance(value, list) else 0


def _error(message: str, code: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


class _Root:
    def __init__(self, shop: FakeShop, scopes: tuple[str, ...]) -> None:
        self.shop_, self.scopes = shop, scopes

    def order(self, info: Any, id: str) -> Order | None:  # noqa: A002 - Shopify's name
        found = [one for one in self.shop_.visible(self.scopes) if one["id"] == id]
        return found[0] if found else None

    def refund(self, info: Any, id: str) -> Any:  # noqa: A002 - Shopify's name
        for order in self.shop_.visible(self.scopes):
            for refund in order["refunds"]:
                if refund["id"] == id:
                    return refund
        return None

    def orders(self, info: Any, first: int, **how: Any) -> Any:
        after, query, sort = how.get("after"), how.get("query") or "", how.get("sortKey", "ID")
        if "read_orders" not in self.scopes and "write_orders" not in self.scopes:
            raise GraphQLError("Access denied", extensions={"code": "ACCESS_DENIED"})
        key = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt", "ID": "id"}[sort]

        def rank(order: Order) -> tuple[str, int]:
            return ("" if key == "id" else order[key], int(order["legacyResourceId"]))

        found = sorted((o for o in self.shop_.visible(self.scopes) if _fits(o, query)), key=rank)
        if after:
            at, number = base64.b64decode(after).decode().split("|")
            found = [o for o in found if rank(o) > (at, int(number))]
        last = rank(found[first - 1]) if len(found) > first else None
        cursor = base64.b64encode(f"{last[0]}|{last[1]}".encode()).decode() if last else None
        return {
            "nodes": found[:first],
            "pageInfo": {"hasNextPage": last is not None, "endCursor": cursor},
        }

    def shop(self, info: Any) -> Any:
        return {
            "id": "gid://shopify/Shop/1",
            "name": self.shop_.domain.partition(".")[0],
            "myshopifyDomain": self.shop_.domain,
            "currencyCode": "MXN",
            "ianaTimezone": "America/Mexico_City",
            "taxesIncluded": True,
            "plan": {"partnerDevelopment": False},
        }

    def businessEntities(self, info: Any) -> Any:  # noqa: N802 - Shopify's name
        if "businessEntities" in self.shop_.hidden:
            raise GraphQLError("Access denied", extensions={"code": "ACCESS_DENIED"})
        return [ENTITY]

    def currentAppInstallation(self, info: Any) -> Any:  # noqa: N802 - Shopify's name
        return {
            "id": "gid://shopify/AppInstallation/1",
            "accessScopes": [{"handle": one} for one in self.scopes],
        }

    def metafieldsSet(self, info: Any, metafields: list[dict[str, Any]]) -> Any:  # noqa: N802 - Shopify's name
        if "write_orders" not in self.scopes:
            told = {"field": None, "message": "no", "code": "APP_NOT_AUTHORIZED"}
            return {"metafields": None, "userErrors": [told]}
        done = []
        for one in metafields:
            order = self.order(info, one["ownerId"])
            if order is None or not one.get("type"):
                told = {"field": ["metafields"], "message": "no", "code": "INVALID"}
                return {"metafields": None, "userErrors": [told]}
            name = f"{one['namespace']}.{one['key']}"
            order["metafields"][name] = one["value"]
            touched(order, self.shop_.now())
            self.shop_.tell("orders/updated", order)
            done.append({"id": f"gid://shopify/Metafield/{len(done) + 1}", **one})
        return {"metafields": done, "userErrors": []}


def _fits(order: Order, query: str) -> bool:
    rest = _TERM.sub("", query).strip()
    if rest:
        raise GraphQLError(f"a search that is not played: {rest}")
    for name, sign, told in _TERM.findall(query):
        value, bound = instant(order[_FIELDS[name]]), instant(told)
        held = {">=": value >= bound, "<=": value <= bound, "<": value < bound, ">": value > bound}
        if not held[sign]:
            return False
    return True


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    name = info.field_name
    if isinstance(source, _Root):
        return getattr(source, name)(info, **arguments)
    if name == "metafield":
        value = source["metafields"].get(f"{arguments['namespace']}.{arguments['key']}")
        return value if value is None else {"value": value}
    shop, scopes = info.context
    place = (info.parent_type.name, name)
    if (name in shop.hidden and place[0] == "Order") or SCOPES.get(place, "") not in {"", *scopes}:
        raise GraphQLError(f"Access denied for {name}", extensions={"code": "ACCESS_DENIED"})
    value = source.get(name)
    named = get_named_type(info.return_type).name
    if named.endswith("Connection") and isinstance(value, list):
        return _page(value, arguments)
    if isinstance(value, list) and arguments.get("first"):
        return value[: arguments["first"]]
    return value


def _page(whole: list[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    after = arguments.get("after")
    start = int(base64.b64decode(after)) if after else 0
    first = arguments.get("first") or 50
    end = start + first
    more = end < len(whole)
    return {
        "nodes": whole[start:end],
        "pageInfo": {
            "hasNextPage": more,
            "endCursor": base64.b64encode(str(end).encode()).decode() if more else None,
        },
    }


def cost_of(definitions: Any) -> int:
    """Of the one operation among these."""
    fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
    operation = next(d for d in definitions if isinstance(d, OperationDefinitionNode))
    mutation = operation.operation is OperationType.MUTATION
    root = SCHEMA.mutation_type if mutation else SCHEMA.query_type
    assert root is not None
    return (10 if mutation else 0) + _cost(operation.selection_set, root, fragments)


def _cost(
    chosen: SelectionSetNode | None,
    parent: GraphQLObjectType | GraphQLInterfaceType,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> int:
    total = 0
    for one in chosen.selections if chosen else ():
        if isinstance(one, FragmentSpreadNode):
            total += _cost(fragments[one.name.value].selection_set, parent, fragments)
        elif isinstance(one, InlineFragmentNode):
            named = SCHEMA.type_map[one.type_condition.name.value] if one.type_condition else parent
            total += _cost(one.selection_set, named, fragments)  # type: ignore[arg-type]
        elif (
            isinstance(one, FieldNode) and one.selection_set and not one.name.value.startswith("__")
        ):
            type_ = parent.fields[one.name.value].type
            inner = _cost(one.selection_set, get_named_type(type_), fragments)  # type: ignore[arg-type]
            total += _times(one) * (inner + 1)
    return total


def _times(node: FieldNode) -> int:
    for argument in node.arguments or ():
        if argument.name.value == "first" and isinstance(argument.value, IntValueNode):
            return int(argument.value.value)
    return 1
