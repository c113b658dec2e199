"""What a platform starts from the Procfile are commands there are, and they work every queue."""

from __future__ import annotations

import shlex
from pathlib import Path

from hub.cli import main

PROCFILE = Path(__file__).resolve().parents[2] / "Procfile"


def test_each_line_starts_a_command_of_ours():
    lines = PROCFILE.read_text(encoding="utf-8").splitlines()
    processes = {name: shlex.split(rest) for name, _, rest in (ln.partition(":") for ln in lines)}
    assert set(processes) == {"web", "worker"}
    for name, (program, command, *options) in processes.items():
        assert Path(program).name == "autofactura"
        assert command == name
        assert command in main.commands
        assert options == [], "a worker with options might leave a queue to nobody"
