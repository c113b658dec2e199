"""Files made to harm: each gets a name in bounded time and memory, and no data of anybody's."""

from __future__ import annotations

import io
import re
import resource
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from typing import Any

import pypdf
import pytest
import segno
from PIL import Image
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from cfdi.constancia import Constancia, ConstanciaRefused, child, read, read_photo, reading
from cfdi.constancia.refusals import REFUSALS

Make = Callable[..., bytes]
#: As promised; conftest.py gives the tests more, for machines that run many of them.
SECONDS = reading.SECONDS
VALIDATOR = "https://siat.sat.gob.mx/app/qr/faces/pages/mobile/validadorqr.jsf?D1=10&D2=1&D3="


def refused(data: bytes, reading_of: Callable[[bytes], Constancia] = read) -> str:
    before = _spent_by_children()
    with pytest.raises(ConstanciaRefused) as caught:
        reading_of(data)
    # The system looks once a second at most; a process is ended at the next look.
    assert _spent_by_children() - before < child.CPU_SECONDS + 1
    assert caught.value.message_es
    assert caught.value.message_en == str(caught.value)
    return caught.value.code


def _spent_by_children() -> float:
    """Seconds of the processor, of processes that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def said_of(data: bytes) -> Constancia | str:
    try:
        return read(data)
    except ConstanciaRefused as refusal:
        return refusal.code


def pdf(*objects: bytes, root: str = "1 0 R", trailer: bytes = b"") -> bytes:
    """A PDF from its objects, numbered from 1, with a right cross-reference table."""
    out, places = b"%PDF-1.7\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    size = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    out += b"trailer\n<</Size %d /Root %s %s>>\n" % (size, root.encode(), trailer)
    return out + b"startxref\n%d\n%%%%EOF\n" % start


CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


def page(more: bytes = b"/Contents 4 0 R") -> bytes:
    return b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]%s>>" % more


def stream(data: bytes, dictionary: bytes = b"") -> bytes:
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(data), dictionary, data)


def squeezed(data: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        data = zlib.compress(data, 9)
    return stream(data, b"/Filter[%s]" % (b"/FlateDecode" * times))


FONT = b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
ZEROS = b"\x00" * 40_000_000
HOSTILE: dict[str, tuple[set[str], Callable[[], bytes]]] = {
    "empty": ({"empty"}, lambda: b""),
    "not a PDF": ({"not_a_pdf"}, lambda: b"PK\x03\x04 a Word document" * 20),
    "HTML": ({"not_a_pdf"}, lambda: b"<html>" + b" " * 2000 + b"%PDF-1.7"),
    "huge": ({"too_large"}, lambda: b"%PDF-1.7" + b"0" * reading.LARGEST),
    "header alone": ({"damaged"}, lambda: b"%PDF-1.7\n"),
    "noise": ({"damaged"}, lambda: b"%PDF-1.7\n" + bytes(range(256)) * 400),
    "no pages": (
        {"damaged"},
        lambda: pdf(CATALOG, b"<</Type/Pages/Kids[]/Count 0>>"),
    ),
    "root is a number": ({"damaged"}, lambda: pdf(b"7")),
    "no text": ({"image_only"}, lambda: pdf(CATALOG, PAGES, page(), stream(b"q Q"))),
    "page tree in a circle": (
        {"damaged", "too_many_pages", "too_complex"},
        lambda: pdf(CATALOG, b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2/Parent 2 0 R>>"),
    ),
    "parent in a circle": (
        {"damaged", "image_only", "too_complex"},
        lambda: pdf(CATALOG, PAGES, b"<</Type/Page/Parent 3 0 R/Contents 4 0 R>>", stream(b"q Q")),
    ),
    "references in a circle": (
        {"damaged", "image_only", "too_complex"},
        lambda: pdf(CATALOG, PAGES, page(), b"5 0 R", b"4 0 R"),
    ),
    "cross-reference in a circle": (
        {"damaged", "image_only", "too_complex"},
        lambda: pdf(CATALOG, PAGES, page(b""), trailer=b"/Prev 9"),
    ),
    "form that draws itself": (
        {"image_only", "damaged", "too_complex"},
        lambda: pdf(
            CATALOG,
            PAGES,
            page(b"/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>"),
            stream(b"/X Do " * 50),
            stream(
                b"/X Do /X Do",
                b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>",
            ),
        ),
    ),
    "bomb": ({"too_complex"}, lambda: pdf(CATALOG, PAGES, page(), squeezed(ZEROS))),
    "bomb in a bomb": ({"too_complex"}, lambda: pdf(CATALOG, PAGES, page(), squeezed(ZEROS, 2))),
    "bomb without an end": (
        {"too_complex", "damaged", "image_only"},
        lambda: pdf(
            CATALOG,
            PAGES,
            page(),
            stream(zlib.compress(ZEROS, 9)[:-40], b"/Filter/FlateDecode"),
        ),
    ),
    "image as a bomb": (
        {"image_only", "too_complex"},
        lambda: pdf(
            CATALOG,
            PAGES,
            page(b"/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>"),
            stream(b"/X Do"),
            stream(
                zlib.compress(ZEROS, 9),
                b"/Type/XObject/Subtype/Image/Width 30000/Height 30000/BitsPerComponent 8"
                b"/ColorSpace/DeviceRGB/Filter/FlateDecode",
            ),
        ),
    ),
    "endless drawing": (
        {"too_complex"},
        lambda: pdf(CATALOG, PAGES, page(), squeezed(b"1 0 0 1 0 0 cm " * 1_000_000)),
    ),
    "endless text": (
        {"too_complex"},
        lambda: pdf(
            CATALOG,
            PAGES,
            page(b"/Contents 4 0 R" + FONT),
            squeezed(b"BT /F 9 Tf " + b"(RFC: Nombre (s) Regimen) Tj T* " * 60_000 + b"ET"),
        ),
    ),
    "nested without end": (
        {"damaged", "too_complex", "image_only"},
        lambda: pdf(CATALOG, PAGES, page(), b"[" * 200_000),
    ),
    "a book": (
        {"too_many_pages"},
        lambda: pdf(CATALOG, b"<</Type/Pages/Kids[%s]/Count 60>>" % (b"3 0 R " * 60), page(b"")),
    ),
    "many pages": (
        {"too_many_pages"},
        lambda: pdf(
            CATALOG, b"<</Type/Pages/Kids[%s]/Count 50000>>" % (b"3 0 R " * 50_000), page(b"")
        ),
    ),
    "many objects": (
        {"too_many_pages", "too_complex"},
        lambda: pdf(
            CATALOG,
            b"<</Type/Pages/Kids[%s]/Count 20000>>"
            % b" ".join(b"%d 0 R" % number for number in range(3, 20_003)),
            *[page(b"")] * 20_000,
        ),
    ),
    "a lie about the pages": (
        {"image_only", "too_many_pages", "damaged"},
        lambda: pdf(CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 999999999>>", page(b"")),
    ),
    "a filter nobody knows": (
        {"damaged"},
        lambda: pdf(CATALOG, PAGES, page(), stream(b"x", b"/Filter/Nobody")),
    ),
    "another paper": (
        {"not_a_constancia"},
        lambda: pdf(
            CATALOG,
            PAGES,
            page(b"/Contents 4 0 R" + FONT),
            stream(b"BT /F 9 Tf (RFC: EKU9003173C9 recibo de luz) Tj ET"),
        ),
    ),
    "a paper without an RFC": (
        {"rfc_not_found"},
        lambda: pdf(
            CATALOG,
            PAGES,
            page(b"/Contents 4 0 R" + FONT),
            stream(b"BT /F 9 Tf (CONSTANCIA DE SITUACION FISCAL RFC: XAXX010101000) Tj ET"),
        ),
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_each_is_refused_by_name_and_in_time(name: str) -> None:
    codes, make = HOSTILE[name]
    assert refused(make()) in codes


def test_a_file_cut_off_is_read_whole_or_refused(constancia: Make) -> None:
    whole = constancia()
    expected = read(whole)
    for tenths in range(1, 10, 2):
        said = said_of(whole[: len(whole) * tenths // 10])
        assert said == expected or said in {"damaged", "image_only", "too_complex"}


def test_bytes_of_another_kind_in_the_middle(constancia: Make) -> None:
    whole = bytearray(constancia())
    middle = len(whole) // 2
    whole[middle : middle + 400] = b"\xff" * 400
    said = said_of(bytes(whole))
    if isinstance(said, Constancia):
        assert said.rfc == "EKU9003173C9"
    else:
        assert said in {"damaged", "too_complex", "image_only", "not_a_constancia"}


def _javascript(writer: pypdf.PdfWriter) -> None:
    script = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("x()")}
    )
    named = DictionaryObject({NameObject("/Names"): ArrayObject([TextStringObject("x"), script])})
    writer._root_object[NameObject("/Names")] = writer._add_object(
        DictionaryObject({NameObject("/JavaScript"): named})
    )


def _javascript_at_once(writer: pypdf.PdfWriter) -> None:
    writer._root_object[NameObject("/OpenAction")] = writer._add_object(
        DictionaryObject(
            {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("x")}
        )
    )


def _opens_a_program(writer: pypdf.PdfWriter) -> None:
    writer._root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("sh")}
    )


def _attachment(writer: pypdf.PdfWriter) -> None:
    writer.add_attachment("x.exe", b"MZ")


def _collection(writer: pypdf.PdfWriter) -> None:
    writer._root_object[NameObject("/Collection")] = DictionaryObject()


def _program_in_a_link(writer: pypdf.PdfWriter) -> None:
    action = DictionaryObject({NameObject("/S"): NameObject("/JavaScript")})
    link = DictionaryObject({NameObject("/Subtype"): NameObject("/Link"), NameObject("/A"): action})
    writer.pages[0][NameObject("/Annots")] = ArrayObject([link])


def _when_a_page_opens(writer: pypdf.PdfWriter) -> None:
    writer.pages[0][NameObject("/AA")] = DictionaryObject()


@pytest.mark.parametrize(
    "carry",
    [
        _javascript,
        _javascript_at_once,
        _opens_a_program,
        _attachment,
        _collection,
        _program_in_a_link,
        _when_a_page_opens,
    ],
)
def test_what_carries_programs_or_files_is_refused(
    constancia: Make, rewriting: Any, carry: Callable[[pypdf.PdfWriter], None]
) -> None:
    opened = rewriting(constancia())
    carry(opened.writer)
    assert refused(opened.saved()) == "active_content"


def test_a_link_to_a_page_of_the_web_is_harmless(constancia: Make, rewriting: Any) -> None:
    opened = rewriting(constancia())
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/URI"), NameObject("/URI"): TextStringObject("https://x")}
    )
    link = DictionaryObject({NameObject("/Subtype"): NameObject("/Link"), NameObject("/A"): action})
    opened.writer.pages[0][NameObject("/Annots")] = ArrayObject([link])
    assert read(opened.saved()).rfc == "EKU9003173C9"


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_password_is_told(constancia: Make, rewriting: Any, algorithm: str) -> None:
    opened = rewriting(constancia())
    opened.writer.encrypt("secreta", algorithm=algorithm)
    assert refused(opened.saved()) == "encrypted"


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_what_opens_without_a_password_is_read(
    constancia: Make, rewriting: Any, algorithm: str
) -> None:
    opened = rewriting(constancia())
    opened.writer.encrypt("", "of the owner", algorithm=algorithm)
    assert read(opened.saved()).nombre == "ESCUELA KEMPER URGATE"


@pytest.mark.parametrize(
    "change",
    [
        {"qr": f"{VALIDATOR}12345678901_IIA040805DZ4"},
        {"qr": f"{VALIDATOR}99999999999_EKU9003173C9"},
        {"rfc_of_the_seal": "IIA040805DZ4"},
    ],
    ids=["another RFC in the QR", "another idCIF in the QR", "another RFC in the seal"],
)
def test_a_paper_that_contradicts_itself_is_refused(
    constancia: Make, change: dict[str, str]
) -> None:
    assert refused(constancia(**change)) == "contradicts_itself"


def test_another_code_is_not_taken_for_the_validator(constancia: Make) -> None:
    made = read(constancia(qr="https://example.com/?D3=12345678901_IIA040805DZ4"))
    assert (made.rfc, made.qr_agrees) == ("EKU9003173C9", False)


def _code(text: str, kind: str = "png", scale: int = 6) -> bytes:
    drawn, saved = io.BytesIO(), io.BytesIO()
    segno.make(text).save(drawn, kind="png", scale=scale)
    Image.open(drawn).convert("RGB").save(saved, format=kind)
    return saved.getvalue()


SATS = f"{VALIDATOR}12345678901_EKU9003173C9"


def test_a_scan_gives_what_its_code_says() -> None:
    scan = io.BytesIO()
    Image.open(io.BytesIO(_code(SATS))).save(scan, format="pdf")
    said = read(scan.getvalue())
    assert said == Constancia("EKU9003173C9", "12345678901", qr_agrees=True)


def test_a_scan_without_a_code_is_told() -> None:
    scan = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(scan, format="pdf")
    assert refused(scan.getvalue()) == "image_only"


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_photo_gives_rfc_and_id(kind: str) -> None:
    said = read_photo(_code(SATS, kind))
    assert said == Constancia("EKU9003173C9", "12345678901", qr_agrees=True)


def test_a_photo_of_the_size_of_a_telephone() -> None:
    photo = Image.effect_noise((4000, 3000), 30).convert("RGB")
    turned = Image.open(io.BytesIO(_code(SATS, scale=12))).convert("RGB")
    photo.paste(turned.rotate(8, expand=True, fillcolor="white"), (1800, 900))
    saved = io.BytesIO()
    photo.save(saved, format="jpeg", quality=60)
    assert read_photo(saved.getvalue()).rfc == "EKU9003173C9"


def _png_of(width: int, height: int) -> bytes:
    saved = io.BytesIO()
    Image.new("1", (width, height)).save(saved, format="png")
    return saved.getvalue()


@pytest.mark.parametrize(
    ("codes", "photo"),
    [
        ({"empty"}, lambda: b""),
        ({"too_large"}, lambda: b"\xff\xd8" + b"0" * reading.LARGEST),
        ({"not_a_photo"}, lambda: b"no photo"),
        ({"not_a_photo"}, lambda: _code(SATS, "gif")),
        ({"not_a_photo"}, lambda: _code(SATS, "jpeg")[:900]),
        ({"too_large"}, lambda: _png_of(20_000, 20_000)),
        ({"no_qr"}, lambda: _png_of(300, 300)),
        ({"no_qr"}, lambda: _code("https://example.com/")),
        ({"no_qr"}, lambda: _code("https://siat.sat.gob.mx/")),
    ],
    ids=["empty", "huge", "text", "gif", "cut off", "bomb", "blank", "another QR", "another page"],
)
def test_photos_that_are_refused(codes: set[str], photo: Callable[[], bytes]) -> None:
    assert refused(photo(), read_photo) in codes


def test_two_codes_of_two_holders_in_one_photo() -> None:
    sheet = Image.new("RGB", (1200, 600), "white")
    for place, rfc in ((10, "EKU9003173C9"), (610, "IIA040805DZ4")):
        one = Image.open(io.BytesIO(_code(f"{VALIDATOR}12345678901_{rfc}")))
        sheet.paste(one, (place, 20))
    saved = io.BytesIO()
    sheet.save(saved, format="png")
    assert refused(saved.getvalue(), read_photo) == "contradicts_itself"


def _python(code: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, timeout=600, check=False
    )


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: only Linux bounds address space")
def test_the_process_has_no_more_memory_than_promised() -> None:
    assert child.MEMORY <= 150 * 1024 * 1024
    done = _python(
        "from cfdi.constancia import child, pages; child.confine()\n"
        f"try: bytearray({child.MEMORY - 40_000_000})\n"
        "except MemoryError: print('refused')\n"
    )
    assert done.stdout == b"refused\n", done.stderr


def test_the_process_ends_itself_where_the_system_does_not() -> None:
    done = _python(
        "import time; from cfdi.constancia import child; child.watch_memory()\n"
        "held = [bytes([1]) * 10_000_000 for _ in range(40)]; time.sleep(600)"
    )
    assert done.returncode == child.OUT_OF_MEMORY


def test_the_process_has_no_more_time_than_promised() -> None:
    assert child.CPU_SECONDS < SECONDS <= 3
    before = _spent_by_children()
    done = _python("from cfdi.constancia import child; child.confine()\nwhile True: pass")
    assert done.returncode < 0
    assert _spent_by_children() - before < child.CPU_SECONDS + 1


def test_the_process_writes_no_files_and_starts_no_programs(tmp_path: Any) -> None:
    done = _python(
        "from cfdi.constancia import child; child.confine()\n"
        f"open({str(tmp_path / 'x')!r}, 'wb', 0).write(b'x')"
    )
    assert done.returncode
    assert not (tmp_path / "x").read_bytes()


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, constancia: Make) -> None:
    """As one that waits, and so uses no processor time."""
    real = subprocess.Popen
    started: list[subprocess.Popen[bytes]] = []

    def hanging(command: list[str], **more: Any) -> subprocess.Popen[bytes]:
        assert more["env"] == {}  # no keys of ours
        waits = [command[0], "-I", "-c", "import time; time.sleep(3600)"]
        started.append(real(waits, **more))
        return started[-1]

    made = constancia()
    monkeypatch.setattr(reading.subprocess, "Popen", hanging)
    monkeypatch.setattr(reading, "SECONDS", 0.5)
    assert refused(made) == "busy"
    assert started[0].returncode == -signal.SIGKILL, "it would wait for an hour"


@pytest.mark.parametrize("answer", ["", "{", "[]", '{"read": 1}', '{"read": {"rfc": "X"}}', "7"])
def test_an_answer_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, constancia: Make, answer: str
) -> None:
    real = subprocess.Popen

    def saying(command: list[str], **more: Any) -> subprocess.Popen[bytes]:
        return real([command[0], "-I", "-c", f"print({answer!r})"], **more)

    monkeypatch.setattr(reading.subprocess, "Popen", saying)
    assert refused(constancia()) == "damaged"


def test_many_at_once_take_turns(constancia: Make) -> None:
    made = constancia()
    said: list[str] = []

    def one() -> None:
        try:
            said.append(read(made).rfc)
        except ConstanciaRefused as refusal:
            said.append(refusal.code)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 6
    assert set(said) <= {"EKU9003173C9", "busy"}
    assert "EKU9003173C9" in said


def test_who_finds_no_seat_is_told(monkeypatch: pytest.MonkeyPatch, constancia: Make) -> None:
    taken = threading.BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(reading, "_SEATS", taken)
    monkeypatch.setattr(reading, "_SECONDS_FOR_A_SEAT", 0.05)
    made = constancia()
    assert refused(made) == "busy"
    taken.release()
    assert read(made).rfc == read(made).rfc == "EKU9003173C9"  # each gives its seat back
    assert refused(b"%PDF-1.7") == "damaged"
    assert read(made).rfc == "EKU9003173C9"


def test_the_messages_repeat_nothing_and_offer_the_form() -> None:
    for code in REFUSALS:
        refusal = ConstanciaRefused(code)
        assert "formulario" in refusal.message_es
        assert not re.search(r"[A-Z&Ñ]{3,4}\d{6}", refusal.message_es + refusal.message_en)
