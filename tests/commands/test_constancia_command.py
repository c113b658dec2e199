"""What the command says of a paper. How papers are read is judged in tests/constancia."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import segno

from cfdi.constancia import reading

QR = (
    "https://siat.sat.gob.mx/app/qr/faces/pages/mobile/validadorqr.jsf"
    "?D1=10&D2=1&D3=12345678901_EKU9003173C9"
)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with no time to spare would say that it is busy."""
    monkeypatch.setattr(reading, "SECONDS", 60.0)
    monkeypatch.setattr(reading, "_SECONDS_FOR_A_SEAT", 60.0)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    segno.make(QR).save(str(path), scale=5)
    return path


def test_a_photo_is_read(home: Any, photo: Path) -> None:
    told = home.told("constancia", str(photo))
    assert (told["rfc"], told["id_cif"], told["qr_agrees"]) == ("EKU9003173C9", "12345678901", True)
    assert "EKU9003173C9" in home.run("constancia", str(photo)).stdout
    assert not home.var_dir.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty"), (b"%PDF-1.7\n", "damaged"), (b"no paper", "not_a_photo")],
)
def test_what_cannot_be_read_is_told_by_its_code(
    home: Any, tmp_path: Path, data: bytes, code: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert home.refused("constancia", str(path))["code"] == code


def test_a_file_of_gigabytes_is_not_read(home: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(5_000_000_000)
    assert home.refused("constancia", str(path), status=2)["code"] == "file_too_large"
