"""The hosted invoice and its PDF, seen with the link's token only."""

from __future__ import annotations

import re

import pytest
import requests
import stripe
from playwright.sync_api import expect

from storefront.fakestripe.browser.pdf import LETTER, Rule, Text, document, fitted, width
from tests.fakestripe.browser.hosted import Merchant, Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def paid(merchant: Merchant) -> stripe.Invoice:
    code = merchant.client.v1.coupons.create({"percent_off": 25, "duration": "once"}).id
    subscription = merchant.subscription(
        merchant.customer("pm_card_visa"), merchant.price(), discounts=[{"coupon": code}]
    )
    return merchant.client.v1.invoices.retrieve(str(subscription.latest_invoice))


@pytest.mark.always
def test_a_paid_invoice_shows_lines_and_sums(visitor: Visitor, paid: stripe.Invoice) -> None:
    visitor.opens(paid.hosted_invoice_url)
    visitor.sees_heading(f"Invoice {paid.number}")
    expect(visitor.page.get_by_text("Paid", exact=True)).to_be_visible()
    for name, amount in [
        ("Subtotal", "$20.00"), ("Discount", "-$5.00"), ("Total", "$15.00"),
        ("Amount paid", "-$15.00"), ("Amount due", "$0.00"),
    ]:  # fmt: skip
        row = visitor.page.get_by_role("row", name=re.compile(rf"^{name} "))
        expect(row).to_contain_text(amount)
    expect(visitor.page.get_by_role("button")).to_have_count(0)


def objects_of(pdf: bytes) -> dict[int, bytes]:
    """Read a PDF by its own table of places; fail where the table does not hold."""
    assert pdf.startswith(b"%PDF-1.4\n")
    assert pdf.endswith(b"%%EOF\n")
    table = int(pdf.rsplit(b"startxref\n", 1)[1].split()[0])
    head, entries = pdf[table:].split(b"\n", 2)[:2], pdf[table:].split(b"\n")
    assert head[0] == b"xref"
    count = int(head[1].split()[1])
    found = {}
    for number in range(1, count):
        entry = entries[2 + number]
        assert len(entry) == 19 and entry.endswith(b" 00000 n ")
        rest = pdf[int(entry[:10]) :]
        assert rest.startswith(b"%d 0 obj\n" % number)
        found[number] = rest[rest.index(b"\n") + 1 : rest.index(b"\nendobj\n")]
    assert b"/Size %d" % count in pdf[table:]
    return found


def streams_of(pdf: bytes) -> list[bytes]:
    """The contents of the pages; fail where a length is not true."""
    found = []
    for body in objects_of(pdf).values():
        if b"\nstream\n" in body:
            length = int(re.findall(rb"/Length (\d+)", body)[0])
            content = body.split(b"\nstream\n", 1)[1].removesuffix(b"\nendstream")
            assert len(content) == length
            found.append(content)
    return found


def test_the_pdf_says_the_same(paid: stripe.Invoice) -> None:
    answer = requests.get(str(paid.invoice_pdf), timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    (content,) = streams_of(answer.content)
    for text in (str(paid.number), "jenny@example.com", "$15.00 paid", "no money moved"):
        assert text.encode() in content, text


def test_an_invoice_is_shown_to_its_own_link_only(paid: stripe.Invoice) -> None:
    bare, _, _token = str(paid.hosted_invoice_url).partition("?")
    for address in (bare, f"{bare}?token=wrong", f"{bare}/pdf", f"{bare}/pdf?token=%C3%A9"):
        answer = requests.get(address, timeout=5)
        assert answer.status_code == 404
        assert "15.00" not in answer.text
    sent = requests.post(f"{bare}/pay?token=wrong", json={}, timeout=5)
    assert sent.json() == {"error": {"message": "There is no such invoice."}}


def test_text_is_escaped_and_what_the_font_lacks_is_marked() -> None:
    text = "Söhne (Ltd) \\ €5\n\x00 日"
    (content,) = streams_of(document([[Text(10, 20, text)]], "A (title)"))
    assert b"(S\xf6hne \\(Ltd\\) \\\\ \x805 ?) Tj" in content


def test_each_page_has_its_own_contents() -> None:
    pdf = document([[Text(10, 20, "one")], [Text(10, 20, "two"), Rule(10, 15, 40)]], "Two")
    first, second = streams_of(pdf)
    assert (b"(one)" in first, b"(two)" in second) == (True, True)
    pages = [body for body in objects_of(pdf).values() if b"/Type /Page " in body]
    assert len(pages) == 2
    assert all(b"/MediaBox [0 0 %d %d]" % LETTER in page for page in pages)


def test_widths_are_those_of_helvetica() -> None:
    assert width("$20.00", 10) == pytest.approx(5.56 * 5 + 2.78)
    assert fitted("short", 10, 100) == "short"
    cut = fitted("a long description " * 10, 10, 100)
    assert cut.endswith("…")
    assert width(cut, 10) <= 100
