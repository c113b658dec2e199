"""constancia: what a paper of SAT's says of its holder, without keeping it."""

from __future__ import annotations

from pathlib import Path

import click

from cfdi import constancia
from hub.commands.output import Failed, command, content, table, tell

#: What a PDF begins with; everything else is taken for a photo.
_PDF = b"%PDF-"


@click.group()
def papers() -> None:
    """Holds the command below; `hub.cli` hangs it up without a group of its own."""


@command(papers, "constancia")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def read_constancia(file: Path) -> None:
    """Read a Constancia or Cédula (PDF), or the QR in a photo of one. Nothing is kept."""
    data = content(file, constancia.LARGEST)
    try:
        read = constancia.read(data) if _PDF in data[:1024] else constancia.read_photo(data)
    except constancia.ConstanciaRefused as refused:
        raise Failed(refused.code, str(refused)) from refused
    said = read.as_json()
    rows = [(name, _in_words(value)) for name, value in said.items()]
    tell(said, table([row for row in rows if row[1]]))


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
