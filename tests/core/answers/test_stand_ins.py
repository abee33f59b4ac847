import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Json, json_spellings, json_values

from chatproxy.core.answers.stand_ins import Sent, StandIn, body_stand_ins, head_stand_ins
from chatproxy.core.model import LiveSid, Request
from chatproxy.core.scrubbing.pseudonyms import Pseudonyms
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule
from chatproxy.core.scrubbing.scrub import scrubbed_request

TEXT, PHONE, MAIL = "pseudonym-0123456789abcdef", "+99912345678901", "0123456789abcdef@pseudonym.invalid"
NUMBER = "999123456789012"
FIELDS = Scrub((ScrubRule(LooksAt.FIELD, "from", Action.PSEUDONYM),), "a salt of the team")


def around(text: str) -> list[tuple[str, str]]:
    found = list(body_stand_ins(text.encode()))
    for start, end, stand_in in found:
        assert text.encode()[start:end] == stand_in.written
    return [(stand_in.around.decode(), stand_in.pseudonym) for _, _, stand_in in found]


def filled(body: bytes, values: dict[str, str]) -> bytes:
    sent = Sent(LiveSid)
    for pseudonym, value in values.items():
        sent.note(pseudonym, value)
    parts, begin = [], 0
    for start, end, stand_in in body_stand_ins(body):
        parts += [body[begin:start], sent.filled(stand_in.pack())]
        begin = end
    return b"".join([*parts, body[begin:]])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("none", []),
        (f"a {TEXT}, {PHONE}{MAIL}", [("", TEXT), ("", PHONE), ("", MAIL)]),
        (NUMBER, []),
        (f"https://x/{TEXT}?a=%2B{PHONE[1:]}&b={MAIL.replace('@', '%40')}", [("u", TEXT), ("u", PHONE), ("u", MAIL)]),
        (f'{{"a": "x {TEXT}", "{TEXT}": {NUMBER}, "b": "{NUMBER}"}}', [("j", TEXT), ("n", NUMBER)]),
        (f"[{NUMBER}0, -{NUMBER}, {NUMBER}]", [("n", NUMBER)]),
        (json.dumps([f"https://x/{TEXT}"]), [("uj", TEXT)]),
        (json.dumps({"a": json.dumps({"b": [f'" {TEXT}'], "n": int(NUMBER)})}), [("jj", TEXT), ("nj", NUMBER)]),
        (json.dumps({"a": json.dumps([f"https://x/{TEXT}"])}), [("ujj", TEXT)]),
        (f'{{"a": "{TEXT} \\u0070seudonym-0123456789abcdef {NUMBER}"}}', [("j", TEXT)]),
        (f'["{TEXT}"', [("", TEXT)]),
        (f'{{"{TEXT}": 1}}', []),
        (f"[[], {{}}, {NUMBER}]", [("n", NUMBER)]),
    ],
)
def test_a_pseudonym_is_found_with_what_surrounds_it(text: str, found: list[tuple[str, str]]) -> None:
    assert around(text) == found


def test_a_headers_value_takes_one_line() -> None:
    head = b"X-A: " + TEXT.encode()
    ((start, end, stand_in),) = head_stand_ins(head[5:], 5)
    assert head[start:end] == TEXT.encode()
    assert stand_in.filled("alice") == b"alice"
    assert stand_in.filled("a\r\nb") == TEXT.encode()
    ((_, _, stand_in),) = head_stand_ins(f"https://x/{TEXT}".encode(), 0)
    assert stand_in.filled("a\r\nb/") == b"a%0D%0Ab%2F"


@given(st.text())
def test_a_live_value_is_written_as_its_surroundings_want_it(value: str) -> None:
    body = {"a": TEXT, "url": f"https://x/?q={TEXT}", "o": json.dumps({"b": f"- {TEXT}"}), "l": [TEXT]}
    read = json.loads(filled(json.dumps(body).encode(), {TEXT: value}))
    assert read["a"] == value
    assert read["l"] == [value]
    assert unquote(read["url"]) == f"https://x/?q={value}"
    assert json.loads(read["o"]) == {"b": f"- {value}"}


def content(body: bytes) -> list[object]:
    read = json.loads(body)
    return [read["from"], json.loads(read["attributes"])]


@given(st.data(), json_values)
def test_what_was_scrubbed_comes_back(data: st.DataObject, value: Json) -> None:
    """Objects and arrays aside, which come back as texts."""
    if isinstance(value, list | dict):
        value = json.dumps(value)
    whole: Json = {"from": value, "attributes": json.dumps({"from": value})}
    body = data.draw(json_spellings(whole))
    noted: dict[str, str] = {}
    scrubbed = scrubbed_request(Request("POST", b"/", (), body), FIELDS, noted.__setitem__).body
    assert content(filled(scrubbed, noted)) == content(body)


def test_a_value_that_cannot_stand_there_leaves_the_pseudonym() -> None:
    assert filled(TEXT.encode(), {TEXT: "\ud800"}) == TEXT.encode()
    assert filled(TEXT.encode(), {TEXT: "\udcff"}) == b"\xff"
    assert filled(f"{TEXT} {PHONE}".encode(), {PHONE: "+1555"}) == f"{TEXT} +1555".encode()


@given(st.sampled_from([b"", b"u", b"j", b"uj", b"n"]), st.sampled_from([TEXT, MAIL, "%2B99912345678901"]))
def test_a_stand_in_comes_back_from_a_slots_argument(around: bytes, written: str) -> None:
    stand_in = StandIn(around, written.encode())
    assert StandIn.unpack(stand_in.pack()) == stand_in


def test_what_is_served_for_a_sid_may_be_what_the_client_sent() -> None:
    recorded, live, value = (b"US" + digit * 32 for digit in (b"1", b"2", b"3"))
    sent = Sent(lambda sid: LiveSid(live if sid == recorded else sid))
    assert sent.sid(recorded) == live
    sent.note(live.decode(), value.decode())
    assert sent.sid(recorded) == value
    assert sent.in_json_string(b"a " + recorded + b' \\"' + TEXT.encode()) == b"a " + value + b' \\"' + TEXT.encode()
    sent.note(TEXT, '"')
    assert sent.in_json_string(TEXT.encode() + b" x") == b'\\" x'
    assert sent.in_json_string(b"") == b""


def test_of_too_many_values_the_oldest_are_forgotten() -> None:
    sent = Sent(LiveSid, bound=2)
    for number in range(3):
        sent.note(f"pseudonym-000000000000000{number}", str(number))
    shown = [sent.filled(StandIn(b"", b"pseudonym-000000000000000%d" % number).pack()) for number in range(3)]
    assert shown == [b"pseudonym-0000000000000000", b"1", b"2"]


def test_pseudonyms_of_all_types_are_found() -> None:
    made = Pseudonyms("a salt of the team")
    texts = [made.of_text(value) for value in ("alice", "a@b.example", "+15551234567")]
    assert around(json.dumps(texts)) == [("j", text) for text in texts]
    assert around(f"[{made.of_number(b'1').decode()}]") == [("n", made.of_number(b"1").decode())]
