"""Our documents and our made orders against the schema that Shopify publishes."""

from __future__ import annotations

import copy
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_client_schema,
    execute_sync,
    get_named_type,
    is_composite_type,
    parse,
    validate,
)

import connectors.shopify
from connectors.reader import read_json
from connectors.shopify.orders import sale_of
from tests.connectors.shopify_orders import MADE

QUERIES = Path(connectors.shopify.__file__).parent / "queries"
DOCUMENTS = sorted(path.stem for path in QUERIES.glob("*.graphql"))
VERSIONS = ["2026-07", "2026-10"]


@cache
def schema_in(folder: Path, version: str) -> GraphQLSchema:
    path = folder / "payloads" / "shopify" / "schemas" / f"admin_{version}.json.gz"
    with gzip.open(path) as file:
        read = json.load(file)
    schema = build_client_schema(read.get("data", read))
    # Shopify deprecates required arguments, which graphql-core takes for an invalid schema.
    schema._validation_errors = []
    return schema


def document(name: str) -> Any:
    return parse((QUERIES / f"{name}.graphql").read_text(encoding="utf-8"))


def test_there_are_documents() -> None:
    assert {"order", "order_lines", "order_agreements", "refund", "orders_changed"} <= set(
        DOCUMENTS
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid(shared: Path, name: str, version: str) -> None:
    assert [one.message for one in validate(schema_in(shared, version), document(name))] == []


def test_a_wrong_document_is_not(shared: Path) -> None:
    wrong = parse("{ shop { ianaTimezone nothing } }")
    assert validate(schema_in(shared, "2026-10"), wrong)


# What a query costs: https://shopify.dev/docs/api/usage/rate-limits (GraphQL Admin API)


class Cost:
    """1 for an object, nothing for a scalar, a list as often as it is asked for."""

    def __init__(self, name: str, schema: GraphQLSchema) -> None:
        self.schema = schema
        parsed = document(name)
        self.fragments = {
            one.name.value: one
            for one in parsed.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        [self.operation] = [
            one for one in parsed.definitions if isinstance(one, OperationDefinitionNode)
        ]

    def total(self) -> int:
        root = self.schema.get_root_type(self.operation.operation)
        return self.of(self.operation.selection_set, root)

    def of(self, selection: SelectionSetNode | None, parent: Any) -> int:
        cost = 0
        for node in selection.selections if selection else ():
            if isinstance(node, FragmentSpreadNode):
                cost += self.of(self.fragments[node.name.value].selection_set, parent)
            elif isinstance(node, InlineFragmentNode):
                named = node.type_condition
                inside = self.schema.type_map[named.name.value] if named else parent
                cost += self.of(node.selection_set, inside)
            elif isinstance(node, FieldNode) and not node.name.value.startswith("__"):
                cost += self.field(node, parent)
        return cost

    def field(self, node: FieldNode, parent: Any) -> int:
        type_ = parent.fields[node.name.value].type
        named = get_named_type(type_)
        if not is_composite_type(named):
            return 0
        first = [
            int(one.value.value)
            for one in node.arguments or ()
            if one.name.value == "first" and isinstance(one.value, IntValueNode)
        ]
        if not first:
            return 1 + self.of(node.selection_set, named)
        if isinstance(named, GraphQLObjectType) and named.name.endswith("Connection"):
            return 2 + sum(self.page(one, named, first[0]) for one in self.fields_of(node))
        return first[0] * (1 + self.of(node.selection_set, named))

    def page(self, node: FieldNode, connection: GraphQLObjectType, first: int) -> int:
        cost = self.field(node, connection)
        return cost * first if node.name.value in {"nodes", "edges"} else cost

    def fields_of(self, node: FieldNode) -> list[FieldNode]:
        found = node.selection_set.selections if node.selection_set else ()
        return [one for one in found if isinstance(one, FieldNode)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_costs_more_than_is_allowed(shared: Path, name: str) -> None:
    """1000 points are the most that one query may ask for."""
    cost = Cost(name, schema_in(shared, "2026-10")).total()
    assert 1 <= cost <= 1000, cost


def test_the_estimate_counts_pages(shared: Path) -> None:
    assert Cost("orders_changed", schema_in(shared, "2026-10")).total() == 2 + 100 + 1


# Made orders: each answers our documents without an error, so it has the schema's shape.


def answered(schema: GraphQLSchema, name: str, root: dict[str, Any]) -> Any:
    variables = {"id": "gid://shopify/Order/1"}
    result = execute_sync(schema, document(name), root_value=root, variable_values=variables)
    assert result.errors is None, result.errors
    return result.data


def paged(value: Any) -> Any:
    """Merged lists with the pages they came in."""
    if isinstance(value, dict):
        made = {name: paged(one) for name, one in value.items()}
        if "nodes" in made:
            made = {"pageInfo": {"hasNextPage": False, "endCursor": None}} | made
        return made
    return [paged(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", MADE)
def test_a_made_order_has_the_shape_of_the_schema(shared: Path, name: str) -> None:
    """Read through our own documents it is the same sale: nothing it needs is not asked for."""
    schema = schema_in(shared, "2026-10")
    bundle = MADE[name]().graphql()
    order = paged(copy.deepcopy(bundle["order"]))
    whole = answered(schema, "order", {"order": order})["order"]
    whole["lineItems"] = answered(schema, "order_lines", {"order": order})["order"]["lineItems"]
    agreements = answered(schema, "order_agreements", {"order": order})["order"]
    whole["agreements"] = agreements["agreements"]
    whole["refunds"] = [
        answered(schema, "refund", {"refund": one})["refund"] for one in order["refunds"]
    ]
    made = sale_of(read_json(json.dumps(bundle | {"order": whole}).encode()), {})
    assert made == sale_of(read_json(json.dumps(bundle).encode()), {})


if __name__ == "__main__":
    schema = schema_in(Path(__file__).resolve().parents[3] / "shared", "2026-10")
    for name in DOCUMENTS:
        print(name, Cost(name, schema).total())
