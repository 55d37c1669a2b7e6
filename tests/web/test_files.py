"""The files that pages load: small on the way, and kept by browsers until they change."""

import gzip
import re

from flask.testing import FlaskClient

from storefront.config import ROOT
from storefront.web.files import FOR_EVER


def files_of(client: FlaskClient, path: str = "/") -> list[str]:
    """What a page loads from us."""
    return re.findall(r'(?:href|src)="(/(?:static|bootstrap)/[^"]+)"', client.get(path).text)


def test_what_a_page_loads_is_kept_for_ever(client: FlaskClient) -> None:
    addresses = files_of(client)
    assert len(addresses) >= 4
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["Cache-Control"] == FOR_EVER, address
        assert answer.headers["X-Content-Type-Options"] == "nosniff", address


def test_addresses_change_with_what_is_in_the_files(client: FlaskClient) -> None:
    [sheet] = [it for it in files_of(client) if it.endswith("storefront.css")]
    version = sheet.split("/")[2]
    assert re.fullmatch(r"[0-9a-f]{12}", version)
    assert client.get(sheet).data == (ROOT / "static/css/storefront.css").read_bytes()
    stale = client.get(sheet.replace(version, "0" * 12))
    assert stale.status_code == 404, "a version that is not ours must not be kept as if it were"
    plain = client.get("/static/css/storefront.css")
    assert plain.status_code == 200
    assert "immutable" not in plain.headers["Cache-Control"]


def test_they_are_packed_for_who_unpacks_them(client: FlaskClient) -> None:
    [sheet] = [it for it in files_of(client) if it.endswith("bootstrap.min.css")]
    whole = client.get(sheet)
    packed = client.get(sheet, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    refused = client.get(sheet, headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == whole.data == refused.data
    assert len(packed.data) < len(whole.data) / 5
    assert {whole.headers["Vary"], packed.headers["Vary"]} == {"Accept-Encoding"}


def test_who_has_a_file_already_is_told_so(client: FlaskClient) -> None:
    first = client.get("/static/js/theme.js")
    again = client.get("/static/js/theme.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/static/js/theme.js", headers={"If-None-Match": 'W/"another"'})
    assert other.data == first.data
    head = client.head("/static/js/theme.js")
    assert (head.data, head.headers["Content-Length"]) == (b"", str(len(first.data)))


def test_pages_are_never_packed(client: FlaskClient) -> None:
    page = client.get("/login", headers={"Accept-Encoding": "gzip"})
    assert "csrf_token" in page.text
    assert "Content-Encoding" not in page.headers
