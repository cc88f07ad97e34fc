"""What keeps the house in order: import direction, pages clean for the CSP, vendored files, documents."""

import ast
import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from dashboard.cli import main

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted(
    path
    for path in (ROOT / "templates").rglob("*.html")
    if path.parent.name != "mail"  # no page of ours
)
README = (ROOT / "README.md").read_text()


def test_the_receiver_never_imports_the_dashboard() -> None:
    for path in sorted((ROOT / "receiver").rglob("*.py")):
        assert not [name for name in _imported(path) if name.split(".")[0] == "dashboard"], path


def test_only_the_worker_and_its_executor_come_near_the_companys_handlers() -> None:
    loads_them = {"receiver.handlers.loading", "receiver.executor", "receiver.worker", "receiver.runs"}
    for path in [ROOT / "receiver" / name for name in ("app.py", "webhook.py", "server.py")]:
        assert not loads_them & set(_imported(path)), path
    for path in sorted((ROOT / "receiver" / "ledger").rglob("*.py")):
        assert not loads_them & set(_imported(path)), path


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_runs_under_the_content_security_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=|<style", text), "inline styles are not applied"
    assert not re.search(r"\son[a-z]+\s*=|hx-on|javascript:|js:", text), "inline scripts do not run"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "inline scripts do not run"
    assert not re.search(r'hx-trigger="[^"]*\[', text), "trigger filters are evaluated, so they do not run"
    assert not re.search(r"(src|href)=\"(https?:)?//", text), "nothing comes from elsewhere"
    if path.name != "_icons.html":  # whose drawings are its own
        assert "|safe" not in text.replace(" ", ""), "everything is escaped"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_text_area_cuts_nothing(path: Path) -> None:
    """A browser would, of what is pasted, without a word: the server says what is too long."""
    areas = re.findall(r"<textarea.*?</textarea>", path.read_text(), re.DOTALL)
    assert not [area for area in areas if "maxlength" in area]


def test_vendored_files_are_the_ones_that_were_published() -> None:
    vendor = ROOT / "static" / "vendor"
    manifest = json.loads((vendor / "manifest.json").read_text())
    files = {path.name for path in vendor.iterdir()} - {"manifest.json"}
    named = {name: entry for name, entry in manifest.items() if name in files}
    assert set(named) == files
    for name, entry in named.items():
        digest = base64.b64encode(hashlib.sha384((vendor / name).read_bytes()).digest()).decode()
        assert f"sha384-{digest}" in json.dumps(entry)


def test_the_readme_names_every_setting_and_no_other() -> None:
    pattern = r"\b(?:KYBDESK|VOVE)_[A-Z_]+\b"
    known = set(re.findall(pattern, (ROOT / "receiver" / "settings" / "__init__.py").read_text()))
    assert set(re.findall(pattern, README)) == known


def test_the_readme_names_every_command_and_no_other() -> None:
    assert set(re.findall(r"kybdesk ([a-z][a-z-]+)", README)) == set(main.commands)


def test_the_locks_name_no_address() -> None:
    for path in ROOT.glob("requirements*.lock"):
        assert "://" not in path.read_text()


def _imported(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return names
