"""Builds the functions for this machine and makes the template that deploys them.

The template is the project's own, letter for letter, but for where each function's code lies.
"""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from environments import PROJECT
from home import Home

CODE_URI = re.compile(r"(?<=CodeUri: )functions/(\S+)")


def package(home: Home) -> Path:
    """Compiles the functions, zips each one's program and returns the template to deploy."""
    print("Building the functions", flush=True)
    template = (PROJECT / "template.yaml").read_text()
    # By name: built together with the tools they would get the features that the tools' tests ask for.
    functions = [f"--package={name}" for name in sorted(set(CODE_URI.findall(template)))]
    if subprocess.run(["cargo", "build", "--bins", *functions], cwd=PROJECT).returncode:
        sys.exit("the build failed: see cargo's message above")
    programs = _target_folder() / "debug"
    home.build.mkdir(parents=True, exist_ok=True)

    def staged(code: re.Match) -> str:
        return str(_zip(programs / code[1], home.build / f"{code[1]}.zip"))

    deployed = home.build / "template.yaml"
    deployed.write_text(CODE_URI.sub(staged, template))
    return deployed


def _target_folder() -> Path:
    """Cargo's own word for it, which honours CARGO_TARGET_DIR and every other setting."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    metadata = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE).stdout
    return Path(json.loads(metadata)["target_directory"])


def _zip(program: Path, archive: Path) -> Path:
    """Zips a program as `bootstrap`: the same program gives the same bytes, so it is deployed once.

    Stored, not compressed: it travels over loopback only.
    """
    entry = zipfile.ZipInfo("bootstrap")
    entry.create_system = 3  # Unix, so that the mode counts
    entry.external_attr = 0o100755 << 16
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(entry, program.read_bytes())
    return archive
