"""Why a file does not fill the form, in words for the person who gave it."""

from __future__ import annotations

from typing import Final

_TYPE_IT: Final = "También puedes escribir tus datos en el formulario."
_TYPE_IT_EN: Final = "The data can be typed into the form as well."

#: Code → Spanish, English. Codes are stable.
REFUSALS: Final[dict[str, tuple[str, str]]] = {
    "empty": ("El archivo está vacío.", "The file is empty."),
    "too_large": (
        "El archivo es demasiado grande: una constancia del SAT pesa mucho menos de 5 MB.",
        "The file is too large: SAT's papers have far less than 5 MB.",
    ),
    "not_a_pdf": (
        "Este archivo no es un PDF. Elige el PDF que descargaste del SAT.",
        "This file is not a PDF. Choose the PDF that was downloaded from SAT.",
    ),
    "encrypted": (
        "El PDF pide una contraseña. Elige el que descargaste del SAT, sin contraseña.",
        "The PDF asks for a password. Choose the one downloaded from SAT, without a password.",
    ),
    "damaged": (
        "El PDF está incompleto o dañado. Descárgalo otra vez del SAT.",
        "The PDF is incomplete or damaged. Download it again from SAT.",
    ),
    "image_only": (
        "El PDF es una imagen sin texto ni código QR legible. Elige el que descargaste del SAT.",
        "The PDF is an image without text or a legible QR. Choose the one downloaded from SAT.",
    ),
    "active_content": (
        "El PDF lleva programas o archivos adjuntos, y los del SAT no. No se abrió.",
        "The PDF carries programs or attachments, which SAT's never do. It was not opened.",
    ),
    "too_many_pages": (
        "El PDF tiene demasiadas páginas para ser una constancia del SAT.",
        "The PDF has too many pages to be one of SAT's.",
    ),
    "too_complex": (
        "El PDF es demasiado complicado para leerlo. Descárgalo otra vez del SAT.",
        "The PDF is too complicated to be read. Download it again from SAT.",
    ),
    "not_a_constancia": (
        "El PDF no es una Constancia de Situación Fiscal ni una Cédula de Datos Fiscales.",
        "The PDF is neither a Constancia de Situación Fiscal nor a Cédula de Datos Fiscales.",
    ),
    "rfc_not_found": (
        "No encontramos un RFC en el documento.",
        "No RFC was found in the document.",
    ),
    "contradicts_itself": (
        "El documento dice un RFC en un lugar y otro en otro. Descárgalo otra vez del SAT.",
        "The document says one RFC in one place and another elsewhere. Download it again from SAT.",
    ),
    "not_a_photo": (
        "No pudimos abrir la foto. Usa una imagen JPG, PNG o WebP.",
        "The photo cannot be opened. Use a JPG, PNG or WebP image.",
    ),
    "no_qr": (
        "No se ve en la imagen un código QR del SAT. Acércate más, con buena luz y sin reflejos.",
        "No QR code of SAT's is seen in the image. Come closer, in good light, without glare.",
    ),
    "busy": (
        "Hay muchas lecturas en curso. Inténtalo en un momento.",
        "Many papers are being read. Try again in a moment.",
    ),
}


class ConstanciaRefused(ValueError):
    """Nothing could be read. `code` is stable; the messages repeat nothing of the file."""

    def __init__(self, code: str) -> None:
        spanish, english = REFUSALS[code]
        self.code = code
        self.message_es = f"{spanish} {_TYPE_IT}"
        self.message_en = f"{english} {_TYPE_IT_EN}"
        super().__init__(self.message_en)
