"""The order in which requests are sent, and that no one-time token is sent twice."""

import itertools

from loadtests.prepared import Chains, prepare
from loadtests.turns import in_turn

ROW = {"method": "GET", "path": "/", "headers": []}
USUAL = [prepare(number, ROW, "h") for number in range(5)]


def rolling(*users: str) -> list:
    chains = Chains()
    rows = [ROW | {"headers": [["Authorization", f"Bearer {user}"]], "rolls": user} for user in users]
    return [prepare(number, row, "h", chains) for number, row in enumerate(rows)]


def numbers(cycle, count: int) -> list[int]:
    return [request.number for request in itertools.islice(cycle, count)]


def test_the_order_of_the_file_for_ever_from_any_place():
    assert numbers(in_turn(USUAL), 12) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    assert numbers(in_turn(USUAL, 3), 7) == [3, 4, 0, 1, 2, 3, 4]


def test_who_awaits_an_answer_is_passed_over_until_it_comes():
    requests = rolling("ann", "bob", "ann", "cyd")
    turns = in_turn(requests)
    assert numbers(turns, 3) == [0, 1, 3]  # the third is ann's again, who awaits the answer to the first
    requests[0].ended(b"ann-1")
    requests[3].ended(b"cyd-1")
    assert numbers(turns, 2) == [0, 3]
    assert b"ann-1" in requests[2].wire


def test_where_everybody_awaits_an_answer_the_next_in_line_is_sent():
    """An answer that never comes must not hold the window up: the server will refuse, and that is counted."""
    assert numbers(in_turn(rolling("ann", "bob")), 5) == [0, 1, 0, 1, 0]


def test_a_new_window_finds_everybody_free():
    requests = rolling("ann", "bob", "cyd")
    assert numbers(in_turn(requests), 2) == [0, 1]
    assert numbers(in_turn(requests), 3) == [0, 1, 2]


def test_requests_without_a_token_are_sent_as_they_stand_among_others():
    requests = [*rolling("ann"), prepare(1, ROW, "h")]
    assert numbers(in_turn(requests), 4) == [0, 1, 1, 1]
