"""Builds the functions and the tools for this machine, and writes the template that deploys them.

That template is the project's own, except that each function has its program's zip as `CodeUri`.
"""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from environments import PROJECT
from home import Home

PACKAGE = "functions"
FUNCTION = re.compile(r"^    Type: AWS::Serverless::Function$", re.MULTILINE)
COMMON_CODE = re.compile(rf"^    CodeUri: {PACKAGE}\n", re.MULTILINE)
PROGRAM = re.compile(
    r"^    Metadata: \{.*\bBinary: (?P<name>[\w-]+).*\}\n    Properties:\n", re.MULTILINE
)


def package(home: Home) -> Path:
    """Compiles the functions, zips their programs and returns the template to deploy.

    `once` is built by the same command, so that both share the dependencies of the tests'
    build, feature by feature (tools/unified-features); the functions have no test support.
    """
    print("Building the functions", flush=True)
    packages = [f"--package={name}" for name in (PACKAGE, "standalone", "unified-features")]
    if subprocess.run(["cargo", "build", "--bins", *packages], cwd=PROJECT).returncode:
        sys.exit("the build failed: see cargo's message above")
    home.build.mkdir(parents=True, exist_ok=True)
    template = (PROJECT / "template.yaml").read_text()
    deployed = home.build / "template.yaml"
    deployed.write_text(_stage(template, _target_folder() / "debug", home.build))
    return deployed


def _stage(template: str, programs: Path, archives: Path) -> str:
    """Returns the template with a zip for each function, in place of how to build it."""

    def with_code(program: re.Match) -> str:
        archive = _zip(programs / program["name"], archives / f"{program['name']}.zip")
        return f"    Properties:\n      CodeUri: {archive}\n"

    staged, replaced = PROGRAM.subn(with_code, COMMON_CODE.sub("", template))
    functions = len(FUNCTION.findall(template))
    if replaced != functions:
        sys.exit(
            f"template.yaml has {functions} functions, but {replaced} of them have the line "
            "`Metadata: { …, BuildProperties: { Binary: … } }` directly above `Properties:`"
        )
    return staged


def _target_folder() -> Path:
    """Returns cargo's target folder, which CARGO_TARGET_DIR and other settings may move."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    metadata = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE).stdout
    return Path(json.loads(metadata)["target_directory"])


def _zip(program: Path, archive: Path) -> Path:
    """Zips a program as `bootstrap`. The same program gives the same bytes, so it is deployed once.

    Stored, not compressed: compressing takes longer than the upload over loopback.
    """
    entry = zipfile.ZipInfo("bootstrap")
    entry.create_system = 3  # Unix, so that the mode counts
    entry.external_attr = 0o100755 << 16
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(entry, program.read_bytes())
    return archive
