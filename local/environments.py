"""The two Python environments in `.local/venv`, made from the pinned requirements in this folder.

`cloud` runs the local cloud and the tests against it; `tools` has sam, cargo-lambda and ruff.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Imported first, so that an older Python stops here, before syntax that it cannot parse.
if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit(f"Python 3.10 or newer is required, this is {sys.version.split()[0]}")

LOCAL = Path(__file__).resolve().parent
PROJECT = LOCAL.parent
VENVS = PROJECT / ".local" / "venv"


def programs(environment: str) -> Path:
    """Returns the folder of the programs that an environment installs."""
    return VENVS / environment / "bin"


def prepare() -> None:
    """Makes each environment that is missing or was made from other pins; otherwise a no-op."""
    _require("cargo", "Rust (https://rustup.rs)")
    _require("cc", "a C compiler (Debian: build-essential)")
    for environment in ("cloud", "tools"):
        pins = LOCAL / f"{environment}.txt"
        stamp = VENVS / environment / "stamp"
        # An environment is valid for its pins, one interpreter and one folder.
        digest = hashlib.sha256(pins.read_bytes()).hexdigest()
        wanted = f"{digest} {sys.version_info[:2]} {VENVS}"
        if not stamp.exists() or stamp.read_text() != wanted:
            _make(environment, pins)
            stamp.write_text(wanted)


def enter() -> None:
    """Continues this command in the `cloud` environment, which has the AWS SDK."""
    if Path(sys.prefix).resolve() != (VENVS / "cloud").resolve():
        sys.stdout.flush()
        python = str(programs("cloud") / "python")
        os.execv(python, [python, *sys.argv])


def _require(program: str, what: str) -> None:
    if not shutil.which(program):
        sys.exit(f"`{program}` is missing: install {what}")


def _make(environment: str, pins: Path) -> None:
    print(f"Installing {pins.relative_to(PROJECT)} (once)", flush=True)
    shutil.rmtree(VENVS / environment, ignore_errors=True)
    # Made from within another environment it would depend on that one: use the base interpreter.
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "venv", VENVS / environment]
    if subprocess.run(command, stdout=subprocess.PIPE).returncode:
        sys.exit("cannot make an environment: install Python's venv module (Debian: python3-venv)")
    # The pins are complete: with nothing to resolve, pip only downloads and checks.
    pip = [programs(environment) / "pip", "install", "--quiet", "--disable-pip-version-check"]
    pinned = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", pins]
    if subprocess.run([*pip, *pinned]).returncode:
        sys.exit(f"cannot install {pins.relative_to(PROJECT)}: see pip's message above")
