"""The plan of a run: complete blocks in random order, the same from the same seed."""

from authbench.design import estimated_seconds, plan
from authbench.scenario_file import load_scenario
from tests.unit.test_scenario import METRICS, STRATEGIES, with_credentials


def scenario(**overrides):
    return load_scenario("compare", "quick", known_strategies=STRATEGIES, known_metrics=METRICS, overrides=overrides)


def test_every_block_holds_every_cell_once() -> None:
    s = scenario()
    for launch in plan(s, s.cells(), seed=1):
        for block in launch.blocks:
            assert {trial.cell for trial in block} == set(s.cells())
            assert len(block) == len(s.cells())
            assert [trial.position for trial in block] == list(range(len(block)))


def test_same_seed_same_order_other_seed_other_order() -> None:
    s = scenario()
    assert plan(s, s.cells(), 7) == plan(s, s.cells(), 7)
    assert plan(s, s.cells(), 7) != plan(s, s.cells(), 8)


def test_blocks_differ_in_order() -> None:
    s = scenario()
    orders = {tuple(t.cell.strategy + t.cell.load for t in launch.trials()) for launch in plan(s, s.cells(), 1)}
    assert len(orders) == s.profile.launches


def test_another_number_of_replicas_is_another_launch() -> None:
    s = scenario(replicas=["1", "2"])
    launches = plan(s, s.cells(), 3)
    assert len(launches) == 2 * s.profile.launches
    for launch in launches:
        assert {trial.cell.replicas for trial in launch.trials()} == {launch.deployment.replicas}
    assert [launch.number for launch in launches] == list(range(len(launches)))


def test_another_workload_is_another_launch() -> None:
    """Connections that one workload leaves open must not be counted in another."""
    s = scenario(workload=["whoami", "orders"])
    launches = plan(s, s.cells(), 3)
    assert len(launches) == 2 * s.profile.launches
    for launch in launches:
        assert len({trial.cell.workload for trial in launch.trials()}) == 1


def test_keys_are_unique() -> None:
    s = scenario(replicas=["1", "2"])
    keys = [trial.key() for launch in plan(s, s.cells(), 3) for trial in launch.trials()]
    assert len(set(keys)) == len(keys)


def test_the_estimate_grows_with_the_work() -> None:
    assert estimated_seconds(scenario(strategy=["none"])) < estimated_seconds(scenario())


def test_the_estimate_knows_that_a_round_of_unique_credentials_takes_time() -> None:
    own, unique = with_credentials("own", live_sessions=4_000), with_credentials("unique", live_sessions=4_000)
    assert estimated_seconds(unique) - estimated_seconds(own) > 10
