"""The two Python environments in `.local/venv`, made from the pinned requirements beside this file.

`cloud` runs the local cloud and the tests against it; `tools` holds sam, cargo-lambda and ruff.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Imported first, so an older Python gets here before it meets what it cannot read.
if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit(f"Python 3.10 or newer is needed, this is {sys.version.split()[0]}")

LOCAL = Path(__file__).resolve().parent
PROJECT = LOCAL.parent
PLACE = PROJECT / ".local" / "venv"


def programs(environment: str) -> Path:
    """The folder of the programs that an environment installs."""
    return PLACE / environment / "bin"


def prepare() -> None:
    """Makes what is missing or was made from other pins; a no-op otherwise."""
    _require("cargo", "Rust (https://rustup.rs)")
    _require("cc", "a C compiler (Debian: build-essential)")
    for environment in ("cloud", "tools"):
        pins = LOCAL / f"{environment}.txt"
        stamp = PLACE / environment / "stamp"
        # An environment belongs to its pins, to one interpreter and to one place.
        wanted = f"{hashlib.sha256(pins.read_bytes()).hexdigest()} {sys.version_info[:2]} {PLACE}"
        if not stamp.exists() or stamp.read_text() != wanted:
            _make(environment, pins)
            stamp.write_text(wanted)


def enter() -> None:
    """Continues this very command in the `cloud` environment, which has the AWS SDK."""
    if Path(sys.prefix).resolve() != (PLACE / "cloud").resolve():
        sys.stdout.flush()
        python = str(programs("cloud") / "python")
        os.execv(python, [python, *sys.argv])


def _require(program: str, what: str) -> None:
    if not shutil.which(program):
        sys.exit(f"`{program}` is missing: install {what}")


def _make(environment: str, pins: Path) -> None:
    print(f"Installing {pins.relative_to(PROJECT)} (once)", flush=True)
    shutil.rmtree(PLACE / environment, ignore_errors=True)
    # A virtual environment made from within another one would lean on it: start from the interpreter itself.
    python = getattr(sys, "_base_executable", sys.executable)
    if subprocess.run([python, "-m", "venv", PLACE / environment], stdout=subprocess.PIPE).returncode:
        sys.exit("cannot make a virtual environment: install Python's venv module (Debian: python3-venv)")
    # The pins are complete: with nothing to resolve, pip only downloads and checks.
    pip = [programs(environment) / "pip", "install", "--quiet", "--disable-pip-version-check"]
    pinned = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", pins]
    if subprocess.run([*pip, *pinned]).returncode:
        sys.exit(f"cannot install {pins.relative_to(PROJECT)}: see pip's message above")
