"""Finkok's SOAP envelopes, written and read without its WSDL. Pure.

The operations, their parameters and their order: https://wiki.finkok.com/en/home/webservices
"""

from __future__ import annotations

import base64
from typing import Any, Final

from lxml import etree

from cfdi.xml import XmlRefused, parse

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
STAMP: Final = "stamp"
CANCEL: Final = "cancel"
UTILITIES: Final = "utilities"


class NoResult(Exception):
    """The answer holds no result of what was asked. `fault` is the provider's SOAP fault."""

    def __init__(self, fault: str = "") -> None:
        super().__init__("an answer without a result")
        self.fault = fault


def envelope(service: str, operation: str, parameters: dict[str, str]) -> bytes:
    namespace = f"http://facturacion.finkok.com/{service}"
    nsmap: dict[str, str] = {"soapenv": SOAP, service: namespace}
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap=nsmap)
    etree.SubElement(root, f"{{{SOAP}}}Header")
    call = etree.SubElement(
        etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{namespace}}}{operation}"
    )
    for name, value in parameters.items():
        etree.SubElement(call, f"{{{namespace}}}{name}").text = value
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def encoded(xml: bytes) -> str:
    return base64.b64encode(xml).decode("ascii")


class Result:
    """What stands in `<operation>Result`, whatever the namespaces: those have changed."""

    def __init__(self, node: etree._Element) -> None:
        self._node = node

    @classmethod
    def read(cls, raw: bytes, operation: str) -> Result:
        """Raises `NoResult`."""
        try:
            root = parse(raw)
        except XmlRefused:
            raise NoResult from None
        named = {_name(node): node for node in root.iter() if isinstance(node.tag, str)}
        if f"{operation}Result" in named:
            return cls(named[f"{operation}Result"])
        raise NoResult(named["faultstring"].text or "" if "faultstring" in named else "")

    def text(self, name: str) -> str:
        """Of a field of its own; "" if there is none."""
        for child in self._node:
            if _name(child) == name:
                return (child.text or "").strip()
        return ""

    def each(self, name: str) -> list[dict[str, str]]:
        """The fields of every node of this name, however deep."""
        return [
            {_name(child): (child.text or "").strip() for child in node}
            for node in self._node.iter()
            if _name(node) == name and len(node)
        ]

    def texts(self, name: str) -> list[str]:
        """The text of every node of this name, however deep."""
        return [(node.text or "").strip() for node in self._node.iter() if _name(node) == name]

    def fields(self) -> dict[str, str]:
        """The texts at the leaves, by name."""
        return {
            _name(node): (node.text or "").strip() for node in self._node.iter() if not len(node)
        }


def _name(node: Any) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""
