"""The page about the validator, made of the rules themselves so that it cannot say more."""

from __future__ import annotations

from typing import Final

from cfdi.validator.coverage import states
from cfdi.validator.messages import finding
from cfdi.validator.rule import Failure

_HEAD: Final = """\
<!-- Made by `python -m cfdi.validator`; a test compares. Change the code, not this page. -->
# The validator

`cfdi.validate` says before a provider does what is wrong with a CFDI 4.0, sealed or stamped, made
here or anywhere else. It needs no network.

```python
from datetime import UTC, datetime

import cfdi

xml = b"<factura>100.00</factura>"
for finding in cfdi.validate(xml, at=datetime.now(UTC)):
    print(finding.code, finding.path, finding.message_es, finding.fixable_by)
```

An empty tuple means that the document is valid. A finding has SAT's code, the place in the XML
(`Comprobante/Conceptos/Concepto[3]/@Importe`, counted from one), what is wrong in Spanish and
English, and who can mend it: `buyer`, `merchant` or `developer`. Any bytes are answered, never with
an exception.

| argument | |
| --- | --- |
| `at` | the moment of stamping; without it the rules of the clock are not asked |
| `register` | whoever knows something of SAT's lists of taxpayers and certificates |
| `authorities` | certificates (DER or PEM), one of which must have signed the issuer's |

An aware `at` is an instant, a naive one local time at LugarExpedicion. Registers are described in
[register.md](register.md).

## How a document is judged

1. XML in UTF-8 without a DTD, of at most 16 MB, with SAT's `cfdi:Comprobante` of version 4.0: else
   301. An Addenda is no part of the document and is not looked at.
2. SAT's XSD, but for the keys of its catalogs, which are judged by the rules: the workbook of
   21-08-2026, which providers follow, is stricter than the XSD. Told as the row that the matrix has
   for the attribute, else as 301. Of complements other than Pagos 2.0 and the TFD the structure is
   all that is checked; one that SAT does not have, or no longer, is 301.
3. The rules, if the structure holds: clock, certificate, seal, then node by node.

One defect is one finding. Where SAT's rules overlap, the closer one is told and what follows from
it is not: a wrong Importe, not also the SubTotal that no longer is its sum; a wrong sum of taxes,
not also the Total; in a document of payments the rows of Pagos 2.0, not also those of CFDI 4.0 for
the same attribute. Once it is mended, what it hid is told. At most 200 findings are told, 50 of a
rule.

A stamped document is not answered with 307: its Timbre Fiscal Digital is verified. Dates of
certificates are judged at Fecha, so a document stays valid when its certificate runs out.

## Every rule

Rows of SAT's matrices for CFDI 4.0 (25-03-2026, with the codes as printed there: CFDI140223 to
CFDI140228) and Pagos 2.0 (revision B), SAT's acceptance codes for providers, and, in small letters,
rules that SAT has no code for.

| code | what is wrong | mended by | state |
| --- | --- | --- | --- |
"""


def page() -> str:
    return _HEAD + "".join(_row(code, state) for code, state in states().items())


def _row(code: str, state: str) -> str:
    told = finding(Failure("", code=code))
    checked = not state.startswith("not checked")
    words = told.message_en.replace("|", "\\|") if checked else ""
    return f"| {code} | {words} | {told.fixable_by.value if checked else ''} | {state} |\n"
