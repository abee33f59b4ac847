from chatproxy.core.products.client_headers import ENVIRONMENT


def test_names_are_in_lower_case() -> None:
    assert [name for name in ENVIRONMENT if name != name.lower()] == []
