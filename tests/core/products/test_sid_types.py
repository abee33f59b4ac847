import re

from chatproxy.core.products.sid_types import ACCOUNT, API_KEY, HASHED_BY_PLACE, PREFIXES, REQUEST, SERVICE


def test_law_5_the_known_types() -> None:
    assert " ".join(PREFIXES) == "AC CH CR IM IN IS MB RL US BS WH ME FW MG HX DY IG SK SM MM RQ"


def test_a_type_is_two_capitals_and_stands_once() -> None:
    assert [prefix for prefix in PREFIXES if not re.fullmatch("[A-Z]{2}", prefix)] == []
    assert len(set(PREFIXES)) == len(PREFIXES)
    assert {ACCOUNT, API_KEY, SERVICE, REQUEST} <= set(PREFIXES)


def test_the_places_that_seeded_sids_are_hashed_with_stay_for_ever() -> None:
    places = "AC CH CR IM IN IS MB RL US BS WH ME FW MG HX DY IG SK SM MM RQ"
    assert list(HASHED_BY_PLACE.items()) == [(prefix, place) for place, prefix in enumerate(places.split())]
