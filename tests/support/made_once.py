"""What every app would make anew, made once for all the apps of a process: compiled templates,
compiled SQL, and what builds URLs. A run makes thousands of apps."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from werkzeug.routing import Rule

from storefront.db import db


class CompiledOnce(BytecodeCache):
    """Templates compiled by one app, for all the others."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = CompiledOnce()
ENGINES: dict[str, Engine] = {}
"""Of each kind of database, the engine whose statements the others take."""


def share(app: Flask) -> Flask:
    """Give an app what other apps have made already."""
    app.jinja_env.bytecode_cache = TEMPLATES
    with app.app_context():
        _share_statements(db.engine)
    return app


def _share_statements(engine: Engine) -> None:
    """SQLAlchemy keeps compiled statements by dialect, so both are shared; a dialect only once it
    has seen a server, which is when it learns what that can do."""
    first = ENGINES.get(engine.dialect.name)
    if first is None or first.dialect.server_version_info is None:
        ENGINES[engine.dialect.name] = engine
        return
    engine.dialect = engine.pool._dialect = first.dialect
    engine._compiled_cache = first._compiled_cache


def build_urls_late() -> None:
    """Compile what builds the URLs of a route when the first one is built: Werkzeug does it for all
    routes at the start, which is most of what an app takes to make, and few tests ask for many."""
    compile_builder = Rule._compile_builder

    def late(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        made: list[Callable[..., Any]] = []

        def build(of: Rule, *values: Any, **named: Any) -> Any:
            if not made:
                made.append(compile_builder(rule, append_unknown))
            return made[0](of, *values, **named)

        return build

    Rule._compile_builder = late
