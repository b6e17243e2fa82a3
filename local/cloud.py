"""The local cloud: AWS on loopback, without Docker. `make help` lists the usual commands."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import environments
import server
from home import ISOLATED, LOOPBACK, Home, adopt, read_exports


def main() -> None:
    """Reads the command line and runs one command."""
    parser = argparse.ArgumentParser(description=__doc__)
    folder = environments.PROJECT / ".local"
    parser.add_argument("--home", type=Path, default=folder, help="the folder of its files")
    parser.add_argument("--port", type=int, default=4566, help="its port on 127.0.0.1; 0: any free")
    commands = parser.add_subparsers(metavar="command", required=True)
    for command in (setup, up, deploy, session, watch, down):
        described = commands.add_parser(command.__name__, help=command.__doc__)
        described.set_defaults(run=command)
        if command is session:
            described.add_argument("program", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    arguments.home = Home(arguments.home.resolve())
    if arguments.run is not down:
        environments.prepare()
    arguments.run(arguments)


def setup(_) -> None:
    """Install the pinned tools; every other command does it too."""


def up(arguments) -> None:
    """Start the cloud."""
    server.up(arguments.home, arguments.port)


def deploy(arguments) -> None:
    """Build the functions and deploy what changed to the running cloud."""
    environments.enter()
    from deployment import deploy

    deploy(arguments.home)


def session(arguments) -> None:
    """Start a cloud, deploy to it, run a program with its settings, and always stop it."""
    environments.enter()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit("interrupted"))
    server.down(arguments.home)  # left by a session that was killed
    try:
        up(arguments)
        deploy(arguments)
        adopt(read_exports(arguments.home.env))
        sys.exit(subprocess.run(arguments.program).returncode)
    finally:
        server.down(arguments.home)


def watch(arguments) -> None:
    """Serve the routes at port 9001, rebuilt on every change, with the services of the home."""
    adopt({**ISOLATED, **read_exports(arguments.home.env)})
    os.environ["PATH"] = f"{environments.programs('tools')}{os.pathsep}{os.environ['PATH']}"
    os.chdir(environments.PROJECT)
    command = ["cargo", "lambda", "watch", "--invoke-address", LOOPBACK, "--invoke-port", "9001"]
    os.execvp("cargo", command)


def down(arguments) -> None:
    """Stop the cloud and discard what it stored."""
    server.down(arguments.home)


if __name__ == "__main__":
    main()
