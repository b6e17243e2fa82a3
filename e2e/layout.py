"""Renders the layout of a dashboard as HTML: where each part is, and the metrics it draws."""

import html
import re
from dataclasses import dataclass

COLUMNS = 24

STYLE = """
:root { color-scheme: light dark; }
body { margin: 1rem; font: 13px/1.4 system-ui, sans-serif; }
h1 { margin: 0 0 .5rem; font-size: 18px; }
main { display: grid; grid-template-columns: repeat(24, minmax(0, 1fr)); gap: 6px; }
section { overflow: hidden; padding: .4rem .6rem; border: 1px solid #8888; border-radius: 4px; }
section.row { padding: 0; border: 0; }
h2 { margin: 0; font-size: 13px; line-height: 16px; }
small { font-weight: 400; }
ul { margin: .2rem 0 0; padding: 0; list-style: none; font: 11.5px/1.45 ui-monospace, monospace; }
"""


@dataclass(frozen=True)
class Box:
    """A part of a dashboard, in units of its grid."""

    x: int
    y: int
    width: int
    height: int
    kind: str
    title: str
    draws: tuple[str, ...] = ()


def of_grafana(dashboard: dict) -> list[Box]:
    """Returns the panels of a Grafana dashboard."""
    return [
        Box(
            *(panel["gridPos"][side] for side in ("x", "y", "w", "h")),
            panel["type"],
            panel["title"],
            tuple(
                target["expr"].replace('{job=~"$job"}', "") for target in panel.get("targets", [])
            ),
        )
        for panel in dashboard["panels"]
    ]


def of_cloudwatch(dashboard: dict) -> list[Box]:
    """Returns the widgets of a CloudWatch dashboard."""
    return [_of_widget(widget, widget["properties"]) for widget in dashboard["widgets"]]


def _of_widget(widget: dict, properties: dict) -> Box:
    place = [widget[side] for side in ("x", "y", "width", "height")]
    if widget["type"] == "text":
        return Box(*place, "row", properties["markdown"].lstrip("# "))
    if widget["type"] == "log":
        columns = re.findall(r" as (\w+)", properties["query"])
        return Box(*place, properties["view"], properties["title"], tuple(columns))
    metrics = tuple(map(_drawn, properties["metrics"]))
    return Box(*place, properties["view"], properties["title"], metrics)


def _drawn(metric: list) -> str:
    options = metric[-1] if isinstance(metric[-1], dict) else {}
    if "expression" in options:
        return options["expression"]
    return options.get("label", metric[1])


def page(title: str, boxes: list[Box], row_px: int) -> str:
    """Returns the page; a row of the grid is `row_px` high."""
    sections = "".join(_section(box) for box in boxes)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}main {{ grid-auto-rows: {row_px}px; }}</style><h1>{html.escape(title)}</h1>"
        f"<main>{sections}</main>"
    )


def _section(box: Box) -> str:
    area = f"grid-area: {box.y + 1} / {box.x + 1} / span {box.height} / span {box.width}"
    kind = "" if box.kind == "row" else f" <small>{html.escape(box.kind)}</small>"
    draws = "".join(f"<li>{html.escape(draw)}" for draw in box.draws)
    drawn = f"<ul>{draws}</ul>" if draws else ""
    return (
        f'<section class="{html.escape(box.kind)}" style="{area}">'
        f"<h2>{html.escape(box.title)}{kind}</h2>{drawn}</section>"
    )
