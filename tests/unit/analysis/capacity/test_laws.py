"""The laws give what textbooks give."""

import math

import pytest

from authbench.analysis.capacity.laws import Station, bound_rps, closed, open_response_s, utilisation


def test_the_busiest_station_bounds_the_rate() -> None:
    stations = (Station(0.002, 4), Station(0.001, 1), Station(0.0, 1))
    assert bound_rps(stations) == 1000
    assert utilisation(500, stations[0]) == 0.25
    assert bound_rps((Station(0, 1),)) == math.inf


def test_one_queue_under_poisson_arrivals_is_m_m_1() -> None:
    assert open_response_s(50, [Station(0.01, 1)]) == pytest.approx(0.01 / (1 - 0.5))
    assert open_response_s(100, [Station(0.01, 1)]) == math.inf


def test_a_closed_network_of_one_queue_serves_at_its_limit() -> None:
    for customers in (1, 4, 16):
        rate_rps, response_s = closed([Station(0.01, 1)], customers)
        assert rate_rps == pytest.approx(100)
        assert rate_rps * response_s == pytest.approx(customers)  # Little's law


def test_the_worked_example_of_two_queues() -> None:
    """Two balanced queues of demand D: X(N) = N / (D (N + 1)) (E. D. Lazowska and others, 1984, chapter 5)."""
    for customers in (1, 2, 5, 20):
        rate_rps, _ = closed([Station(0.1, 1), Station(0.1, 1)], customers)
        assert rate_rps == pytest.approx(customers / (0.1 * (customers + 1)))


def test_thinking_is_no_queue() -> None:
    rate_rps, response_s = closed([Station(0.01, 1)], 1, think_s=0.99)
    assert (rate_rps, response_s) == (pytest.approx(1.0), pytest.approx(0.01))


def test_more_servers_serve_more_and_answer_one_no_faster() -> None:
    alone, _ = closed([Station(0.01, 4)], 1)
    crowded, _ = closed([Station(0.01, 4)], 100)
    assert alone == pytest.approx(100)
    assert 390 < crowded <= 400
