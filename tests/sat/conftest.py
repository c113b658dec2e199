"""A certificate to sign with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cfdi.csd import Csd, check_csd
from cfdi.pac.sandbox.authority import Authority

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def csd(tmp_path_factory: pytest.TempPathFactory) -> Csd:
    authority = Authority.create(tmp_path_factory.mktemp("authority") / "ca", now=NOW)
    issued = authority.issue_csd("OÑO120726RX3", "ORGANICOS ÑAVEZ OSORIO", now=NOW)
    return check_csd(issued.cer_der, issued.key_der, issued.password, rfc="OÑO120726RX3", now=NOW)
