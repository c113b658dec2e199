"""The pages say what is there: links lead somewhere, named files exist, no step is left out."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"`((?:cfdi|hub|portal|connectors|tests|docs)/[\w./-]+)`")
#: How sources and messages name a page; a sentence's full stop is no part of it.
POINTED = re.compile(r"(?<![\w/.-])(?:docs|connectors)/[\w/-]+\.md\b")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


PAGES = tracked("*.md")


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What a heading is called in an address: small letters, blanks as hyphens, no marks."""
    headings = re.findall(r"^#+ +(.*?) *$", prose(page), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def nowhere(page: Path) -> Iterator[str]:
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_lead_somewhere(page: Path) -> None:
    assert not list(nowhere(page))
    named = [name for name in NAMED.findall(prose(page)) if name != "tests/connectors/payloads/"]
    assert not [name for name in named if not (ROOT / name).exists()]


def test_there_are_links_to_follow() -> None:
    assert sum(len(LINK.findall(prose(page))) for page in PAGES) > 80


@pytest.mark.parametrize("text", ["[a](gone.md)", "[a](#gone)", "[a](README.md#gone)"])
def test_a_link_that_leads_nowhere_is_seen(text: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Here\n")
    page = tmp_path / "page.md"
    page.write_text(f"# There\n{text} [b](README.md#here) [c](#there) [d](https://example.com)\n")
    assert len(list(nowhere(page))) == 1


def test_pages_that_sources_point_at_are_there() -> None:
    found = [
        (str(path.relative_to(ROOT)), pointed)
        for path in tracked("*.py", "*.php", "*.html", "*.toml", "Makefile")
        for pointed in POINTED.findall(path.read_text(encoding="utf-8"))
    ]
    assert len(found) > 5
    assert not [(path, pointed) for path, pointed in found if not (ROOT / pointed).is_file()]


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop().resolve()
        if page in reached or not page.is_file() or page.suffix != ".md":
            continue
        reached.add(page)
        ahead += [page.parent / link.partition("#")[0] for link in LINK.findall(prose(page))]
    # Decisions are linked as a folder; a platform's recordings speak for themselves.
    own = {"decisions", "payloads"}
    assert not [
        str(page.relative_to(ROOT))
        for page in PAGES
        if page not in reached and not own & set(page.relative_to(ROOT).parts)
    ]


def test_every_step_is_on_the_map() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = {
        name
        for row in re.findall(r"^\| (.+?) \|", page, re.MULTILINE)
        for name in re.findall(r"\w+", row.replace("`", ""))
    }
    steps = {path.stem for path in (ROOT / "hub" / "steps").glob("[a-z]*.py")}
    assert not steps - listed


def test_every_package_stands_among_the_rooms() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent for path in (ROOT / "hub").glob("*/__init__.py")}
    rooms |= {path.parent for path in (ROOT / "cfdi").glob("*/__init__.py")}
    named = set(re.findall(r"(?:hub/|cfdi/|[ ,])(\w+)/", page))
    assert not {room.name for room in rooms} - named


def test_what_a_connector_may_be_able_to_do_is_told_to_who_writes_one() -> None:
    folder = ROOT / "connectors"
    page = (folder / "README.md").read_text(encoding="utf-8")
    for name, least in (("abilities.py", 7), ("connecting.py", 3)):
        source = (folder / name).read_text(encoding="utf-8")
        optional = re.findall(r"@runtime_checkable\nclass (\w+)\(", source)
        assert len(optional) >= least
        assert not [one for one in optional if f"`{one}`" not in page]
    files = {path.name for path in folder.glob("[a-z]*.py")}
    assert not {name for name in files if f"| `{name}` |" not in page}


@cache
def said() -> str:
    """All that a merchant may be told, what is filled in as "…"."""
    told = []
    for path in tracked("hub/*.py", "connectors/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                told.append(re.sub(r"\{\w+\}", "…", node.value))
            elif isinstance(node, ast.JoinedStr):
                parts = (
                    str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values
                )
                told.append("".join(parts))
    told += [
        path.read_text(encoding="utf-8") for path in tracked("portal/*.po", "connectors/*.json")
    ]
    return " ".join(" ".join(told).split())


@pytest.mark.parametrize("platform", ["shopify", "stripe"])
def test_what_a_page_of_troubles_quotes_is_what_the_hub_says(platform: str) -> None:
    page = (ROOT / "docs" / platform / "troubleshooting.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (.*?) \| ", page, re.MULTILINE)
    quoted = [one for cell in cells for one in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", cell)]
    assert len(quoted) > 8
    parts = [(quote, part.strip(" .;")) for quote in quoted for part in quote.split("…")]
    everything = said()
    assert not [quote for quote, part in parts if part and part not in everything]
