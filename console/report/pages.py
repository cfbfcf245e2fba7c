"""Pages as HTML: one file each, without scripts, fonts or anything else from outside; they read well on paper too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.printing import shown
from console.report.sheet import Sheet

_HERE = Path(__file__).parent


def report_html(sheet: Sheet) -> str:
    """The whole record for a browser and for the printer."""
    return _page("report.html.j2", sheet=sheet)


def signoff_html(sheet: Sheet) -> str:
    """The printable page: every item on a line, the signatures below, with room for ink."""
    return _page("signoff.html.j2", sheet=sheet)


def paper_html(**form: Any) -> str:
    """The paper form; its values are those of console.report.paper."""
    return _page("paper.html.j2", **form)


def _page(template: str, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    from markupsafe import Markup

    style = Markup((_HERE / "report.css").read_text(encoding="utf-8"))
    return environment.get_template(template).render(style=style, **values)


def _shown(value: Any) -> Any:
    """Marks that turn text around could make a page say what its record does not; they are written out."""
    return shown(value.replace("\r", "")) if type(value) is str else value
