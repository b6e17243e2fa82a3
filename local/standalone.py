"""Runs a program against Once in one process, whose data is in memory and ends with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from environments import PROJECT
from home import ISOLATED, adopt, read_exports

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))
LOG = PROJECT / ".local" / "standalone.log"

SERVE = ["serve", "--memory", "--port", "0"]


def main() -> None:
    """Serves, runs the program of the command line with the process's settings, and ends both."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit("interrupted"))
    LOG.parent.mkdir(exist_ok=True)
    # Callbacks of the tests go to this machine.
    command = [TARGET / "debug" / "once", *SERVE, "--parameter", "CallbackAllowPrivate=true"]
    settings = {"LOG_FORMAT": "json", "LOG_LEVEL": "info"}
    with LOG.open("w") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        if not lines[-1]:
            sys.exit(f"once serve ended: see {LOG}")
        variables = read_exports(Path(lines[-1].split(": ", 1)[1].strip()))
        adopt({**ISOLATED, **variables, "ONCE_LOG": str(LOG)})
        status = subprocess.run(sys.argv[1:]).returncode
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(timeout=60)
    sys.exit(status or ended)


if __name__ == "__main__":
    main()
