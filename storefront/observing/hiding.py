"""What no log and no report may show, wherever it comes from: addresses of customers, keys,
secrets, and passwords in URLs."""

import re

EMAIL = re.compile(r"(?<![\w.+'%-])[\w.+'%-]++@[\w-]++(?:\.[\w-]+)+")
"""Tried once for each word, and without going back: anybody may send a long one."""

PASSWORD_IN_URL = re.compile(r"(?<=://)[^/\s:@]*:[^/\s]+@")
SECRET = re.compile(
    r"\b((?:sk|rk)_(?:live|test)_|whsec_|(?:pi|seti|cs|src)_\w+?_secret_|Bearer )[\w.-]+"
    r"|(\$argon2id?\$)[^\s'\"]+"
)
SIGNS_OF_A_SECRET = ("sk_", "rk_", "whsec_", "_secret_", "Bearer ", "$argon2")


def is_suspicious(text: str) -> bool:
    """False when hidden() has nothing to do, which is the rule."""
    return "@" in text or any(sign in text for sign in SIGNS_OF_A_SECRET)


def hidden(text: str) -> str:
    """The text with everything masked that is nobody's business."""
    if "@" in text:
        text = EMAIL.sub("[e-mail]", PASSWORD_IN_URL.sub("[password]@", text))
    return without_secrets(text)


def without_secrets(text: str) -> str:
    """The text with keys and secrets masked: a payment's client secret is enough to try cards on
    it. Addresses of customers stay, for whoever may see them."""
    if any(sign in text for sign in SIGNS_OF_A_SECRET):
        text = SECRET.sub(lambda found: f"{found[1] or found[2]}[secret]", text)
    return text
