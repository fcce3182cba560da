"""What is left on the terminal at the end: time lines, the table, and what the check has found."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deribit_example.demo.snapshot import SagaView
from deribit_example.demo.words import TONES, attempts_word, offset, outcome_style, outcome_word, short, steps_word


def print_time_lines(console: Console, views: Sequence[SagaView], titles: dict[int, str]) -> None:
    """The time line of every saga, under its scene."""
    for view in views:
        heading = titles.get(view.scene, "")
        saga = f"saga {short(view.records.saga_id.hex)}"
        console.print(Text.assemble((f"{view.scene}. {heading}  ", "bold"), (saga, "dim")))
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        table.add_column(justify="right", no_wrap=True)
        for column in ("step", "event", "attempt"):
            table.add_column(column, no_wrap=True)
        table.add_column("detail", overflow="fold")
        for moment in view.moments:
            attempt = f"attempt {moment.attempt}" if moment.attempt else ""
            cells = (offset(moment.offset_millis), moment.step, moment.event, attempt, moment.detail)
            table.add_row(*(Text(cell) for cell in cells), style=TONES[moment.tone])
        console.print(Padding(table, (0, 0, 1, 3)))


def print_table(console: Console, views: Sequence[SagaView]) -> None:
    """One row a saga, computed from the journals."""
    table = Table(title="Sagas, as the journals tell them", title_justify="left", title_style="bold")
    table.add_column("scene", justify="right")
    table.add_column("saga", no_wrap=True)
    table.add_column("order", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("steps")
    table.add_column("attempts")
    table.add_column("duration", justify="right", no_wrap=True)
    for view in views:
        intent = view.records.intent
        table.add_row(
            str(view.scene or "-"),
            short(view.records.saga_id.hex),
            f"{intent.side} {intent.amount} {intent.instrument.split('-')[0]}",
            Text(outcome_word(view.records), style=outcome_style(view.records)),
            steps_word(view),
            attempts_word(view.records),
            f"{view.records.duration_millis} ms",
        )
    console.print(table)


def print_verdict(console: Console, differences: Sequence[str], orders: int, sagas: int) -> None:
    """What the check has found."""
    if not differences:
        text = f"The exchange's books and the journals agree: {orders} orders, {sagas} sagas, no difference."
        console.print(Text(text, style="bold green"))
        return
    console.print(Text("The exchange's books and the journals DISAGREE:", style="bold red"))
    for difference in differences:
        console.print(Text(f"  - {difference}", style="red"))
