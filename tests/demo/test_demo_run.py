"""The demo as a person starts it: real processes, a real socket, real stores, and a SIGKILL in the middle."""

import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from deribit_example.demo.children import ExchangeProcess
from deribit_example.demo.exits import (
    EXIT_CONNECTION,
    EXIT_DATA_DIR,
    EXIT_OK,
    EXIT_TERMINATED,
    EXIT_USAGE,
)
from deribit_example.demo.journals import JournalReader
from deribit_example.demo.scenes import SCENES
from deribit_example.exchange import ExchangeControl
from saga_choreography import StoreLocked
from saga_choreography.events import OutcomeKind
from saga_choreography.storage import DataDirectory

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("DERIBIT_")}
RUN_SECONDS = 240


def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deribit_example", *arguments],
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def pids_in(text: str) -> set[int]:
    return {int(pid) for pid in re.findall(r"runs \(pid (\d+)\)", text)}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.timeout(RUN_SECONDS + 30)
def test_every_scene_ends_as_it_should_and_the_books_agree(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    done = run("--fast", "--data-dir", str(data_dir))
    assert done.returncode == EXIT_OK, done.stdout + done.stderr
    for scene in SCENES:
        assert f"== Scene {scene.title.number}. {scene.title.title} ==" in done.stdout
    for told in (
        "nothing to undo",
        "never ran",
        "undone",
        "in doubt",
        "nothing was sent again",
        "has one order of this saga, not two",
        "SIGKILL to the trading program",
        "goes on with 1 saga(s) of its journals",
        "The exchange's books and the journals agree",
    ):
        assert told in done.stdout
    pids = pids_in(done.stdout)
    assert len(pids) == 3
    assert not any(is_running(pid) for pid in pids)
    with JournalReader(data_dir / "journals") as reader:
        outcomes = [saga.outcome for saga in reader.sagas()]
        assert reader.orphans() == ()
    # A jump of the market may give a signal more than a scene needs; it never gives one less.
    assert outcomes.count(OutcomeKind.COMPLETED) >= 3
    assert outcomes.count(OutcomeKind.FAILED) >= 2
    assert None not in outcomes
    again = run("--fast", "--data-dir", str(data_dir))
    assert again.returncode == EXIT_DATA_DIR
    assert "of an earlier run" in again.stderr


def test_a_data_directory_in_use_is_refused(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path / "journals"):
        done = run("--data-dir", str(tmp_path))
    assert done.returncode == StoreLocked.exit_code
    assert str(tmp_path) in done.stderr


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("something else", encoding="utf-8")
    done = run("--data-dir", str(taken))
    assert done.returncode == EXIT_USAGE
    assert "cannot be made" in done.stderr
    assert taken.read_text(encoding="utf-8") == "something else"


def test_orders_on_a_real_exchange_need_to_be_asked_for() -> None:
    done = run("--place", DERIBIT_CLIENT_ID="id", DERIBIT_CLIENT_SECRET="hush-hush", DERIBIT_URL="ws://127.0.0.1:1")
    assert done.returncode == EXIT_USAGE
    assert "needs --live" in done.stderr
    assert "hush-hush" not in done.stdout + done.stderr


def test_a_live_run_names_the_variable_that_is_missing() -> None:
    done = run("--live", DERIBIT_CLIENT_ID="id", DERIBIT_URL="ws://127.0.0.1:1")
    assert done.returncode == EXIT_USAGE
    assert "DERIBIT_CLIENT_SECRET" in done.stderr


def test_orders_with_real_money_are_refused(tmp_path: Path) -> None:
    real = {"DERIBIT_CLIENT_ID": "id", "DERIBIT_CLIENT_SECRET": "hush-hush"}
    url = "wss://www.deribit.com/ws/api/v2"
    done = run("--live", "--place", "--data-dir", str(tmp_path), DERIBIT_URL=url, **real)
    assert done.returncode == EXIT_USAGE
    assert "test network only" in done.stderr


@pytest.mark.parametrize("secret", ["right-secret", "wrong-secret"])
def test_a_live_run_watches_without_orders_and_never_shows_the_secret(tmp_path: Path, secret: str) -> None:
    with (
        ExchangeProcess(tmp_path, seed=1, client_id="live-key", client_secret="right-secret") as exchange,
        ExchangeControl(exchange.url) as control,
    ):
        settings = {"DERIBIT_CLIENT_ID": "live-key", "DERIBIT_CLIENT_SECRET": secret, "DERIBIT_URL": exchange.url}
        done = run("--live", "--seconds", "1", "--data-dir", str(tmp_path / "data"), **settings)
        orders = control.orders()
    assert done.returncode == (EXIT_OK if secret == "right-secret" else EXIT_CONNECTION)
    assert orders == ()
    written = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not any(secret.encode() in text for text in (done.stdout.encode(), done.stderr.encode(), *written))


@pytest.mark.timeout(RUN_SECONDS)
def test_ending_the_demo_ends_its_processes(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "deribit_example", "--data-dir", str(tmp_path)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    seen: list[str] = []
    for line in process.stdout:
        seen.append(line)
        if line.startswith("== Scene 1"):
            break
    # What is still on its way must not fill the pipe while we wait.
    drain = Thread(target=process.stdout.read, daemon=True)
    drain.start()
    process.terminate()
    assert process.wait(timeout=60) == EXIT_TERMINATED
    drain.join(timeout=60)
    assert "terminated" in process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    pids = pids_in("".join(seen))
    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)
