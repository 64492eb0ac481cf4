"""A figure as plain data: plotly checks it when somebody looks into it, not while it is drawn.

Checking each property as it is set took plotly most of the time in which a figure was drawn.
"""

from __future__ import annotations

import json
from typing import Any, Self

import plotly.graph_objects as go
from plotly.utils import PlotlyJSONEncoder

Properties = dict[str, Any]


class Figure(go.Figure):  # type: ignore[misc]
    """What `plotly.graph_objects.Figure` is, with the few methods that our figures are drawn by.

    Properties are nested, never joined by underscores (`margin={"b": 4}`); there is one x and one y axis. `data` and
    `layout` are plotly's own, checked, of the figure as it is then; they are for reading.
    """

    def __init__(self) -> None:  # plotly's would build and check what nobody may ever read
        self._traces: list[Properties] = []
        self._laid: Properties = {}
        self._sent: Properties | None = None

    @property
    def traces(self) -> list[Properties]:
        """The traces as they are drawn, to be changed in place until the figure is shown."""
        return self._traces

    @property
    def laid(self) -> Properties:
        """The layout as it is drawn."""
        return self._laid

    @property
    def data(self) -> Any:
        """The traces as plotly understands them. Raises ValueError where it does not."""
        return self._checked().data

    @property
    def layout(self) -> Any:
        """The layout as plotly understands it. Raises ValueError where it does not."""
        return self._checked().layout

    def add_bar(self, **properties: Any) -> Self:
        """Add bars."""
        return self._add("bar", properties)

    def add_scatter(self, **properties: Any) -> Self:
        """Add a line, marks or texts."""
        return self._add("scatter", properties)

    def add_annotation(self, **properties: Any) -> Self:
        """Write a text."""
        return self._append("annotations", properties)

    def add_shape(self, **properties: Any) -> Self:
        """Draw a shape."""
        return self._append("shapes", properties)

    def add_hline(self, *, y: float, line: Properties) -> Self:
        """Draw a line across the plot."""
        return self.add_shape(type="line", x0=0, x1=1, xref="x domain", y0=y, y1=y, yref="y", line=line)

    def add_vline(self, *, x: float, line: Properties) -> Self:
        """Draw a line down the plot."""
        return self.add_shape(type="line", x0=x, x1=x, xref="x", y0=0, y1=1, yref="y domain", line=line)

    def update_layout(self, *, overwrite: bool = False, **properties: Any) -> Self:
        """Set properties, merging into what is there; with `overwrite` each named one is replaced whole."""
        self._sent = None
        if overwrite:
            self._laid.update(properties)
        else:
            _merge(self._laid, properties)
        return self

    def update_xaxes(self, **properties: Any) -> Self:
        """Set properties of the x axis."""
        return self.update_layout(xaxis=properties)

    def update_yaxes(self, **properties: Any) -> Self:
        """Set properties of the y axis."""
        return self.update_layout(yaxis=properties)

    def to_dict(self) -> Properties:
        """Return what is sent to the browser: JSON's own kinds alone, made once for all readers."""
        if self._sent is None:
            self._sent = json.loads(PlotlyJSONEncoder().encode({"data": self._traces, "layout": self._laid}))
        return self._sent

    def _add(self, kind: str, properties: Properties) -> Self:
        self._sent = None
        self._traces.append({"type": kind, **properties})
        return self

    def _append(self, kind: str, properties: Properties) -> Self:
        self._sent = None
        self._laid[kind] = [*self._laid.get(kind, ()), properties]
        return self

    def _checked(self) -> go.Figure:
        return go.Figure({"data": self._traces, "layout": self._laid})


def _merge(into: Properties, properties: Properties) -> None:
    for name, value in properties.items():
        there = into.get(name)
        if isinstance(value, dict) and isinstance(there, dict):
            into[name] = there = {**there}
            _merge(there, value)
        else:
            into[name] = value
