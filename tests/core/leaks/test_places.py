import json

import pytest

from chatproxy.core.leaks.places import Around, Surroundings
from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber

FIXTURE = {
    "chatproxy": 1,
    "number": 99,
    "exchanges": [
        {
            "number": 3,
            "user": "@1",
            "request": {
                "target": "/v1?a=@2",
                "headers": ["X-Note: @3", "@4"],
                "body": {"text": "From=@5&To=@6&Body=x@7&&Attributes=%7B@8"},
            },
            "response": {
                "reason": "@9",
                "body": {"json": {"number": 5, "from": "@10", "@11": 1, "to": "x", "list": ["@12"], "body": '"@13'}},
            },
        },
        {"number": 12, "@14": "", "request": {"body": {"text": "@15"}}, "response": {"body": {"text": "Body=@16&x"}}},
        {"number": "none", "request": {}, "to": "@17", "empty": []},
    ],
    "name": "@18",
}
EXPECTED = {
    1: ("user", 3, False),
    2: ("target", 3, False),
    3: ("X-Note", 3, False),
    4: ("headers", 3, False),
    5: ("From", 3, True),
    6: ("To", 3, False),
    7: ("Body", 3, True),
    8: ("Attributes", 3, True),
    9: ("reason", 3, False),
    10: ("from", 3, True),
    11: ("", 3, False),
    12: ("list", 3, False),
    13: ("body", 3, True),
    14: ("", 12, False),
    15: ("@15", 12, False),
    16: ("text", 12, False),
    17: ("to", 0, False),
    18: ("name", 0, False),
}


def around(text: bytes, sign: bytes = b"@") -> list[Around]:
    surroundings = Surroundings()
    found: list[Around] = []
    for line in text.splitlines(keepends=True):
        spans = [(place, place + 2) for place in range(len(line)) if line[place : place + 1] == sign]
        found += surroundings.of(line, spans)
    return found


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_field_and_exchange_are_known_in_any_layout(indent: int | None, separators: tuple[str, str]) -> None:
    text = json.dumps(FIXTURE, indent=indent, separators=separators).encode()
    found = [(one.field.decode(), one.exchange, one.by_user) for one in around(text)]
    assert found == list(EXPECTED.values())


def of(line: bytes, *spans: tuple[int, int]) -> list[Around]:
    return list(Surroundings().of(line, spans))


def test_what_crosses_the_end_of_a_value_or_of_a_parameter_was_not_written_by_users_alone() -> None:
    assert of(b'{"body": "abc", "from": "def"}', (10, 13), (12, 27), (25, 28)) == [
        Around(b"body", NO_EXCHANGE, True),
        Around(b"", NO_EXCHANGE, False),
        Around(b"from", NO_EXCHANGE, True),
    ]
    line = b'{"exchanges":[{"request":{"body":{"text":"Body=a&To=b"}}}]}'
    assert line[42:48] == b"Body=a"
    assert of(line, (42, 48), (42, 50), (44, 48)) == [
        Around(b"Body", NO_EXCHANGE, True),
        Around(b"Body", NO_EXCHANGE, False),
        Around(b"Body", NO_EXCHANGE, True),
    ]


@pytest.mark.parametrize("line", [b"", b"a plain text\n", b'"not closed', b"]]}}", b'{"a": "b"', b"\xff\xfe"])
def test_a_text_that_is_no_json_has_no_exchanges(line: bytes) -> None:
    assert all(one.exchange == 0 and not one.by_user for one in of(line, *[(at, at + 1) for at in range(len(line))]))


def test_every_place_is_answered_once() -> None:
    line = b'x "a": "b" y'
    assert len(of(line, *[(at, at + 1) for at in range(len(line))])) == len(line)


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_lines_that_are_passed_over_count_as_if_they_were_read(indent: int | None) -> None:
    lines = json.dumps(FIXTURE, indent=indent).encode().splitlines(keepends=True)
    for last in range(len(lines)):
        reading, passing = Surroundings(), Surroundings()
        for line in lines[:last] * 2:
            list(reading.of(line, []))
            passing.pass_over(line)
        spans = [(place, place + 1) for place in range(len(lines[last]))]
        assert list(passing.of(lines[last], spans)) == list(reading.of(lines[last], spans))


def test_lines_are_remembered_up_to_a_bound() -> None:
    surroundings = Surroundings()
    for number in range(6000):
        surroundings.pass_over(b'"a%d": [' % number)
    (found,) = surroundings.of(b'"x"', [(1, 2)])
    assert found.field == b"a5999"


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_place_in_a_multipart_form_is_in_the_part_of_its_name(newline: str, indent: int | None) -> None:
    lines = [
        "--b",
        'Content-Disposition: form-data; name="Body"',
        "",
        "@1 a&To=@2",
        "--b",
        'Content-Disposition: form-data; name="File"; filename="@3"',
        "",
        "@4",
        "--b--",
        "@5",
    ]
    fixture = {"exchanges": [{"number": 7, "request": {"body": {"text": newline.join(lines)}}}]}
    text = json.dumps(fixture, indent=indent).encode()
    assert around(text) == [
        Around(b"Body", ExchangeNumber(7), True),
        Around(b"Body", ExchangeNumber(7), True),
        Around(b"File", ExchangeNumber(7), False),
        Around(b"File", ExchangeNumber(7), False),
        Around(b"", ExchangeNumber(7), False),
    ]
