"""The Shopify that the tests play is one that Shopify could be."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_client_schema,
    parse,
    validate,
)

from tests.conftest import ROOT, SHARED
from tests.fakes.shopify.admin import MAX_COST, SCHEMA, cost_of

DOCUMENTS = sorted((ROOT / "connectors" / "shopify" / "queries").glob("*.graphql"))
PUBLISHED = SHARED / "payloads" / "shopify" / "schemas" / "admin_2026-10.json.gz"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_document_is_of_the_played_schema_and_cheap(path: Path) -> None:
    document = parse(path.read_text("utf-8"))
    assert validate(SCHEMA, document) == []
    assert cost_of(document.definitions) <= MAX_COST


def test_the_documents_are_there() -> None:
    assert len(DOCUMENTS) >= 10


def test_the_played_schema_is_part_of_the_published_one() -> None:
    if not PUBLISHED.is_file():
        pytest.skip("NOT CHECKED: the published schema is not here, so nobody knows whether the "
                    "played Shopify has fields that the real one lacks")  # fmt: skip
    told: Any = json.loads(gzip.decompress(PUBLISHED.read_bytes()))
    real = build_client_schema(told.get("data", told))
    compared = 0
    for name, own in SCHEMA.type_map.items():
        if name.startswith("__"):
            continue
        other = real.type_map[name]
        assert type(own) is type(other), name
        if isinstance(own, GraphQLEnumType) and isinstance(other, GraphQLEnumType):
            assert set(own.values) <= set(other.values), name
        if isinstance(own, GraphQLInputObjectType) and isinstance(other, GraphQLInputObjectType):
            assert {k: str(v.type) for k, v in own.fields.items()} == {
                k: str(v.type) for k, v in other.fields.items()
            }
        if isinstance(own, GraphQLObjectType | GraphQLInterfaceType):
            assert isinstance(other, GraphQLObjectType | GraphQLInterfaceType)
            for field, ours in own.fields.items():
                theirs = other.fields[field]
                assert str(ours.type) == str(theirs.type), f"{name}.{field}"
                for argument, kind in ours.args.items():
                    assert str(kind.type) == str(theirs.args[argument].type), f"{name}.{field}"
                compared += 1
    assert compared > 150


def test_it_runs_as_a_process_of_its_own() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.shopify"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdin
        told = json.loads(process.stdout.readline())
        answer = requests.post(
            f"{told['url']}/{told['shop']}/admin/oauth/access_token",
            json={
                "client_id": told["client_id"],
                "client_secret": told["client_secret"],
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token": told["id_token"],
                "expiring": "1",
            },
            timeout=60,
        )
        assert answer.json()["refresh_token"]
        process.stdin.close()
        assert process.wait(60) == 0
