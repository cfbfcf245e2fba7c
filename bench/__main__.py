"""`python -m bench [NAME ...]`: run all benchmarks, or those named."""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    "startup",
    "perception",
    "engine_start",
    "agent",
    "journal",
    "link",
    "push",
    "activation_gap",
    "screen",
    "record",
    "verify",
    "checklist_open",
    "trial",
    "percentiles",
    "foreign_log",
    "field_verdicts",
    "report_four_weeks",
    "failures_screen",
)


def main(names: list[str]) -> int:
    """Run each in a process of its own, so that none inherits another's imports or threads."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    ends = [subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode for name in names or NAMES]
    return max(ends)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
