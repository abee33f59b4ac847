from chatproxy.core.model import ExchangeNumber
from chatproxy.core.sharing.merging import Overlap
from chatproxy.show.overlaps import overlap_lines

ONE, THREE = ExchangeNumber(1), ExchangeNumber(3)


def test_a_line_names_the_cassettes_that_write_and_their_exchanges() -> None:
    (line,) = overlap_lines([Overlap(b"/v1/Messages", ((ONE, THREE), (), (ONE,)))], ["a", "b", "c.json"])
    assert line.startswith("a (1, 3) and c.json (1) write to /v1/Messages; what each answers there needs")


def test_many_places_are_counted() -> None:
    lines = list(overlap_lines([Overlap(b"/%d" % nth, ((ONE,), (ONE,))) for nth in range(23)], ["a", "b"]))
    assert len(lines) == 21
    assert lines[-1] == "and 3 more places to which several write"
