"""The live view: the scene, saga time lines, the exchange and the facts on one screen. Draws a snapshot, knows nothing
else.
"""

from typing import Final

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deribit_example.demo.audit import saga_of_label
from deribit_example.demo.snapshot import SagaView, Snapshot, Source, last_lines
from deribit_example.demo.words import (
    SOURCES,
    TONES,
    number,
    offset,
    outcome_style,
    outcome_word,
    short,
    sparkline,
)

SMALLEST_WIDTH: Final = 90
SMALLEST_HEIGHT: Final = 26
_STORY_WIDTH: Final = 118
_NEWS: Final = frozenset({Source.EXCHANGE, Source.PROGRAM, Source.SIGNAL, Source.FACT})
_ORDERS: Final = 6
_DEFAULT_SPARK: Final = 16


def draw(state: Snapshot, width: int, height: int) -> Layout:
    """The whole screen, `width` by `height` characters."""
    news_rows = max(7, height // 3)
    scene_rows = 4 if width >= _STORY_WIDTH else 5
    middle = height - scene_rows - news_rows
    right = max(42, width * 2 // 5)
    layout = Layout()
    layout.split_column(
        Layout(_scene(state), size=scene_rows),
        Layout(name="middle", size=middle),
        Layout(_news(state, news_rows - 2), size=news_rows),
    )
    layout["middle"].split_row(
        Layout(_sagas(state, middle - 2)),
        Layout(_exchange(state, right - 4, middle - 2), size=right),
    )
    return layout


def _scene(state: Snapshot) -> Panel:
    if state.scene is None:
        return Panel(Text("Starting the exchange and the trading program ..."), title="saga choreography on Deribit")
    place = f"Scene {state.scene.number} of {state.scenes}: " if state.scene.number else ""
    title = Text(place + state.scene.title, style="bold", no_wrap=True, overflow="ellipsis")
    story = Text(state.scene.story, style="italic")
    return Panel(Group(title, story), title="saga choreography on Deribit", border_style="blue")


def _sagas(state: Snapshot, rows: int) -> Panel:
    number = state.scene.number if state.scene is not None else 0
    now = [view for view in state.sagas if view.scene == number]
    before = [view for view in state.sagas if view.scene != number]
    shown: list[RenderableType] = [_ended(view) for view in before[-5:]]
    if shown:
        shown.append(Text(""))
    left = rows - len(shown)
    for view in now[-1:]:
        shown.append(_heading(view))
        shown.append(_time_line(view, left - 2))
    if not now:
        shown.append(Text("waiting for a signal ...", style="dim"))
    return Panel(Group(*shown), title="sagas", border_style="green")


def _ended(view: SagaView) -> Text:
    records = view.records
    text = Text(f"{view.scene}. {short(records.saga_id.hex)} ", style="dim", no_wrap=True, overflow="ellipsis")
    text.append(f"{outcome_word(records):<10}", style=outcome_style(records))
    text.append(f"{records.duration_millis:>6} ms  {records.intent.side} {records.intent.instrument}")
    return text


def _heading(view: SagaView) -> Text:
    intent = view.records.intent
    text = Text(f"saga {short(view.records.saga_id.hex)}  ", style="bold", no_wrap=True, overflow="ellipsis")
    text.append(f"{intent.side} {intent.amount} {intent.instrument} at {intent.price:.2f}  ")
    text.append(outcome_word(view.records), style=outcome_style(view.records))
    return text


def _time_line(view: SagaView, rows: int) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), expand=True, show_header=True, header_style="dim")
    table.add_column("time", justify="right", no_wrap=True, width=9)
    table.add_column("step", no_wrap=True, width=8)
    table.add_column("event", no_wrap=True, width=15)
    table.add_column("try", no_wrap=True, width=3, justify="right")
    table.add_column("", no_wrap=True, overflow="ellipsis", ratio=1)
    for moment in view.moments[-max(rows, 1) :]:
        attempt = str(moment.attempt) if moment.attempt else ""
        cells = (offset(moment.offset_millis), moment.step.removesuffix("_order"), moment.event, attempt, moment.detail)
        table.add_row(*(Text(cell) for cell in cells), style=TONES[moment.tone])
    return table


def _exchange(state: Snapshot, width: int, rows: int) -> Panel:
    up = state.program == "running"
    program = Text("program ", no_wrap=True)
    program.append(state.program, style="green" if up else "bold red")
    program.append(f" pid {state.pid}  " if state.pid else "  ", style="dim")
    program.append("connected" if state.connected else "no connection", style="green" if state.connected else "red")
    shown: list[RenderableType] = [program]
    for name, prices in sorted(state.prices.items()):
        shown.append(_price(name, prices, width))
    shown.append(Text(f"{state.ticks} prices, {state.weak_signals} weak signals ignored", style="dim", no_wrap=True))
    if state.books is not None:
        room = rows - len(shown) - 2 - len(state.books.positions)
        shown.append(_orders(state, max(1, min(_ORDERS, room))))
        shown.append(_positions(state))
    return Panel(Group(*shown), title="exchange", border_style="magenta")


def _price(name: str, prices: tuple[float, ...], width: int) -> Text:
    text = Text(f"{name.removesuffix('-PERPETUAL'):<9}{prices[-1]:>10.2f} ", no_wrap=True)
    text.append(sparkline(prices, max(4, width - len(text.plain))), style="cyan")
    return text


def _orders(state: Snapshot, count: int) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), expand=True, header_style="dim")
    for heading in ("saga", "order", "filled", "state"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for order in state.books.orders[-count:] if state.books is not None else ():
        style = {"open": "yellow", "filled": "green"}.get(order.order_state, "red")
        what = f"{order.direction} {order.instrument_name.split('-')[0].split('_')[0]}"
        filled = f"{number(order.filled_amount)}/{number(order.amount)}"
        saga_id = saga_of_label(order.label)
        cells = (short(saga_id.hex) if saga_id is not None else "-", what, filled, order.order_state)
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def _positions(state: Snapshot) -> Text:
    held = [position for position in state.books.positions if position.size] if state.books is not None else []
    words = [f"{number(position.size)} {position.instrument_name.split('-')[0]}" for position in held]
    return Text("position " + (", ".join(words) or "flat"), no_wrap=True, overflow="ellipsis")


def _news(state: Snapshot, rows: int) -> Panel:
    shown: list[Text] = []
    for line in last_lines(state.log, _NEWS, rows):
        who = f"fact {short(line.saga)}" if line.source is Source.FACT else line.source.value
        text = Text(f"{who:<14}", style=SOURCES[line.source], no_wrap=True, overflow="ellipsis")
        shown.append(text.append(line.text))
    return Panel(Group(*shown), title="what happens", border_style="blue")
