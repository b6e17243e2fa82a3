"""The files of one local cloud. Two clouds with two homes share nothing."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
REGION = "us-east-1"
EXPORT = "export "

# The machine's own AWS profiles must not leak into a local call.
ISOLATED = {
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Home:
    """The folder of a local cloud: its settings, its log, its temporary files."""

    root: Path

    @property
    def lock(self) -> Path:
        """The lock that the cloud's process holds until it ends; contains its pid and port."""
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
        """The zipped functions, and the template that deploys them."""
        return self.root / "build"

    @property
    def api_url(self) -> Path:
        """The API's base URL, one line."""
        return self.root / "api-url"

    @property
    def token(self) -> Path:
        """The token of the role `admin`, one line."""
        return self.root / "token"

    @property
    def read_token(self) -> Path:
        """The token of the role `read`, one line."""
        return self.root / "read-token"

    @property
    def env(self) -> Path:
        """The deployed functions' settings and the tokens, for a shell's `source`."""
        return self.root / "env"


def endpoint(port: int) -> str:
    """Returns the one address of all APIs of a local cloud."""
    return f"http://{LOOPBACK}:{port}"


def client_environment(port: int) -> dict[str, str]:
    """Returns the environment that makes an AWS client the local cloud's root user.

    It cannot reach anything but the local cloud.
    """
    return {
        "AWS_ENDPOINT_URL": endpoint(port),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        **ISOLATED,
    }


def adopt(variables: dict[str, str]) -> None:
    """Sets variables in this process and its children, in place of all AWS settings there."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)


def write_exports(file: Path, variables: dict[str, str]) -> None:
    """Writes a file for a shell's `source`."""
    lines = [f"{EXPORT}{name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())]
    write_private(file, "".join(["unset AWS_PROFILE AWS_SESSION_TOKEN\n", *lines]))


def write_private(file: Path, text: str) -> None:
    """Writes a file that only its owner may access."""
    # A file that exists keeps its mode.
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)


def read_exports(file: Path) -> dict[str, str]:
    """Reads what `write_exports` wrote."""
    lines = file.read_text().splitlines()
    exports = (line.removeprefix(EXPORT) for line in lines if line.startswith(EXPORT))
    return dict(shlex.split(export)[0].split("=", 1) for export in exports)
