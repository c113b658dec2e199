"""The connectors that are installed, by entry point. The engine knows platforms only from here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final

from connectors.contract import Connector

GROUP: Final = "autofactura.connectors"

_log = logging.getLogger(__name__)


def connectors() -> Mapping[str, Connector]:
    """Every installed connector by the name of its platform.

    One that cannot be loaded is logged by name and left out: the others go on working.
    """
    found: dict[str, Connector] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        connector = _load(point)
        if connector is None:
            continue
        if point.name in found:
            _log.error("connector %s is installed twice; %s is ignored", point.name, point.value)
            continue
        found[point.name] = connector
    return MappingProxyType(found)


def _load(point: EntryPoint) -> Connector | None:
    try:
        connector: Connector = point.load()()
        platform = connector.platform
    except Exception as error:  # noqa: BLE001 - code of strangers, which may fail in any way
        _log.error(  # without the traceback: a stranger's may hold anything
            "connector %s (%s) cannot be loaded: %s", point.name, point.value, type(error).__name__
        )
        return None
    if platform != point.name:
        _log.error("connector %s says that its platform is %s; ignored", point.name, platform)
        return None
    return connector
