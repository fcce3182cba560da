"""An answer is waited for, an actor that has ended is not, and its successor is asked anew."""

from concurrent.futures import Future

import pykka
import pytest

from saga_choreography import NoReply
from saga_choreography.runtime.event_stream import Ref
from saga_choreography.runtime.replies import answered, ask_until_answered


class Clerk(pykka.ThreadingActor):
    """Answers, refuses, or ends without a word."""

    use_daemon_thread = True

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer

    def on_receive(self, message: "Future[None]") -> None:
        if self.answer == "yes":
            message.set_result(None)
        elif self.answer == "timeout":
            message.set_exception(TimeoutError("mine, not yours"))
        elif self.answer == "end":
            self.stop()


class Office:
    """An actor with one successor, which comes when somebody waits for it."""

    def __init__(self, *answers: str) -> None:
        self.refs: list[Ref] = [Clerk.start(answer) for answer in answers]
        self.waited_for: list[Ref] = []

    @property
    def ref(self) -> Ref:
        return self.refs[0]

    def await_successor(self, ended: Ref, timeout: float) -> None:
        assert ended.actor_stopped.wait(timeout)
        self.waited_for.append(self.refs.pop(0))


def itself(reply: "Future[None]") -> object:
    return reply


def test_an_answer_is_an_answer() -> None:
    ask_until_answered(Office("yes"), itself, 10)


def test_an_answer_that_is_a_timeout_of_the_actors_own_is_raised_and_not_waited_for() -> None:
    with pytest.raises(TimeoutError, match="mine, not yours"):
        ask_until_answered(Office("timeout"), itself, 10)


def test_the_successor_of_an_actor_that_ended_is_asked_anew() -> None:
    office = Office("end", "yes")
    ask_until_answered(office, itself, 10)
    assert len(office.waited_for) == 1


def test_silence_has_an_end() -> None:
    with pytest.raises(NoReply, match="ask again"):
        ask_until_answered(Office("silent"), itself, 0.01)


def test_an_actor_that_ended_without_an_answer_is_noticed() -> None:
    office = Office("end")
    reply: Future[None] = Future()
    office.ref.tell(reply)
    assert answered(office.ref, reply, 10) is False
