"""Writes the generated pages of docs/: `python -m docs.generate`, or `make docs`."""

from __future__ import annotations

from pathlib import Path

from remote.metrics import METRICS

_HEAD = """# Metrics

Generated from `remote/metrics.py` by `make docs`; a test keeps it true. `window` metrics come from the worker once a second,
`host` metrics from the monitor once a second. A metric that
can't be read now is missing and its reason stands in `unavailable`.

| name | unit | from | shape | meaning | source |
|---|---|---|---|---|---|
"""


def metrics_page() -> str:
    """docs/metrics.md as it should be."""
    rows = (
        f"| `{m.name}` | {m.unit or '-'} | {m.home} | {m.shape} | {m.meaning} | {m.source} |" for m in METRICS.values()
    )
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("metrics.md").write_text(metrics_page(), encoding="utf-8")
