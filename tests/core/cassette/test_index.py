from dataclasses import replace

from strategies import FORM, MESSAGES

from chatproxy.core.answers.template import Reply, Template
from chatproxy.core.cassette.cassette import Read
from chatproxy.core.cassette.compile import Compiled
from chatproxy.core.cassette.index import Indexer, Touch
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import ExchangeNumber, Request
from chatproxy.core.timeline.epochs import COLLECTION, Opening, Place

REPLY = Reply(200, b"OK", Template((b"",)), Template((b"",)))


def compiled(number: int, request: Request, place: Place) -> Compiled:
    form = normalize(request, Rules())
    return Compiled(ExchangeNumber(number), (form.key,), form.shape, form.route, REPLY, place, request.method == "GET")


def test_an_exchange_is_the_nth_with_its_key_its_shape_and_its_route() -> None:
    indexer, post = Indexer(), Request("POST", MESSAGES, (FORM,), b"Body=a")
    one, other, again = (
        indexer.index(compiled(number, request, Place(0, 0, 0)))
        for number, request in enumerate((post, Request("POST", MESSAGES, (FORM,), b"Body=b"), post), 1)
    )
    assert [[nth for _, nth in indexed.nth] for indexed in (one, other, again)] == [[0, 0, 0], [0, 0, 1], [1, 1, 2]]
    assert [index for index, _ in one.nth] == [*one.compiled.keys, one.compiled.shape, one.compiled.route]
    assert one.reads == ()


def test_a_read_is_the_nth_of_its_key_in_its_epoch() -> None:
    indexer, read = Indexer(), Request("GET", MESSAGES)
    found = [
        indexer.index(compiled(number, read, Place(0, 0, epoch))).reads for number, epoch in ((1, 0), (2, 0), (3, 4))
    ]
    key = normalize(read, Rules()).key
    assert found == [
        ((key, Read(0, 0, ExchangeNumber(1))),),
        ((key, Read(0, 1, ExchangeNumber(2))),),
        ((key, Read(4, 0, ExchangeNumber(3))),),
    ]


def test_a_write_touches_the_collection_and_its_member_once_in_each_timeline() -> None:
    opens = (Opening(5, 2, 7), Opening(6, 3, COLLECTION))
    indexed = Indexer().index(compiled(1, Request("DELETE", MESSAGES), Place(5, 7, 1, opens)))
    assert sorted(indexed.touches) == sorted([Touch(5, COLLECTION, 2), Touch(5, 7, 2), Touch(6, COLLECTION, 3)])


def test_a_read_with_several_keys_is_counted_under_each() -> None:
    indexer, one = Indexer(), compiled(1, Request("GET", MESSAGES), Place(0, 0, 0))
    several, alone = replace(one, keys=(b"a", b"b")), replace(one, keys=(b"b",), number=ExchangeNumber(2))
    first, second = indexer.index(several), indexer.index(alone)
    assert first.nth == ((b"a", 0), (b"b", 0), (one.shape, 0), (one.route, 0))
    assert second.nth == ((b"b", 1), (one.shape, 1), (one.route, 1))
    assert first.reads == ((b"a", Read(0, 0, ExchangeNumber(1))), (b"b", Read(0, 0, ExchangeNumber(1))))
    assert second.reads == ((b"b", Read(0, 1, ExchangeNumber(2))),)
