"""The figures among the README's limits are what a program counts."""

import sys
from pathlib import Path

import pytest

from tests.docs.documents import ROOT
from tests.docs.running import printed_by

DESCRIPTORS = """
import os
from saga_choreography import SagaSystem
from trip import FlightDesk, HotelDesk

def descriptors():
    return len(os.listdir("/proc/self/fd"))

with SagaSystem("state") as system:
    before = descriptors()
    system.start_actor(FlightDesk)
    system.start_actor(HotelDesk)
    print((descriptors() - before) / 2)
"""

COMMITS = """
from threading import Event
from saga_choreography import SagaSystem
from trip import TRIP_WORKFLOW, FlightDesk, HotelDesk, Trip

ended = Event()

class CountedFlightDesk(FlightDesk):
    def on_saga_completed(self, context):
        ended.set()

with SagaSystem("state") as system:
    system.start_actor(CountedFlightDesk)
    system.start_actor(HotelDesk)
    system.start_saga(TRIP_WORKFLOW, Trip("Oslo"))
    assert ended.wait(30)
    print(system.stats()["CountedFlightDesk"].commits)
"""


def readme() -> str:
    return " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_an_actor_keeps_four_descriptors_open(examples: Path) -> None:
    assert "keeps four descriptors open" in readme()
    (examples / "count.py").write_text(DESCRIPTORS, encoding="utf-8")
    assert printed_by("count.py", examples) == "4.0\n"


def test_a_step_of_a_lone_saga_costs_three_commits(examples: Path) -> None:
    assert "a step with an effect costs three commits" in readme()
    (examples / "count.py").write_text(COMMITS, encoding="utf-8")
    assert printed_by("count.py", examples) == "3\n"
