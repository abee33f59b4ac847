"""Keys of services that a chat goes along with: a table of what their makers begin and build them with.

Sources: the makers' documentation. What fills a place, as ``sk_live_xxxx`` and Amazon's ``AKIA…EXAMPLE``, is no key.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from chatproxy.core.leaks.decoding import Span


class Service(NamedTuple):
    """Whose key it is, how it begins in small letters, and what it looks like."""

    maker: str
    sign: bytes
    pattern: bytes


SERVICES = (
    Service("Firebase Cloud Messaging", b"aaaa", rb"AAAA[\w-]{7}:[\w-]{100,200}"),
    Service("Google", b"aiza", rb"AIza[\w-]{35}"),
    Service("Google", b"gocspx-", rb"GOCSPX-[\w-]{20,40}"),
    Service("Google", b"ya29.", rb"ya29\.[\w.-]{20,2000}+"),
    Service("Slack", b"xox", rb"xox[a-z](?:\.xox[a-z])?-[0-9A-Za-z-]{12,400}+"),
    Service("Slack", b"xapp-", rb"xapp-[0-9A-Za-z-]{12,400}+"),
    Service("Slack", b"hooks.slack.com", rb"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{20,200}+"),
    *(Service("GitHub", b"gh%b_" % one, b"gh%b_[0-9A-Za-z]{30,300}+" % one) for one in (b"p", b"o", b"u", b"s", b"r")),
    Service("GitHub", b"github_pat_", rb"github_pat_\w{20,300}+"),
    Service("GitLab", b"glpat-", rb"glpat-[\w.-]{20,100}+"),
    *(
        Service("Amazon", begin.lower(), begin + b"[A-Z2-7]{16}(?![0-9A-Za-z])")
        for begin in (b"AKIA", b"ASIA", b"ABIA", b"ACCA")
    ),
    Service("Stripe", b"k_", rb"[sr]k_(?:live|test)_[0-9A-Za-z]{10,250}+"),
    Service("Stripe", b"whsec_", rb"whsec_[0-9A-Za-z+/=]{20,100}+"),
    Service("SendGrid", b"sg.", rb"SG\.[\w-]{16,40}\.[\w-]{16,80}+"),
    Service("Mailgun", b"key-", rb"key-[0-9a-f]{32}(?![0-9a-f])"),
    Service("Mailchimp", b"-us", rb"[0-9a-f]{32}-us[0-9]{1,2}(?![0-9])"),
    Service("npm", b"npm_", rb"npm_[0-9A-Za-z]{36}"),
    Service("PyPI", b"pypi-", rb"pypi-[\w-]{50,1000}+"),
    Service("OpenAI", b"sk-", rb"sk-[\w-]{20,300}+"),
    Service("Shopify", b"shp", rb"shp[a-z]{2}_[0-9a-fA-F]{32}"),
    Service("Telegram", b":aa", rb"[0-9]{8,10}:AA[\w-]{33}(?![\w-])"),
    Service("DigitalOcean", b"_v1_", rb"do[a-z]_v1_[0-9a-f]{64}"),
    Service("Hugging Face", b"hf_", rb"hf_[0-9A-Za-z]{30,50}+"),
    Service("Docker", b"dckr_", rb"dckr_[a-z]{3}_[\w-]{20,100}+"),
    Service("Vault", b"hvs.", rb"hvs\.[\w-]{20,300}+"),
)


def key_spans(pattern: bytes) -> Callable[[bytes], Iterator[Span]]:
    """Make the function that finds keys of a service, less what fills a place."""
    whole = re.compile(rb"(?<![A-Za-z0-9])" + pattern)

    def spans(text: bytes) -> Iterator[Span]:
        for found in whole.finditer(text):
            if len(set(found[0][_MARK:])) >= _FEWEST_SIGNS and not found[0].endswith(b"EXAMPLE"):
                yield found.span()

    return spans


_MARK, _FEWEST_SIGNS = 8, 6
