import hashlib
import shutil
import ssl
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

import certifi
import pytest

from chatproxy.runs.languages import told, trust_store

AUTHORITIES = Path(certifi.where()).read_text("utf-8")
URL = "http://127.0.0.1:8080"


def told_in(folder: Path, environ: Mapping[str, str], direct: str = "localhost") -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    bundle = folder / "bundle.pem"
    bundle.write_text(AUTHORITIES)
    return told(environ, URL, bundle, direct)


@pytest.mark.parametrize(
    ("before", "after"),
    [({}, ":HERE"), ({"PHP_INI_SCAN_DIR": ""}, "HERE"), ({"PHP_INI_SCAN_DIR": "/a:/b"}, "/a:/b:HERE")],
)
def test_php_reads_a_file_more_and_all_that_it_read_before(tmp_path: Path, before: dict[str, str], after: str) -> None:
    given = told_in(tmp_path, before)
    assert given["PHP_INI_SCAN_DIR"] == after.replace("HERE", str(tmp_path / "php"))
    bundle = tmp_path / "bundle.pem"
    assert (tmp_path / "php" / "chatproxy.ini").read_text() == f'curl.cainfo="{bundle}"\nopenssl.cafile="{bundle}"\n'


def test_node_is_told_to_heed_the_proxies_variables(tmp_path: Path) -> None:
    assert told_in(tmp_path, {})["NODE_USE_ENV_PROXY"] == "1"


def test_java_is_told_of_the_proxy_and_the_trust_store_after_what_it_was_told_before(tmp_path: Path) -> None:
    given = told_in(tmp_path, {"JAVA_TOOL_OPTIONS": "-Xmx1g -Dhttps.proxyHost=other"})["JAVA_TOOL_OPTIONS"].split()
    assert given == [
        "-Xmx1g",
        "-Dhttps.proxyHost=other",
        "-Dhttps.proxyHost=127.0.0.1",
        "-Dhttp.proxyHost=127.0.0.1",
        "-Dhttps.proxyPort=8080",
        "-Dhttp.proxyPort=8080",
        "-Dhttp.nonProxyHosts=localhost|*.localhost",
        f"-Djavax.net.ssl.trustStore={tmp_path / 'trusted.jks'}",
        "-Djavax.net.ssl.trustStoreType=JKS",
    ]


def test_an_option_with_a_space_stands_in_quotes(tmp_path: Path) -> None:
    given = told_in(tmp_path / "a b", {})["JAVA_TOOL_OPTIONS"]
    assert f'"-Djavax.net.ssl.trustStore={tmp_path / "a b" / "trusted.jks"}"' in given


@pytest.mark.parametrize(
    ("direct", "patterns"),
    [
        ("a.test,127.0.0.1", "a.test|*.a.test|127.0.0.1|*.127.0.0.1"),
        (".a.test,*.b.test", "a.test|*.a.test|b.test|*.b.test"),
        ("a.test:8080", "a.test|*.a.test"),
        ("::1,[fe80::1]", "[::1]|[fe80::1]"),
    ],
)
def test_what_is_reached_past_the_proxy_is_said_as_java_has_it(tmp_path: Path, direct: str, patterns: str) -> None:
    assert f"-Dhttp.nonProxyHosts={patterns} " in told_in(tmp_path, {}, direct)["JAVA_TOOL_OPTIONS"]


def test_a_trust_store_has_each_authority_once() -> None:
    one = AUTHORITIES[AUTHORITIES.index("-----BEGIN CERTIFICATE-----") :].partition("-----END CERTIFICATE-----")
    pem = f"# a comment\n{one[0]}{one[1]}\n"
    der = ssl.PEM_cert_to_DER_cert(one[0] + one[1])
    store = trust_store(pem + "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n" + pem)
    assert store[:12] == struct.pack(">III", 0xFEEDFEED, 2, 1)
    assert store[-20 - len(der) : -20] == der
    assert store[-20:] == hashlib.sha1(b"Mighty Aphrodite" + store[:-20]).digest()


@pytest.mark.process
@pytest.mark.skipif(shutil.which("keytool") is None, reason="keytool, which comes with Java, is not installed")
def test_java_reads_the_trust_store(tmp_path: Path) -> None:
    (tmp_path / "trusted.jks").write_bytes(trust_store(AUTHORITIES))
    command = ["keytool", "-list", "-keystore", str(tmp_path / "trusted.jks"), "-storetype", "JKS"]
    done = subprocess.run(command, input="\n", capture_output=True, text=True, check=False)
    assert done.stdout.count("trustedCertEntry") == AUTHORITIES.count("-----BEGIN CERTIFICATE-----"), done.stdout
