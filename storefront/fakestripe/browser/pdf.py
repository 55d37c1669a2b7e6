"""A small PDF writer: text in Helvetica on A4 or US Letter pages, after ISO 32000-1.

Only what an invoice needs: the standard fonts need not be embedded, and their encoding
(Windows-1252) holds the signs of the common currencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LETTER = (612, 792)  # points of 1/72 inch
ENCODING = "cp1252"
_FONTS = ("Helvetica", "Helvetica-Bold")
# Adobe's widths of Helvetica from space to tilde, in thousandths of the size.
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_OTHER_WIDTH = 556  # of what is not ASCII: about a letter
_BOLD_FACTOR = 1.09  # letters of Helvetica-Bold are about that much wider, digits are not


@dataclass(frozen=True)
class Text:
    """One piece of text: its place in points from the lower left, its size and its weight.

    With `right`, x is where the text ends.
    """

    x: float
    y: float
    text: str
    size: float = 10
    bold: bool = False
    right: bool = False


@dataclass(frozen=True)
class Rule:
    """A thin horizontal line."""

    x: float
    y: float
    width: float


def width(text: str, size: float, bold: bool = False) -> float:
    """Return how wide a text is, in points; exact for regular ASCII."""
    units = sum(
        _WIDTHS[ord(sign) - 32] if 32 <= ord(sign) <= 126 else _OTHER_WIDTH for sign in text
    )
    letters = any(sign.isalpha() for sign in text)
    return units * size / 1000 * (_BOLD_FACTOR if bold and letters else 1)


def fitted(text: str, size: float, room: float) -> str:
    """Return the text, shortened with an ellipsis where it is wider than `room` points."""
    if width(text, size) <= room:
        return text
    while text and width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def document(pages: Sequence[Sequence[Text | Rule]], title: str) -> bytes:
    """Return a PDF with one page per sequence; signs that its fonts lack become `?`."""
    kids = [5 + len(_FONTS) - 1 + 2 * number for number in range(len(pages))]
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (en-US) /ViewerPreferences << /DisplayDocTitle true"
        b" >> >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (len(pages), b" ".join(b"%d 0 R" % kid for kid in kids)),
        b"<< /Title %s /Producer (fakestripe) >>" % _string(title),
    ]
    for name in _FONTS:
        objects.append(
            b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
            % name.encode()
        )
    for page, kid in zip(pages, kids, strict=True):
        objects.append(_page(kid + 1))
        objects.append(_stream(page))
    return _file(objects)


def _page(contents: int) -> bytes:
    fonts = b" ".join(b"/F%d %d 0 R" % (number, 4 + number) for number in range(len(_FONTS)))
    return (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << /Font << %s >> >>"
        b" /Contents %d 0 R >>" % (*LETTER, fonts, contents)
    )


def _stream(marks: Sequence[Text | Rule]) -> bytes:
    drawn = b"\n".join(_drawn(mark) for mark in marks)
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn)


def _drawn(mark: Text | Rule) -> bytes:
    if isinstance(mark, Rule):
        return b"0.75 G 0.5 w %.2f %.2f m %.2f %.2f l S" % (
            mark.x, mark.y, mark.x + mark.width, mark.y,
        )  # fmt: skip
    x = mark.x - width(mark.text, mark.size, mark.bold) if mark.right else mark.x
    return b"BT /F%d %.2f Tf %.2f %.2f Td %s Tj ET" % (
        mark.bold, mark.size, x, mark.y, _string(mark.text),
    )  # fmt: skip


def _string(text: str) -> bytes:
    """A literal string: parentheses and backslashes escaped, control characters left out."""
    printable = "".join(sign for sign in text.replace("\xa0", " ") if sign.isprintable())
    encoded = printable.encode(ENCODING, "replace")
    for special in (b"\\", b"(", b")"):
        encoded = encoded.replace(special, b"\\" + special)
    return b"(" + encoded + b")"


def _file(objects: list[bytes]) -> bytes:
    """Number the objects and add the table of their places."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table,
    )  # fmt: skip
    return bytes(out)
