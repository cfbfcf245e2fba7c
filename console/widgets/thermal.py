"""Thermal and power: every sensor, fan and rail that the robot reads."""

from __future__ import annotations

from console.view import View
from console.widgets.cells import Span, clean, fit
from console.widgets.drawing import number
from console.widgets.load import heat_rows
from console.widgets.panel import Panel, meter


class ThermalPanel(Panel):
    """The hottest sensor and the board's power with histories, then sensors (hottest first), rails, fans, power mode."""

    TITLE = "Thermal & power"
    HELP = (
        "Temperatures in °C, hottest first, with the limit of kpis.yaml marked; power of the board and of each rail; fans "
        "in rpm; the power mode. On a robot without jtop the rails are *unavailable* and the line says why."
    )

    def at_ns(self, view: View) -> int | None:
        """The newest host sample."""
        return view.hosts_at_ns

    def body(self, view: View, width: int, height: int) -> list[list[Span]]:
        """What fits, most important first."""
        if not view.snapshot.hosts:
            return [[("waiting for the first sample", "muted")]]
        host = view.snapshot.hosts[-1].body
        rows = heat_rows(view, width)
        mode = host.text.get("power_mode")
        if mode:
            rows.append([(fit("mode", 8), "text"), (clean(mode), "muted")])
        for name, rpm in host.series.get("fan_rpm", {}).items():
            rows.append([(fit(clean(name), 14), "text"), (number(rpm, 7, 0), "text"), (" rpm", "muted")])
        for name, milliwatt in host.series.get("power_mw", {}).items():
            rows.append([(fit(clean(name), 14), "text"), (number(milliwatt / 1000, 7, 2), "text"), (" W", "muted")])
        return rows + self._sensors(view, width)

    def _sensors(self, view: View, width: int) -> list[list[Span]]:
        sensors = view.snapshot.hosts[-1].body.series.get("temp_c", {})
        rows: list[list[Span]] = []
        for name, temp in sorted(sensors.items(), key=lambda pair: -pair[1]):
            role = view.role_of("temp_max_c", temp)
            row: list[Span] = [(fit(clean(name), 14), "text"), (number(temp, 7), role), (" °C ", "muted")]
            rows.append(
                [*row, *meter(view, "temp_max_c", temp / 100, min(20, width - 26), "info" if role == "text" else role)]
            )
        return rows
