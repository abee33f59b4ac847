from plugin.projects import Project


def test_another_machine_is_refused_and_this_one_is_not(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
from chatproxy.core.errors import NetworkBlockedError
import socket

def test_says(chatproxy):
    say(chatproxy, "Hello")

def test_reaches():
    socket.create_connection(("192.0.2.1", 80))

def test_resolves():
    socket.getaddrinfo("chat.twilio.com", 443)

def test_swallows():
    with pytest.raises(NetworkBlockedError):
        socket.getaddrinfo("chat.twilio.com", 443)
""")
    project.run("--record-mode=once", "-k", "says").assert_outcomes(passed=1)
    result = project.run("--block-network")
    result.assert_outcomes(passed=2, failed=2, errors=3)
    result.stdout.fnmatch_lines(
        [
            "*NetworkBlockedError: 192.0.2.1: is another machine, and --block-network keeps tests from the network",
        ]
    )
    result.stdout.fnmatch_lines(["--block-network refused chat.twilio.com"])


def test_a_recording_may_ask_its_upstream(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.saying("Hello")
    project.run("--record-mode=once", "--block-network").assert_outcomes(passed=1)


def test_nothing_is_refused_after_the_run(project: Project) -> None:
    project.write("\ndef test_nothing(): pass\n")
    project.run("--block-network").assert_outcomes(passed=1)
    project.write("""
import socket

def test_reaches():
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=0.05)
""")
    project.run().assert_outcomes(passed=1)
