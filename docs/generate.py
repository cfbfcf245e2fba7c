"""Writes the generated pages of docs/ and the schema of checklist packs: `python -m docs.generate`, or `make docs`."""

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


def main() -> None:
    """Write every generated file."""
    from console.checklist.schema import pack_schema, schema_text

    docs = Path(__file__).parent
    (docs / "metrics.md").write_text(metrics_page(), encoding="utf-8")
    (docs.parent / "checklists" / "checklist.schema.json").write_text(schema_text(pack_schema()), encoding="utf-8")


if __name__ == "__main__":
    main()
