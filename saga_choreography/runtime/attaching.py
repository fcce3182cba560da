"""How an actor becomes part of a system, on its own thread: open its stores, recover, join the stream, go on."""

import threading
from typing import Final, final

from attrs import frozen

from saga_choreography.errors import WorkflowError
from saga_choreography.helpers.admission import Admission
from saga_choreography.helpers.engine import Engine
from saga_choreography.helpers.handler import recover_sagas
from saga_choreography.helpers.host import HasEngines
from saga_choreography.helpers.initiating import InitiatorEngine
from saga_choreography.helpers.participant import ParticipantEngine
from saga_choreography.helpers.watch import Watches
from saga_choreography.runtime.connection import Connection, tell
from saga_choreography.runtime.event_stream import Joined, Ref
from saga_choreography.runtime.initiator import InitiatorSeat, SagaInitiator, hears_outcomes
from saga_choreography.storage import DataDirectory, Durability, StorePlace
from saga_choreography.traits.participant import SagaParticipant, declared_tokens, undo_faults
from saga_choreography.traits.state_ext import SagaStateExt
from saga_choreography.traits.subscription import StepToken

INITIATOR_SUFFIX: Final = "-initiator"


@final
@frozen
class Roles:
    """What a class can be in a system."""

    participant: bool
    initiator: bool


def roles_of(actor_class: type) -> Roles:
    """The roles a class implements.

    Raises:
        WorkflowError: it implements none, or only half of one.
    """
    name = actor_class.__name__
    participant = issubclass(actor_class, SagaParticipant)
    state = issubclass(actor_class, SagaStateExt)
    initiator = issubclass(actor_class, SagaInitiator)
    if participant and not state:
        raise WorkflowError(
            name, [f"class {name} is a SagaParticipant but has no SagaStateExt: where does its state live?"]
        )
    if not participant and not initiator:
        raise WorkflowError(
            name, [f"class {name} is neither a SagaParticipant with a SagaStateExt nor a SagaInitiator"]
        )
    return Roles(participant, initiator)


def participant_tokens(actor_class: type) -> tuple[StepToken, ...]:
    """The step tokens a participant class declares.

    Raises:
        WorkflowError: it declares none, or other undo data than its tokens.
    """
    tokens = declared_tokens(actor_class)
    if not tokens:
        raise WorkflowError(
            actor_class.__name__, [f"class {actor_class.__name__} declares no step: set `step = YOUR_TOKEN`"]
        )
    faults = [fault for token in tokens for fault in undo_faults(actor_class, token)]
    if faults:
        raise WorkflowError(actor_class.__name__, faults)
    return tokens


@final
@frozen(kw_only=True)
class Attaching:
    """Attaches one actor (one shard of it)."""

    actor_name: str
    shard: int
    shards: int
    directory: DataDirectory
    directory_guard: threading.Lock
    durability: Durability
    stream: Ref
    seat: InitiatorSeat | None
    admission: Admission
    watches: Watches

    def __call__(self, actor: HasEngines, connection: Connection) -> tuple[Engine, ...]:
        engines: list[Engine] = []
        actor.saga_engines = ()
        try:
            steps: frozenset[tuple[str, str]] = frozenset()
            if isinstance(actor, SagaParticipant) and isinstance(actor, SagaStateExt):
                actor.open_saga_store(self._place(self.actor_name))
                self._mark_ready(self.actor_name)
                actor.saga_states.clear()
                steps = self._participant(actor, actor, connection, engines)
            if isinstance(actor, SagaInitiator):
                engines.append(self._initiator(actor, connection))
            actor.saga_engines = tuple(engines)
            recover_sagas(actor)
            self._join(actor, connection, steps, engines)
        except BaseException:
            # Also what fails after the others heard of it: a store left open would be locked against the successor.
            actor.saga_engines = ()
            for engine in engines:
                engine.close()
            raise
        return tuple(engines)

    def _join(
        self, actor: HasEngines, connection: Connection, steps: frozenset[tuple[str, str]], engines: list[Engine]
    ) -> None:
        tell(
            self.stream,
            Joined(
                peer_id=connection.peer_id,
                ref=connection.own_ref,
                steps=steps,
                is_initiator=isinstance(actor, SagaInitiator),
                shard=self.shard,
                shards=self.shards,
            ),
        )
        if isinstance(actor, SagaInitiator):
            engines[-1].isolate("on_sagas_recovered", actor.on_sagas_recovered)
        for engine in engines:
            engine.join()

    def _participant(
        self,
        participant: SagaParticipant[object, object, object],
        state: SagaStateExt,
        connection: Connection,
        engines: list[Engine],
    ) -> frozenset[tuple[str, str]]:
        try:
            engine = ParticipantEngine(participant, state, connection)
        except BaseException:
            state.saga_journal.close()  # no engine yet that would close it
            raise
        engines.append(engine)
        return engine.steps

    def _initiator(self, actor: SagaInitiator, connection: Connection) -> InitiatorEngine:
        name = self.actor_name + INITIATOR_SUFFIX
        journal = self._place(name).open_initiator_journal()
        self._mark_ready(name)
        actor.saga_seat = self.seat
        return InitiatorEngine(
            journal,
            connection,
            admission=self.admission,
            watches=self.watches,
            on_verdict=actor.on_saga_outcome if hears_outcomes(type(actor)) else None,
        )

    def _place(self, name: str) -> StorePlace:
        with self.directory_guard:
            if self.directory.shards_of(name) != self.shards:
                self.directory.set_shards(name, self.shards)
            return StorePlace(
                path=self.directory.env_path(name, self.shard),
                owner=f"{name}/{self.shard}",
                durability=self.durability,
                must_exist=self.directory.is_ready(name, self.shard),
            )

    def _mark_ready(self, name: str) -> None:
        with self.directory_guard:
            self.directory.mark_ready(name, self.shard)
