import chatproxy.addon
from chatproxy.mitm.addon import Chatproxy


def test_the_addon_has_the_name_that_documents_show() -> None:
    assert chatproxy.addon.Chatproxy is Chatproxy
    assert [type(one) for one in chatproxy.addon.addons] == [Chatproxy]
