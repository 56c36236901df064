import pytest

from authbench.experiments.payload.answer import Answer, ask
from authbench.experiments.payload.measures import Refuser

NGINX = b"<html>\r\n<body>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
GUNICORN = b"<html><head><title>Bad Request</title></head></html>"


@pytest.mark.parametrize(
    ("answer", "through_the_balancer", "at_a_replica"),
    [
        (Answer(200, b"{}", from_shop=True), Refuser.NOBODY, Refuser.NOBODY),
        (Answer(401, b"{}", from_shop=True), Refuser.SHOP, Refuser.SHOP),
        (Answer(400, NGINX), Refuser.BALANCER, Refuser.SERVER),
        (Answer(431, GUNICORN), Refuser.SERVER, Refuser.SERVER),
        (Answer(None), Refuser.BALANCER, Refuser.SERVER),
        (Answer(502, NGINX), Refuser.SERVER, Refuser.SERVER),  # the replica closed, and nginx says so
    ],
)
def test_who_refused(answer: Answer, through_the_balancer: Refuser, at_a_replica: Refuser) -> None:
    assert answer.refuser(balanced=True) is through_the_balancer
    assert answer.refuser(balanced=False) is at_a_replica


def test_a_port_where_nobody_listens_is_no_answer() -> None:
    assert ask("http://127.0.0.1:1", (("Cookie", "a=b"),)) == Answer(None)
