"""What PHP, Node and Java need to go through a forward proxy and to trust its authority; other clients read variables.

1. PHP reads a further file of settings: ``curl.cainfo`` for its curl, ``openssl.cafile`` for its streams.
2. Node's ``fetch`` heeds the proxies' variables from version 22.21 and 24 on, if it is told to.
3. Java's properties name the proxy, the hosts past it, and a trust store, which is not a PEM file.
"""

import hashlib
import re
import ssl
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

_SCANNED, _OPTIONS = "PHP_INI_SCAN_DIR", "JAVA_TOOL_OPTIONS"


def told(environ: Mapping[str, str], url: str, bundle: Path, direct: str) -> dict[str, str]:
    """Write what is read from files beside a bundle of authorities, and return the variables that lead there.

    ``direct`` has the hosts that are reached past the proxy at ``url``, as NO_PROXY has them.
    """
    settings = bundle.with_name("php")
    settings.mkdir(exist_ok=True)
    (settings / "chatproxy.ini").write_text(f'curl.cainfo="{bundle}"\nopenssl.cafile="{bundle}"\n')
    store = bundle.with_name("trusted.jks")
    store.write_bytes(trust_store(bundle.read_text("latin-1")))
    return {
        _SCANNED: _scanned(environ, settings),
        "NODE_USE_ENV_PROXY": "1",
        _OPTIONS: " ".join([*filter(None, [environ.get(_OPTIONS)]), *_options(url, store, direct)]),
    }


def _scanned(environ: Mapping[str, str], settings: Path) -> str:
    """Return the folders that PHP reads: those that it read before, an empty one for its own, and then this."""
    before = environ.get(_SCANNED, "")
    is_off = before == "" and _SCANNED in environ
    return str(settings) if is_off else f"{before}:{settings}"


def _options(url: str, store: Path, direct: str) -> Iterator[str]:
    proxy = urlsplit(url)
    properties = {
        **{f"{scheme}.proxyHost": proxy.hostname for scheme in ("https", "http")},
        **{f"{scheme}.proxyPort": proxy.port for scheme in ("https", "http")},
        "http.nonProxyHosts": "|".join(_patterns(direct)),
        "javax.net.ssl.trustStore": store,
        "javax.net.ssl.trustStoreType": "JKS",
    }
    for name, value in properties.items():
        option = f"-D{name}={value}"
        yield f'"{option}"' if re.search(r"\s", option) else option


def _patterns(direct: str) -> Iterator[str]:
    """Yield the hosts of NO_PROXY as Java has them: with those below them, IPv6 in brackets, without ports."""
    for host in filter(None, direct.split(",")):
        if host.count(":") > 1:
            yield f"[{host.strip('[]')}]"
        else:
            name = host.partition(":")[0].removeprefix("*").removeprefix(".")
            yield from (name, f"*.{name}")


_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2


def trust_store(pem: str) -> bytes:
    """Return the authorities of a PEM text as a trust store of Java's own type, without a password.

    The type is described in the source of OpenJDK, sun.security.provider.JavaKeyStore.
    """
    found = [ssl.PEM_cert_to_DER_cert(text) for text in dict.fromkeys(_CERTIFICATE.findall(pem))]
    entries = [
        struct.pack(">I", _TRUSTED) + _text(str(at)) + bytes(8) + _text("X.509") + struct.pack(">I", len(one)) + one
        for at, one in enumerate(found)
    ]
    content = struct.pack(">III", _MAGIC, _VERSION, len(found)) + b"".join(entries)
    return content + hashlib.sha1(b"Mighty Aphrodite" + content, usedforsecurity=False).digest()


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()
