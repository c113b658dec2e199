"""Forward migrations, and the drift between what they build and what the models say."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.clock import Clock
from hub.store import guards, migrate
from hub.store.database import Store
from hub.store.engines import Engine, open_engine
from hub.store.errors import Refused
from hub.store.invariants import violations
from hub.store.keys import Keyring
from hub.store.schema import TABLES

PG_SCHEMA = {
    "columns": (
        "SELECT table_name, column_name, data_type, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = current_schema()"
    ),
    "constraints": (
        "SELECT c.conrelid::regclass::text, pg_get_constraintdef(c.oid) FROM pg_constraint c "
        "JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = current_schema()"
    ),
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": (
        "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n "
        "ON n.oid = p.pronamespace WHERE n.nspname = current_schema()"
    ),
}


def schema_of(engine: Engine) -> dict[str, list[Any]]:
    """The whole schema, triggers and indexes included, in an order of its own."""
    if type(engine).__name__ == "SqliteEngine":
        rows = engine.db.execute_sql(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        )
        found = [(*row[:3], re.sub(r'[\s"]+', " ", row[3])) for row in rows]
        return {"sqlite": sorted(row for row in found if migrate.HISTORY not in row[1])}
    return {
        name: sorted(
            str(row) for row in engine.db.execute_sql(query) if migrate.HISTORY not in str(row)
        )
        for name, query in PG_SCHEMA.items()
    }


@pytest.fixture
def engine(bare_url: str) -> Iterator[Engine]:
    opened = open_engine(bare_url)
    yield opened
    opened.close()


def build_from_models(engine: Engine) -> None:
    with engine.migrating():
        for table in TABLES:
            with table.bind_ctx(engine.db):
                table.create_table(safe=False)
        guards.install(engine.db)


def test_migrations_build_what_the_models_say(engine: Engine, tmp_path: Path) -> None:
    with engine.migrating():
        names = migrate.up(engine.db)
    assert names[0] == "0001_initial"
    assert names == sorted(names)
    assert migrate.pending(engine.db) == []
    migrated = schema_of(engine)
    drop_all(engine)
    build_from_models(engine)
    assert migrated == schema_of(engine)
    assert sum(len(part) for part in migrated.values()) > 60


def drop_all(engine: Engine) -> None:
    with engine.migrating():
        guards.drop(engine.db)
        for table in [*reversed(TABLES)]:
            engine.db.execute_sql(f'DROP TABLE "{table._meta.table_name}"')
        engine.db.execute_sql(f"DROP TABLE {migrate.HISTORY}")


def test_a_missing_index_is_seen_as_drift(engine: Engine) -> None:
    """The comparison is able to fail."""
    build_from_models(engine)
    whole = schema_of(engine)
    with engine.writing():
        engine.db.execute_sql("DROP INDEX guard_one_claim")
    assert schema_of(engine) != whole


@pytest.fixture
def new(tmp_path: Path, sqlite_template: Path, clock: Clock, keys: Keyring) -> Iterator[Store]:
    """A database of today, whose rows are carried into an old one."""
    shutil.copy(sqlite_template, tmp_path / "new.db")
    store = Store.open(f"sqlite:///{tmp_path}/new.db", keyring=keys, clock=clock)
    store.check_keys()
    yield store
    store.close()


@pytest.fixture
def old(bare_url: str, clock: Clock, keys: Keyring) -> Iterator[Store]:
    """A database of the first release."""
    engine = open_engine(bare_url)
    with engine.migrating():
        # Without the guards: some are of tables that came later.
        migrate._runner(engine.db, migrate.DIRECTORY).up("0001_initial")
    engine.close()
    store = Store.open(bare_url, keyring=keys, clock=clock)
    yield store
    store.close()


def carried(source: Store, target: Store) -> int:
    """Every row, as far as the first release knew of it."""
    initial: Any = runpy.run_path(str(migrate.DIRECTORY / "0001_initial.py"))
    rows = 0
    for table in TABLES:
        model = initial.get(table.__name__)
        if model is None:
            continue
        with model.bind_ctx(source._engine.db):
            found = list(model.select().dicts())
        with model.bind_ctx(target._engine.db):
            for row in found:
                model.insert(**row).execute()
        rows += len(found)
    return rows


def test_an_old_database_moves_forward_with_its_rows(new: Store, old: Store, world_in: Any) -> None:
    world = world_in(new)
    invoice_id = world.stamped(uuid="U-1")
    assert carried(new, old) > 10
    world.store = old
    old.check_keys()
    later = sorted(path.stem for path in migrate.DIRECTORY.glob("0*.py"))[1:]
    assert old.pending_migrations() == later
    assert old.migrate() == later
    assert old.pending_migrations() == []
    assert old.migrate() == []
    with old.reading() as tx:
        assert violations(tx) == []
        stamp = tx.tenant(world.merchant_id).invoices.stamp_of(invoice_id)
    assert stamp is not None
    assert stamp.uuid == "U-1"
    with pytest.raises(Refused, match="only ever added"):
        world.sql("DELETE FROM stamp")


def test_a_rebuilt_table_keeps_rows_and_guards(store: Store, world_in: Any, tmp_path: Path) -> None:
    """On SQLite dropping a column of a unique table rebuilds it; its triggers would be gone."""
    world = world_in(store)
    invoice_id = world.stamped(uuid="U-1")
    with store.transaction() as tx:
        before = guards.triggers(tx.session.engine.db)
    run_extra(
        store,
        tmp_path,
        "0003_words.py",
        "from peewee import TextField\n"
        "def up(migrator, db):\n"
        "    migrator.migrate(\n"
        "        migrator.add_column('stamp', 'note', TextField(default='')),\n"
        "        migrator.alter_column_type('invoice', 'origin', TextField()),\n"
        "        migrator.rename_column('stamp', 'note', 'remark'),\n"
        "        migrator.drop_column('stamp', 'remark', legacy=True)\n"
        "        if 'Sqlite' in type(migrator).__name__\n"
        "        else migrator.drop_column('stamp', 'remark'),\n"
        "    )\n",
    )
    with store.reading() as tx:
        assert guards.triggers(tx.session.engine.db) == before
        assert violations(tx) == []
        assert tx.tenant(world.merchant_id).invoices.stamp_of(invoice_id) is not None
    with pytest.raises(Refused, match="only ever added"):
        world.sql("DELETE FROM stamp")


def test_a_migration_that_fails_leaves_everything_as_it_was(
    store: Store, world_in: Any, tmp_path: Path
) -> None:
    world = world_in(store)
    world.stamped()
    with store.reading() as tx:
        before = schema_of(tx.session.engine)
    with pytest.raises(ZeroDivisionError):
        run_extra(
            store,
            tmp_path,
            "0003_fails.py",
            "def up(migrator, db):\n    db.execute_sql('DROP TABLE answer')\n    1 / 0\n",
        )
    with store.reading() as tx:
        assert schema_of(tx.session.engine) == before
        assert violations(tx) == []


def test_a_migration_that_breaks_a_reference_is_refused(
    store: Store, world_in: Any, tmp_path: Path
) -> None:
    world_in(store).stamped()
    with pytest.raises(Refused):
        run_extra(
            store,
            tmp_path,
            "0003_breaks.py",
            "def up(migrator, db):\n    db.execute_sql('DELETE FROM merchant')\n",
        )
    with store.reading() as tx:
        assert violations(tx) == []
        assert len(tx.merchants.list()) == 1


def run_extra(store: Store, folder: Path, name: str, text: str) -> None:
    for path in migrate.DIRECTORY.glob("0*.py"):
        shutil.copy(path, folder)
    (folder / name).write_text(text)
    engine = store._engine
    with engine.migrating():
        migrate.up(engine.db, folder)


def test_two_processes_that_migrate_at_once(bare_url: str, keys: Keyring, clock: Clock) -> None:
    """One does it, the other finds it done."""
    program = (
        "import sys; from hub.store.database import Store; from hub.store.keys import Keyring;"
        "from hub.clock import SystemClock;"
        "s = Store.open(sys.argv[1], keyring=Keyring.parse(sys.argv[2]), clock=SystemClock());"
        "print(len(s.migrate())); s.check_keys()"
    )
    argv = [sys.executable, "-c", program, bare_url, keys.dump()]
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    applied = sorted(int(process.communicate(timeout=900)[0]) for process in running)
    assert [process.returncode for process in running] == [0, 0, 0]
    assert applied == [0, 0, len(list(migrate.DIRECTORY.glob("0*.py")))]
