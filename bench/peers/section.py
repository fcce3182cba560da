"""The section of the peers: how many of our sagas are finished while one of theirs is."""

from collections.abc import Sequence
from typing import Final

from attrs import evolve, frozen

from bench.answer import HEADER, Answer, Verdict, row
from bench.case import Case, Runs
from bench.peers import DBOS, EVENTSOURCING, PEERS, RESTATE, Peer, skipped
from bench.sections import OURS, Section

TITLE: Final = "Beside what users would pick instead"
THROUGHPUT: Final = {DBOS.name: 40.0, RESTATE.name: 10.0, EVENTSOURCING.name: 10.0}
"""How many times a peer's throughput ours is meant to be, 64 in flight."""
LATENCY: Final = {DBOS.name: 1 / 3, RESTATE.name: 1 / 3}
"""The share of a peer's median latency that ours is meant to take, one at a time."""
_LATENCY_SAGAS: Final = 100


def cases(measured: Sequence[Peer]) -> tuple[Case, ...]:
    """Ours and then each peer: 64 in flight, and one at a time."""
    throughput = (OURS, *(evolve(OURS, subject=peer.name, sagas=peer.sagas) for peer in measured))
    return tuple(
        each for case in throughput for each in (case, evolve(case, in_flight=1, sagas=_latency_sagas(case.subject)))
    )


def _latency_sagas(subject: str) -> int:
    return _LATENCY_SAGAS if subject in PEERS else 4 * _LATENCY_SAGAS


@frozen
class _Answering:
    """Compares the runs of `cases`, in their order."""

    measured: tuple[Peer, ...]
    notes: tuple[str, ...]

    def __call__(self, runs: Sequence[Runs]) -> Answer:
        ours, ours_alone, *theirs = runs
        many, alone = theirs[::2], theirs[1::2]
        of_peers = tuple(zip(self.measured, many, alone, strict=True))
        verdicts: list[Verdict] = []
        for peer, of_many, _ in of_peers:
            what = f"throughput over {peer.title}, 64"
            value = ours.per_second / of_many.per_second
            verdicts.append(Verdict(what=what, value=value, at_least=THROUGHPUT[peer.name]))
        for peer, _, of_one in of_peers:
            if (limit := LATENCY.get(peer.name)) is not None:
                value = ours_alone.latency(0.5) / of_one.latency(0.5)
                verdicts.append(Verdict(what=f"p50 over that of {peer.title}", value=value, at_most=limit))
        return Answer(
            header=HEADER,
            rows=(
                row("the library, 64 in flight", ours),
                *(row(f"{peer.title}, 64 in flight", of_many) for peer, of_many, _ in of_peers),
                row("the library, one at a time", ours_alone),
                *(row(f"{peer.title}, one at a time", of_one) for peer, _, of_one in of_peers),
            ),
            verdicts=tuple(verdicts),
            notes=self.notes,
        )


def peers_section() -> Section:
    """The section with all peers that can be measured here; its notes say of the others what is missing."""
    reasons = {name: skipped(peer) for name, peer in PEERS.items()}
    measured = tuple(peer for name, peer in PEERS.items() if reasons[name] is None)
    notes = tuple(reason for reason in reasons.values() if reason is not None)
    return Section(name="peers", title=TITLE, cases=cases(measured), answer=_Answering(measured, notes))
