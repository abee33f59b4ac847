from strategies import FORM, JSON

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.placed import sids_beside_path, sids_of_path
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Request

ONE, TWO, THREE = (b"CH" + digit * 32 for digit in (b"1", b"2", b"3"))


def test_sids_stand_in_segments_page_tokens_and_parameters_named_so() -> None:
    asked = normalize(
        Request(
            "POST",
            b"/%b/x-%b?PageToken=PA%b&Note=%b" % (ONE, TWO, TWO, ONE),
            (FORM,),
            b"ChannelSid=%b&Body=%b" % (THREE, ONE),
        ),
        Rules(),
    )
    assert sids_of_path(asked) == [ONE]
    assert sids_beside_path(asked) == [TWO, THREE]


def test_sids_stand_in_fields_of_json_and_in_headers_that_are_one() -> None:
    headers = (JSON, (b"X-Sid", ONE), (b"X-Note", b"see " + TWO))
    body = b'{"channel_sid": "%b", "body": "%b"}' % (THREE, TWO)
    asked = normalize(Request("POST", b"/", headers, body), Rules(match_headers=("X-Sid", "X-Note")))
    assert sids_beside_path(asked) == [THREE, ONE]
