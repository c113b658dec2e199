"""The taxpayer's data on SAT's own paper: Constancia de Situación Fiscal, Cédula de Datos Fiscales.

A shortcut that fills a form, never a condition: a merchant may not ask for the Constancia
(RMF 2026, Anexo 3, criterio 1/CFF/PI). What is read is not proof of anything either, since a PDF
is easily forged: whether the data are the register's, the PAC says when it stamps.
"""

from cfdi.constancia.paper import Constancia
from cfdi.constancia.reading import LARGEST, read, read_photo
from cfdi.constancia.refusals import ConstanciaRefused
from cfdi.constancia.validador import read_qr

__all__ = ["LARGEST", "Constancia", "ConstanciaRefused", "read", "read_photo", "read_qr"]
