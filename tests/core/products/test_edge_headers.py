from chatproxy.core.products.edge_headers import FIXED, FIXED_PREFIXES, VOLATILE


def test_names_are_in_lower_case_and_stand_once() -> None:
    names = [*VOLATILE, *FIXED_PREFIXES]
    assert [name for name in names if name != name.lower()] == []
    assert FIXED.keys() <= VOLATILE
    assert not any(name.startswith(prefix) for name in VOLATILE for prefix in FIXED_PREFIXES)
