from chatproxy.core.products.every import PRODUCTS
from chatproxy.core.products.product import Collection, Product


def test_a_collection_is_called_by_its_last_segment() -> None:
    assert Collection("/v1/Services/{}/Channels/{}/Messages").name == "Messages"


def test_a_product_has_the_host_that_is_in_use_today() -> None:
    product: Product = PRODUCTS[0]
    assert product.host == f"{product.hosts[0]}.twilio.com"
