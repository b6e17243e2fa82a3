"""Checks that no line of code, comment or prose is too long: 100 columns, 120 in template.yaml.

Rows of tables and lines with a URL are exempt, since they cannot be broken.
"""

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SUFFIXES = {".md", ".py", ".rs", ".toml", ".yaml", ".yml"}
LIMITS = {"template.yaml": 120}
EXEMPT = re.compile(r"https?://|^\s*(//[/!] ?)?\|")


def main() -> None:
    """Prints every line that is too long and fails if there is one."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=PROJECT, check=True, text=True, stdout=subprocess.PIPE)
    found = [
        f"{name}:{number}: {len(line)} columns"
        for name in files.stdout.splitlines()
        if Path(name).suffix in SUFFIXES and (PROJECT / name).exists()
        for number, line in enumerate((PROJECT / name).read_text().splitlines(), 1)
        if len(line) > LIMITS.get(name, 100) and not EXEMPT.search(line)
    ]
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    main()
