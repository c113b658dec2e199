"""A provider to practise with: SW Sapien's dialect over HTTP, documents without fiscal value."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

#: Let in everywhere: there is nothing to guard.
TOKEN: Final = "sandbox"  # noqa: S105 - published on purpose
USER: Final = "sandbox"
PASSWORD: Final = "sandbox"  # noqa: S105 - published on purpose

#: A request older than this is not stamped any more, however slow the machine.
IN_FLIGHT_MAX: Final = timedelta(seconds=2)

#: Stands in each TFD. Letters the XSD of the TFD allows (12 to 150 of them).
LEYENDA: Final = "PRUEBAS SIN VALIDEZ FISCAL"
