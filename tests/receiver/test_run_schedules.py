"""Whatever comes, fails, dies or is asked for, and when: the order holds, and all is done in the end."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, select

from receiver.database import Database
from receiver.executor import Ended
from receiver.models import Outcome, RunState, events, runs
from receiver.runs import ALL, Claimed, dispatching
from tests.receiver.workbench import DAY, HOUR, MINUTE, Workbench, emptied, empty, failed, handler, succeeded

EXAMPLES = 20  # thousands were tried once
OPEN = {RunState.QUEUED, RunState.RETRYING, RunState.RUNNING}
HANDLERS = handler("tell", once=True), handler("enable", "COMPLETED", leaving=("COMPLETED",))
STATUSES = st.sampled_from(["NOT_STARTED", "IN_REVIEW", "COMPLETED"])
ENDS = st.sampled_from(
    [
        succeeded(),
        failed(),
        failed(no_retry=True),
        Ended(Outcome.CRASHED, error="crashed"),
        Ended(Outcome.IN_DOUBT, error="who knows"),
    ]
)


class Schedule(RuleBasedStateMachine):
    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        empty(self.engine)
        self.bench = Workbench(self.engine, *HANDLERS)
        self.bench.register()
        self.claimed: list[Claimed] = []

    @rule(
        ref_id=st.sampled_from(["acme", "bolt"]),
        minute=st.integers(0, 6),
        status=STATUSES,
        previous=STATUSES,
        kind=st.sampled_from(["dated", "dated", "dated", "undated", "aml"]),
    )
    def arrive(self, ref_id: str, minute: int, status: str, previous: str, kind: str) -> None:
        if kind == "aml":
            self.bench.arrive_aml(ref_id)
        else:
            self.bench.arrive(ref_id, minute, kind == "dated", status=status, previousStatus=previous)

    @rule()
    def dispatch(self) -> None:
        self.bench.dispatch()

    @rule(pace=st.sampled_from([0, 1]))
    def claim(self, pace: int) -> None:
        claimed = self.bench.claim(pace)
        if claimed is not None:
            self.claimed.append(claimed)
            self.assert_it_was_its_turn(claimed)

    @precondition(lambda self: self.claimed)
    @rule(chosen=st.integers(0, 7), ended=ENDS, hours=st.sampled_from([None, 0, 12]))
    def finish(self, chosen: int, ended: Ended, hours: int | None) -> None:
        claimed = self.claimed.pop(chosen % len(self.claimed))
        if ended == failed() and hours is not None:
            ended = failed(retry_at=self.bench.now + hours * HOUR)
        self.bench.finish(claimed, ended)

    @rule(passed=st.sampled_from([timedelta(seconds=1), MINUTE, HOUR, DAY]))
    def let_time_pass(self, passed: timedelta) -> None:
        """Who still holds a claim after its lease is a dead worker, and may come back to life."""
        self.bench.now += passed
        self.bench.rescue()

    @rule(chosen=st.integers(0, 20))
    def reprocess(self, chosen: int) -> None:
        if kept := self.bench.rows(runs):
            self.bench.reprocess(kept[chosen % len(kept)].id)

    @rule(name=st.sampled_from(["tell", "enable", ALL]))
    def pause(self, name: str) -> None:
        self.bench.pause(name)

    @rule(name=st.sampled_from(["tell", "enable", ALL]))
    def resume(self, name: str) -> None:
        self.bench.resume(name)

    def assert_it_was_its_turn(self, claimed: Claimed) -> None:
        kept = self.kept()
        this = next(run for run in kept if run.id == claimed.run_id)
        same = [run for run in kept if (run.ref_id, run.handler) == (this.ref_id, this.handler)]
        assert [run.id for run in same if run.state == RunState.RUNNING] == [this.id]
        assert not [run for run in same if run.state in OPEN and stands_before(run, this)]
        known = [event for event in self.bench.rows(events) if event.ref_id == this.ref_id]
        assert not [event for event in known if not event.dispatched_at and stands_before(event, this)]

    def kept(self) -> list[Any]:
        its_event = events.c.ref_id, events.c.place, events.c.id.label("event")
        with self.bench.engine.begin() as connection:
            rows = select(runs, *its_event).join(events, events.c.id == runs.c.event_id)
            return list(connection.execute(rows))

    def teardown(self) -> None:
        """With time, and without brakes, one look at everything that is due leaves nothing open."""
        for name in (*self.bench.names, ALL):
            self.bench.resume(name)
        while self.bench.dispatch():
            pass
        self.bench.now += 2 * DAY
        self.bench.rescue()
        self.bench.now += MINUTE
        self.bench.work_off()
        assert not [run for run in self.kept() if run.state in OPEN]


def stands_before(one: Any, other: Any) -> bool:
    if one.place is None or other.place is None:
        event = getattr(one, "event", None) or one.id
        return one.place is None and other.place is None and event < other.event
    return bool(one.place < other.place)


def test_every_schedule_keeps_the_order_and_ends(
    lasting_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "DISPATCH_BATCH", 2)
    few = settings(
        max_examples=EXAMPLES, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
    with emptied(lasting_database) as engine:
        on_this_database = type("OnThisDatabase", (Schedule,), {"engine": engine})
        run_state_machine_as_test(on_this_database, settings=few)
