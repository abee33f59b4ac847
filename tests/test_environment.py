from chatproxy.environment import direct, environment


def test_hosts_that_were_reached_directly_are_so_still_but_those_that_are_not_to_be() -> None:
    given = {"NO_PROXY": "a.example, .twilio.com", "no_proxy": "b.example,"}
    assert direct(given, but=lambda host: host.endswith("twilio.com")) == dict.fromkeys(
        ("NO_PROXY", "no_proxy"), "a.example,b.example,localhost,127.0.0.1,::1"
    )
    assert direct({"NO_PROXY": "localhost"}, but=lambda host: True)["no_proxy"] == "localhost,127.0.0.1,::1"


def test_the_child_has_the_address_and_reaches_it_directly() -> None:
    made = environment({"PATH": "kept"}, "http://127.0.0.1:1")
    hosts = "localhost,127.0.0.1,::1"
    assert made == {"PATH": "kept", "CHATPROXY_URL": "http://127.0.0.1:1", "NO_PROXY": hosts, "no_proxy": hosts}
    given = {"NO_PROXY": "a.example, 127.0.0.1", "no_proxy": "b.example"}
    made = environment(given, "http://127.0.0.1:1")
    assert made["NO_PROXY"] == made["no_proxy"] == "a.example,127.0.0.1,b.example,localhost,::1"
