"""Samples count for the innermost part that is known, and only those of threads that do the work."""

from collections import Counter

import pytest

from bench.profiling import by_part, part_of, profile, profile_answer, samples

ACTOR = "Actor._actor_loop (pykka/_actor.py:244)"
RAW = f"""\
{ACTOR};decide (saga_choreography/protocol/decide.py:99);dumps (somewhere/json.py:3) 3
{ACTOR};get (lib/queue.py:180) 1
{ACTOR};commit (saga_choreography/storage/staging.py:1);_apply (saga_choreography/storage/lmdb_map.py:2) 2
{ACTOR};__init__ (<attrs generated methods saga_choreography.state.container.ParticipantState>:9) 1
<module> (bench/child.py:1);_find_and_load (<frozen importlib._bootstrap>:1176) 50

"""


def test_a_sample_counts_for_the_innermost_known_part() -> None:
    assert by_part(samples(RAW)) == {
        "the pure core: decisions, states, events": 4,
        "Pykka: mailboxes": 1,
        "LMDB: writing rows, beginning and ending transactions": 2,
    }


def test_what_belongs_nowhere_is_something_else() -> None:
    assert part_of(("f (elsewhere.py:1)",)) == "else"


def test_shares_are_told_from_the_largest_down() -> None:
    answer = profile_answer(Counter({"small": 1, "large": 3}), 0.4)
    assert answer.rows == (("large", "75%"), ("small", "25%"))
    assert answer.notes == ("The kernel's share of all processor time, without py-spy: 40%.",)


def test_without_py_spy_nothing_is_run_and_the_way_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def finds_nothing(name: str, *, path: str | None = None) -> None:
        """No program is anywhere."""

    monkeypatch.setattr("bench.profiling.shutil.which", finds_nothing)
    answer = profile(10, None, lambda line: pytest.fail(f"it ran: {line}"))
    assert answer.rows == ()
    assert "pip install 'saga_choreography[bench]'" in answer.notes[0]
