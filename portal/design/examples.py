"""Every page a buyer or a merchant can come to, with made data: for the gallery and the tests.

A new page gets a line in `EXAMPLES`, and with it a place in the gallery, screenshots, and all
checks of tests/portal/test_states_browser.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import flask

from cfdi import receptor
from hub.domain.asks import Answer
from hub.domain.purchase import (
    DOWN,
    HELD,
    Draft,
    Estado,
    FieldError,
    FiscalForm,
    Listed,
    Part,
    Portion,
    Purchase,
)
from hub.domain.receiver import Receiver
from portal.brand import wear
from portal.buyer.pages import Pages, message_page, words
from portal.buyer.settings import HomeLink, HomePart, Words, plain_home
from portal.design import made

Example = Callable[[Pages], str]


def _of(
    purchase: Purchase = made.OPEN, /, *, more: Mapping[str, Any] | None = None, **changes: Any
) -> Example:
    """The page of a purchase that differs from `purchase` in `changes`."""
    shown = replace(purchase, **changes)

    def page(pages: Pages) -> str:
        if shown.brand.name:
            wear(shown.brand)
        return pages.of(made.TOKEN, shown, **(more or {}))

    return page


def _review(pages: Pages) -> str:
    form = made.FORM
    clean = receptor.normalize(form.rfc, form.nombre, form.cp, form.regimen, form.uso)
    found = Receiver(clean, form.correo, ())
    return pages.review(made.TOKEN, made.OPEN, form, found)


def _several(pages: Pages) -> str:
    """A list of three, of which one cannot be invoiced with the others."""
    listed = tuple(
        Listed(str(number), made.OPEN.placed_at, made.OPEN.total, "MXN", None)
        for number in (1042, 1043, 1044)
    )
    return pages.render(
        "buyer/varias.html",
        made.TOKEN,
        made.OPEN,
        listed=listed,
        problem="Ya fue facturada.",
        problems=["", "", "Ya fue facturada."],
        typed={"codigo": "7KQ4", "total": ""},
        wrong={"codigo": "Escribe el código completo."},
        missed=[],
    )


def _divide(pages: Pages) -> str:
    portions = tuple(
        Portion(str(place), one.description, one.quantity, one.total, Decimal(0))
        for place, one in enumerate(made.OPEN.lines)
    )
    first = replace(portions[0], first=Decimal(1))
    draft = Draft((first, *portions[1:]), (Decimal("348.00"), Decimal("714.00")))
    shown = ["1", "0", "0"]
    page = "buyer/dividir.html"
    return pages.render(
        page, made.TOKEN, made.OPEN, draft=draft, first=shown, calculado="", problem=""
    )


def _parts(pages: Pages) -> str:
    shown = replace(
        made.OPEN,
        parts=(
            Part(1, Decimal("348.00"), Estado.ABIERTA, "una"),
            Part(2, Decimal("714.00"), Estado.LISTA, "otra"),
        ),
    )
    return pages.render("buyer/partes.html", made.TOKEN, shown, origin="https://example.com")


def _find(**more: Any) -> Example:
    given = {"seller": made.BRAND, "code": "", "total": "", "csrf_token": "", **more}
    worn = given["seller"] is not None
    return _template("buyer/facturar.html", brand_worn=worn, here=lambda *_, **__: "?", **given)


def _message(name: str) -> Example:
    return lambda _pages: message_page(name, 200)[0]


def _template(name: str, *, brand_worn: bool = False, **given: Any) -> Example:
    def page(_pages: Pages) -> str:
        if brand_worn:
            wear(made.BRAND)
        return flask.render_template(name, **given, **words())

    return page


def _home(_pages: Pages) -> str:
    parts = (
        HomePart(
            Words("Página y webhooks", "Page and webhooks"), Words("Responde", "Answers"), ok=True
        ),
        HomePart(Words("Trabajadores", "Workers"), Words("Ninguno", "None"), ok=False),
        HomePart(Words("Redis", "Redis"), Words("No hay", "None")),
    )
    links = (
        HomeLink(
            Words("Compra 1042", "Purchase 1042"), Words("$1,062.00", "$1,062.00"), "/f/ejemplo"
        ),
        HomeLink(Words("autofactura doctor", "autofactura doctor"), Words("Revisa", "Checks")),
    )
    home = replace(plain_home(), parts=parts, links=links)
    return flask.render_template("buyer/home.html", home=home, **words())


_ASKED = datetime(2026, 12, 2, 9, 0, tzinfo=made.ZONE)
_VENCIDA: Mapping[str, Any] = {
    "estado": Estado.VENCIDA,
    "deadline_at": datetime(2026, 11, 30, 23, 59, 59, tzinfo=made.ZONE),
}
_CORRECTED: Mapping[str, Any] = {"template": "buyer/corregir.html"}
_BACK: Mapping[str, Any] = {"start": "/connect/ejemplo", "again": ""}

EXAMPLES: Mapping[str, Example] = {
    "abierta": _of(),
    "abierta-de-prueba": _of(sandbox=True),
    "abierta-con-datos": _of(form=made.FORM),
    "abierta-con-errores": _of(form=made.FORM, errors=made.REFUSED, more={"errors": made.REFUSED}),
    "abierta-vieja": _of(form=made.FORM, more={"stale": True}),
    "abierta-hoy": _of(deadline_at=datetime(2026, 11, 20, 23, 59, 59, tzinfo=made.ZONE)),
    "abierta-de-marca": _of(brand=made.BRAND, joinable=True),
    "abierta-larga": _of(made.LONG),
    "abierta-devuelta-en-parte": _of(
        refunded=Decimal("116.00"), total=Decimal("946.00"), excluded=(("tip", Decimal(50)),)
    ),
    "rechazada": _of(
        estado=Estado.RECHAZADA, form=made.FORM, errors=made.REFUSED, more={"errors": made.REFUSED}
    ),
    "revisar": _review,
    "procesando": _of(estado=Estado.PROCESANDO),
    "procesando-guardada": _of(estado=Estado.PROCESANDO, reason=DOWN),
    "por-confirmar": _of(estado=Estado.POR_CONFIRMAR, masked_email="c•••@example.com"),
    "por-confirmar-sin-correo": _of(estado=Estado.POR_CONFIRMAR),
    "lista": _of(made.DONE),
    "lista-enviada": _of(made.DONE, more={"sent": True}),
    "lista-con-error": _of(
        made.DONE,
        more={
            "form": FiscalForm(correo="no es correo"),
            "errors": (
                FieldError("correo", "x", "Escribe un correo completo.", "Type an e-mail."),
            ),
        },
    ),
    "lista-con-notas": _of(made.DONE, notes=(made.NOTE, replace(made.NOTE, number=2))),
    "lista-por-cancelarse": _of(made.DONE, cancelling=True),
    "lista-larga": _of(
        made.LONG, estado=Estado.LISTA, uuid=made.UUID, issued_at=made.DONE.issued_at, sandbox=True
    ),
    "privacidad": _template("buyer/privacidad.html", brand_worn=True, brand=made.BRAND, back="?"),
    "lista-de-marca": _of(made.DONE, brand=made.BRAND),
    "lista-corregible": _of(made.DONE, corrections_left=2),
    "lista-pedida": _of(made.DONE, asked_at=_ASKED, asked_kind="correction"),
    "lista-respondida": _of(
        made.DONE, answer=Answer("declined", "Ya cerramos el mes.\nEscríbenos.", _ASKED, _ASKED)
    ),
    "corregir": _of(made.DONE, corrections_left=2, more={**_CORRECTED, "form": made.FORM}),
    "corregir-por-mensaje": _of(made.DONE, more=_CORRECTED),
    "facturada": _of(made.DONE, proven=False, uuid=None, masked_email=""),
    "facturada-con-error": _of(
        made.DONE, proven=False, uuid=None, masked_email="", more={"errors": made.WRONG_RFC}
    ),
    "varias": _several,
    "dividir": _divide,
    "partes": _parts,
    "varias-abierta": _of(made.JOINED),
    "facturar": _find(),
    "facturar-sin-comercio": _find(seller=None),
    "facturar-no-encontrada": _find(code="7KQ4-M2XD", total="1062", missed=True),
    "baja": _template("buyer/baja.html", brand_worn=True, merchant=made.BRAND.name, done=False),
    "baja-hecha": _template(
        "buyer/baja.html", brand_worn=True, merchant=made.BRAND.name, done=True
    ),
    "baja-desconocida": _message("baja_desconocida"),
    "vencida": _of(**_VENCIDA),
    "vencida-pedida": _of(**_VENCIDA, asked_at=_ASKED),
    "vencida-con-errores": _of(
        **_VENCIDA, form=made.FORM, more={"errors": made.REFUSED, "form": made.FORM}
    ),
    "en-global": _of(estado=Estado.EN_GLOBAL),
    "en-revision": _of(estado=Estado.EN_REVISION),
    "en-aclaracion": _of(estado=Estado.EN_REVISION, reason=HELD),
    **{
        f"cancelada-{reason or 'sin-motivo'}": _of(estado=Estado.CANCELADA, reason=reason)
        for reason in (
            "pending",
            "cancelled",
            "refunded",
            "invoice_cancelled",
            "barred",
            "free",
            "",
        )
    },
    "desconocida": _message("desconocida"),
    "demasiados": _message("demasiados"),
    "ocupado": _message("ocupado"),
    "falla": _message("falla"),
    "ajena": _message("ajena"),
    "rehusada": _message("rehusada"),
    "sin-documento": _message("sin_documento"),
    "inicio": _home,
    "tienda-esperando": _template("connect/espera.html", seconds=600, again="?"),
    "tienda": _template(
        "connect/tienda.html",
        title="Tienda",
        csrf_token="",
        code="",
        store_url="",
        app="",
        field_errors={},
        general_errors=(),
        apps={"a": "Tienda norte", "b": "Tienda sur"},
    ),
    **{
        f"tienda-{outcome}": _template("connect/vuelta.html", outcome=outcome, **_BACK)
        for outcome in ("connected", "waiting", "denied", "taken", "old")
    },
}
