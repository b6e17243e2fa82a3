"""Where one local cloud keeps its files. Two clouds with two homes never meet."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
REGION = "us-east-1"
EXPORT = "export "


@dataclass(frozen=True)
class Home:
    """One folder: what the cloud is told, what it tells, and its scratch space."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held by the cloud's process for as long as it lives; contains its pid and its port."""
        return self.root / "cloud.lock"

    @property
    def log(self) -> Path:
        """What the cloud prints."""
        return self.root / "cloud.log"

    @property
    def scratch(self) -> Path:
        """The cloud's temporary files: unpacked functions, stored objects."""
        return self.root / "tmp"

    @property
    def build(self) -> Path:
        """The functions as they are deployed, and the template that names them."""
        return self.root / "build"

    @property
    def api_url(self) -> Path:
        """The API's base URL, one line."""
        return self.root / "api-url"

    @property
    def env(self) -> Path:
        """The deployed functions' settings, for a shell's `source`."""
        return self.root / "env"


def endpoint(port: int) -> str:
    """The one address of all of the local cloud's APIs."""
    return f"http://{LOOPBACK}:{port}"


def client_environment(port: int) -> dict[str, str]:
    """What an AWS client needs to speak to the local cloud as its root user, and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint(port),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # The machine's own AWS profiles must not leak into a local call.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def adopt(variables: dict[str, str]) -> None:
    """Sets these in this process and its children, in place of every AWS setting of the caller."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)


def write_exports(file: Path, variables: dict[str, str]) -> None:
    """Writes a file for a shell's `source`."""
    lines = [f"{EXPORT}{name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())]
    file.write_text("".join(["unset AWS_PROFILE AWS_SESSION_TOKEN\n", *lines]))


def read_exports(file: Path) -> dict[str, str]:
    """Reads what `write_exports` wrote."""
    exports = (line.removeprefix(EXPORT) for line in file.read_text().splitlines() if line.startswith(EXPORT))
    return dict(shlex.split(export)[0].split("=", 1) for export in exports)
