from strategies import JSON

from chatproxy.core.model import Response
from chatproxy.core.replay.rendered import Rendered


def test_a_rendered_answer_is_a_response_with_the_fields_of_its_head() -> None:
    head = b"Content-Type: application/json\r\nX-A: \r\nX-A: b: c\r\n"
    response = Response(200, b"Fine", (JSON, (b"X-A", b""), (b"X-A", b"b: c")), b"{}")
    assert Rendered(200, b"Fine", head, b"{}").response == response
    assert Rendered(204, b"", b"", b"").response == Response(204)
