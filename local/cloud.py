"""The local cloud: AWS on loopback, without Docker. `make help` lists the usual ways to it."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import environments
import server
from home import LOOPBACK, Home, adopt, read_exports


def main() -> None:
    """Reads the command line and runs one command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=environments.PROJECT / ".local", help="this cloud's files")
    parser.add_argument("--port", type=int, default=4566, help="its port on 127.0.0.1; 0 is any free one")
    commands = parser.add_subparsers(metavar="command", required=True)
    for command in (setup, up, deploy, session, watch, minute, down):
        described = commands.add_parser(command.__name__, help=command.__doc__)
        described.set_defaults(run=command)
        if command is session:
            described.add_argument("program", nargs=argparse.REMAINDER)
        if command is minute:
            described.add_argument("minutes", nargs="+", metavar="minute", help="as in 2026-11-20T23:20:00Z")
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
    """Start a cloud, deploy to it, run a program with its settings, stop it whatever happens."""
    environments.enter()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit("interrupted"))
    server.down(arguments.home)  # what a killed session has left
    try:
        up(arguments)
        deploy(arguments)
        adopt(read_exports(arguments.home.env))
        sys.exit(subprocess.run(arguments.program).returncode)
    finally:
        server.down(arguments.home)


def watch(arguments) -> None:
    """Serve the routes at port 9000, rebuilding on every change, with the deployed stack behind them."""
    server.running_port(arguments.home)  # or it says that there is none
    adopt(read_exports(arguments.home.env))
    os.environ["PATH"] = f"{environments.programs('tools')}{os.pathsep}{os.environ['PATH']}"
    os.chdir(environments.PROJECT)
    os.execvp("cargo", ["cargo", "lambda", "watch", "--invoke-address", LOOPBACK])


def minute(arguments) -> None:
    """Show what became of minutes: in the table, on the stream, in the log, and the callbacks."""
    environments.enter()
    from minute import show

    server.running_port(arguments.home)
    adopt(read_exports(arguments.home.env))
    show(arguments.minutes)


def down(arguments) -> None:
    """Stop the cloud; what it stored is gone."""
    server.down(arguments.home)


if __name__ == "__main__":
    main()
