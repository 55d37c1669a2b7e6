"""Countries by name, and the one that the browser's language suggests."""

from __future__ import annotations

from functools import cache

from babel import Locale
from flask import request

_NOT_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}  # groups and test codes of CLDR


@cache
def countries() -> list[tuple[str, str]]:
    """ISO 3166 code and English name, by name."""
    names = Locale("en").territories
    found = [
        (code, name)
        for code, name in names.items()
        if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
    ]
    return sorted(found, key=lambda pair: pair[1].casefold())


def chosen_country() -> str:
    """The territory of the preferred language (en-GB: GB); the United States otherwise."""
    for language, _quality in request.accept_languages:
        territory = language.replace("_", "-").rpartition("-")[2].upper()
        if "-" in language and territory in dict(countries()):
            return territory
    return "US"
