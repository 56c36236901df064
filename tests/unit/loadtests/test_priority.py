"""Real-time priority is a wish: where the system refuses, the work goes on without."""

import os

from loadtests import priority


def test_a_refusal_is_no_error(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with priority.real_time() as raised:
        assert not raised


def test_not_wanted_changes_nothing(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda *call: calls.append(call))
    with priority.real_time(wanted=False) as raised:
        assert not raised
    assert calls == []


def test_it_is_given_back(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda _, policy, __: calls.append(policy))
    with priority.real_time() as raised:
        assert raised
    assert calls == [os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.SCHED_OTHER]
