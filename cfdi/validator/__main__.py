"""`python -m cfdi.validator` writes `docs/fiscal/validator.md` to standard output."""

from __future__ import annotations

import sys

from cfdi.validator.page import page

sys.stdout.write(page())
