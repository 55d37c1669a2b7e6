"""What lies in the repository, and what it is built from."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from storefront.config import ROOT

SECRETS = {
    "a key of Stripe's": r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{24,}",
    "a webhook's signing secret": r"\bwhsec_[A-Za-z0-9+/=]{32,}",
    "a key of Amazon's": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub's": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60})",
    "a token of Slack's": r"\bxox[abprs]-[A-Za-z0-9-]{20}",
    "a key of Google's": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a token of PyPI's or npm's": r"\b(?:pypi-[A-Za-z0-9_-]{50}|npm_[A-Za-z0-9]{36})",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.",
    "a password hash": r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}",
}
ANY_SECRET = re.compile("|".join(SECRETS.values()))
NEVER_COMMITTED = re.compile(
    r"(^|/)\.env(\.local)?$|(^|/)fakestripe\.env$|\.(pem|key|p12|pfx|sqlite3?|db|dump)$|^instance/"
)


def committed() -> list[str]:
    """Every file that is, or is about to be, in the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("SECRETS NOT LOOKED FOR: this is no clone, so nobody says what is committed")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def test_no_secret_is_committed() -> None:
    names = committed()
    assert len(names) > 300
    assert [name for name in names if NEVER_COMMITTED.search(name)] == []
    found = {}
    for name in names:
        text = (ROOT / name).read_bytes().decode("utf-8", "ignore")
        if secret := ANY_SECRET.search(text):
            found[name] = secret[0][:12] + "…"
    assert found == {}


def test_the_scan_finds_what_it_looks_for() -> None:
    """Put together here, so that the scan does not find this file."""
    for planted in (
        "STRIPE_SECRET_KEY=sk_" + "live_" + "51Hv" * 8,
        "rk_" + "test_" + "a1B2" * 6,
        "whsec_" + "Ab12" * 8,
        "AKIA" + "ABCD" * 4,
        "ghp_" + "a1B2" * 9,
        "-----BEGIN RSA " + "PRIVATE KEY-----",
    ):
        assert ANY_SECRET.search(planted), planted
    for harmless in ("sk_test_51ofTheseTests", "sk_test_…", "whsec_the_secret_of_these_tests"):
        assert not ANY_SECRET.search(harmless), harmless
    for name in (".env", "deploy/.env.local", "server.pem", "shop.sqlite", "instance/x"):
        assert NEVER_COMMITTED.search(name), name
    assert not NEVER_COMMITTED.search(".env.example")


FINE = {"name": "flask", "version": "3.1.3", "vulns": []}
HOLE = {"id": "PYSEC-2099-1", "fix_versions": ["3.9"]}
HOLED = {"name": "jinja2", "version": "3.1.6", "vulns": [HOLE]}
UNKNOWN = {"name": "stripe", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ([FINE, HOLED], 1, "jinja2 3.1.6: PYSEC-2099-1, fixed in 3.9"),
        ([FINE, FINE], 0, "2 packages audited, 0 with advisories"),
        ([FINE, UNKNOWN], 0, "NOT AUDITED, as nothing is said of them: stripe"),
        ([UNKNOWN, UNKNOWN], 0, "ADVISORIES NOT CHECKED: "),
        (None, 0, "ADVISORIES NOT CHECKED: pip-audit did not answer: no route to host"),
    ],
)
def test_an_advisory_stops_the_tests_and_silence_is_told(
    tmp_path: Path, answer: list[object] | None, status: int, says: str
) -> None:
    """bin/audit beside a pip-audit that answers as the real one does."""
    auditor, audit = tmp_path / ".venv/bin/pip-audit", tmp_path / "bin/audit"
    for program in (auditor, audit):
        program.parent.mkdir(parents=True)
    shutil.copy(ROOT / "bin/audit", audit)
    said = "" if answer is None else json.dumps({"dependencies": answer, "fixes": []})
    auditor.write_text(f"#!/bin/sh\necho 'no route to host' >&2\ncat <<'X'\n{said}\nX\n")
    auditor.chmod(0o755)
    ran = subprocess.run([sys.executable, audit], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (status, "")
    assert says in ran.stdout
