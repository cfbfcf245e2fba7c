"""Themes, and the styles of the colour roles that rows are written in."""

from __future__ import annotations

from rich.style import Style
from textual.theme import Theme

THEMES: tuple[Theme, ...] = (
    Theme(
        name="fieldgate-dark",
        primary="#58b7d8",
        secondary="#8fa3b5",
        accent="#c3a6ff",
        success="#6fd69a",
        warning="#f2bd57",
        error="#ff7a7a",
        foreground="#d8e0e8",
        background="#10161c",
        surface="#18212a",
        panel="#22303c",
        dark=True,
        variables={"muted": "#8495a5", "line": "#34485a", "track": "#2b3a47", "trace": "#3f7f97", "stale": "#6c7c8b"},
    ),
    Theme(
        name="fieldgate-light",
        primary="#00688b",
        secondary="#52606d",
        accent="#6b3fb8",
        success="#137a3e",
        warning="#8f5a00",
        error="#b3261e",
        foreground="#1d2731",
        background="#fbfaf7",
        surface="#f0eee8",
        panel="#e3e0d8",
        dark=False,
        variables={"muted": "#5f6b76", "line": "#b9c1c9", "track": "#d5dade", "trace": "#5b9db3", "stale": "#7a858f"},
    ),
    Theme(
        name="fieldgate-high-contrast",
        primary="#00e5ff",
        secondary="#ffffff",
        accent="#ff9cff",
        success="#5cff5c",
        warning="#ffe600",
        error="#ff6060",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#1a1a1a",
        dark=True,
        variables={"muted": "#e0e0e0", "line": "#ffffff", "track": "#8a8a8a", "trace": "#00e5ff", "stale": "#b0b0b0"},
    ),
)


def styles_of(theme: Theme) -> dict[str, Style]:
    """A style for each colour role; roles are what rows name, so a theme changes nothing else."""
    extra = theme.variables
    plain = {
        "text": theme.foreground,
        "muted": extra.get("muted", theme.secondary),
        "line": extra.get("line", theme.secondary),
        "track": extra.get("track", theme.secondary),
        "trace": extra.get("trace", theme.primary),
        "focus": theme.primary,
        "info": theme.primary,
        "ok": theme.success,
        "warning": theme.warning,
        "critical": theme.error,
        "accent": theme.accent,
        "stale": extra.get("stale", theme.secondary),
    }
    back = theme.background
    styles = {role: Style(color=colour, bgcolor=back) for role, colour in plain.items()}
    styles["title"] = Style(color=theme.foreground, bgcolor=back, bold=True)
    styles["key"] = Style(color=theme.primary, bgcolor=back, bold=True)
    styles["strong"] = Style(color=theme.foreground, bgcolor=back, bold=True)
    styles["critical"] = styles["critical"] + Style(bold=True)
    styles["cursor"] = Style(color=back, bgcolor=theme.primary, bold=True, reverse=False)
    styles["alert"] = Style(color=back, bgcolor=theme.error, bold=True)
    styles["notice"] = Style(color=back, bgcolor=theme.warning, bold=True)
    styles["good"] = Style(color=back, bgcolor=theme.success, bold=True)
    styles["struck"] = Style(color=plain["muted"], bgcolor=back, strike=True)
    styles["story"] = Style(color=back, bgcolor=theme.accent, bold=True)
    return styles


def without_colour(styles: dict[str, Style]) -> dict[str, Style]:
    """The same roles told apart by attributes alone, for NO_COLOR."""
    reverse = ("cursor", "alert", "notice", "story", "good")
    bold = ("title", "key", "strong", "critical", "warning")
    return {
        role: Style(
            reverse=role in reverse or None, bold=role in bold or None, dim=role in ("track", "line", "struck") or None
        )
        for role in styles
    }
