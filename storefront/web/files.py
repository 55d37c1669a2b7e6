"""The files that pages load: style sheets, scripts, pictures. They are served from memory before
Flask is asked, compressed for browsers that take that, and under addresses that change with their
content, so that browsers may keep them for ever.

Pages are never compressed here: in one that holds a token beside what others can put into it, the
length of the answer would give the token away, letter by letter (the attack called BREACH).
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.http import parse_accept_header

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, max-age=60"
"""For addresses that do not change with the content."""

VERSION_LENGTH = 12
SMALLEST_PACKED_BYTES = 512
BOOTSTRAP = "css/bootstrap.min.css"
"""All that is used of it."""


def register(app: Flask) -> None:
    """Serve our files and Bootstrap's style sheet, and have url_for() name their version. While
    somebody works on them (flask run --debug) Flask serves them as they are."""
    if app.debug:
        return
    files = Files(app.wsgi_app, _found(app))
    app.wsgi_app = files  # type: ignore[method-assign]

    @app.url_defaults
    def name_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint in ("static", "bootstrap.static") and "filename" in values:
            values["filename"] = f"{files.version}/{values['filename']}"


def _found(app: Flask) -> dict[tuple[str, str], Path]:
    """By the address of a folder and the name in it."""
    ours, theirs = Path(str(app.static_folder)), app.blueprints["bootstrap"]
    names = (path.relative_to(ours).as_posix() for path in ours.rglob("*") if path.is_file())
    found = {(str(app.static_url_path), name): ours / name for name in names}
    address = f"{theirs.url_prefix or ''}{theirs.static_url_path}"
    return found | {(address, BOOTSTRAP): Path(str(theirs.static_folder), BOOTSTRAP)}


class File:
    """One file as it is sent."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if self.type.startswith("text/"):
            self.type += "; charset=utf-8"
        self.tag = f'W/"{hashlib.sha256(self.content).hexdigest()[:16]}"'

    @cached_property
    def packed(self) -> bytes | None:
        """Compressed at the first request for it; None where that saves nothing."""
        if len(self.content) < SMALLEST_PACKED_BYTES:
            return None
        packed = gzip.compress(self.content, 9, mtime=0)
        return packed if len(packed) < len(self.content) else None


class Files:
    """Answers GET and HEAD for these files; everything else is the application's."""

    def __init__(self, app: "WSGIApplication", paths: Mapping[tuple[str, str], Path]) -> None:
        self._app = app
        files = {key: File(path) for key, path in sorted(paths.items())}
        self.version = _version(files)
        self._files: dict[str, tuple[File, str]] = {}
        for (folder, name), file in files.items():
            self._files[f"{folder}/{name}"] = (file, ASK_AGAIN)
            self._files[f"{folder}/{self.version}/{name}"] = (file, FOR_EVER)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        found = self._files.get(environ.get("PATH_INFO", ""))
        if found is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._app(environ, start_response)
        return _answer(environ, start_response, *found)


def _version(files: Mapping[tuple[str, str], File]) -> str:
    """One for all of them: scripts import each other by relative addresses."""
    digest = hashlib.sha256()
    for key, file in files.items():
        digest.update(f"{key} {file.tag}\n".encode())
    return digest.hexdigest()[:VERSION_LENGTH]


def _answer(
    environ: "WSGIEnvironment", start_response: "StartResponse", file: File, kept: str
) -> list[bytes]:
    headers = [("Cache-Control", kept), ("ETag", file.tag), ("Vary", "Accept-Encoding")]
    if file.tag in environ.get("HTTP_IF_NONE_MATCH", ""):
        start_response(_line(HTTPStatus.NOT_MODIFIED), headers)
        return []
    packed = file.packed if _takes_gzip(environ) else None
    if packed is not None:
        headers.append(("Content-Encoding", "gzip"))
    content = file.content if packed is None else packed
    headers += [("Content-Type", file.type), ("Content-Length", str(len(content)))]
    start_response(_line(HTTPStatus.OK), headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


def _takes_gzip(environ: "WSGIEnvironment") -> bool:
    return parse_accept_header(environ.get("HTTP_ACCEPT_ENCODING", ""))["gzip"] > 0


def _line(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"
