"""The Python environments in `.local/venv`, made from the pinned requirements in this folder.

`cloud` runs the local cloud and the tests against it; `tools` has sam, cargo-lambda and ruff;
`uv` installs these two.
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
    for environment in ("uv", "cloud", "tools"):
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
    folder = VENVS / environment
    shutil.rmtree(folder, ignore_errors=True)
    # Made from within another environment it would depend on that one: use the base interpreter.
    python = getattr(sys, "_base_executable", sys.executable)
    variables = {"UV_CACHE_DIR": str(PROJECT / ".local" / "cache" / "uv")} | os.environ
    if environment == "uv":
        venv = [python, "-m", "venv", folder]
        install = [folder / "bin" / "pip", "install", "--disable-pip-version-check"]
    else:
        uv = programs("uv") / "uv"
        venv = [uv, "venv", "--quiet", "--no-config", "--python", python, folder]
        install = [uv, "pip", "install", "--no-config", "--python", folder]
    if subprocess.run(venv, env=variables, stdout=subprocess.PIPE).returncode:
        sys.exit("cannot make an environment: install Python's venv module (Debian: python3-venv)")
    # The pins are complete: there is nothing to resolve, only to download and check.
    pinned = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", pins]
    if subprocess.run([*install, "--quiet", *pinned], env=variables).returncode:
        sys.exit(f"cannot install {pins.relative_to(PROJECT)}: see the message above")
