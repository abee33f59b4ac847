"""Ordinary inputs, in which nothing is secret: what answers, programs, users and the files beside fixtures have.

They come in two halves. ``TUNED`` was looked at while the rules were made, ``APART`` was written before them, and only
its rate was taken, afterwards. docs/leaks.md has both rates.
"""

import gzip
import json
from base64 import b64encode, urlsafe_b64encode
from textwrap import wrap
from uuid import UUID

from core.leaks.samples import SID, Made, asked, attributes, field, form, header, path, query, said

one = Made(1)
other = Made(2)

PNG, JPEG, GIF, WEBP = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    b"GIF89a",
    b"RIFF\0\0\1\0WEBPVP8 ",
)
PDF, OGG, WOFF, MP4 = b"%PDF-1.7\n", b"OggS\0\2", b"wOF2\0\1\0\0", b"\0\0\0\x20ftypisom"

TUNED = [
    # SIDs of types that Chat has not
    *(field("sid", prefix + one.hex(32)) for prefix in ("WT", "RE", "CA", "PN", "FL", "VA")),
    attributes(call=f"CA{one.hex(32)}", recording=f"RE{one.hex(32)}"),
    said(f"See task WT{one.hex(32)} in the console"),
    path(f"/Tasks/WT{one.hex(32)}"),
    query(f"PageToken=PTKS{one.hex(32)}"),
    field("url", f"https://api.twilio.com/2010-04-01/Calls/CA{one.hex(32)}.json"),
    form("Webhook", f"https://a.example.com/{'FN' + one.hex(32)}"),
    # Header fields
    header("Via", f"1.1 {one.hex(32)}.cloudfront.net (CloudFront)"),
    header("ETag", f'"{one.md5()}"'),
    header("ETag", f'W/"{one.md5()}"'),
    header("X-Amz-Cf-Id", one.url_safe(54) + "=="),
    header("X-Amz-Cf-Pop", "FRA56-P4"),
    header("traceparent", f"00-{one.hex(32)}-{one.hex(16)}-01"),
    asked("traceparent", f"00-{one.hex(32)}-{one.hex(16)}-00"),
    header("X-Request-Id", one.hex(32)),
    header("Twilio-Request-Id", f"RQ{one.hex(32)}"),
    header("Retry-After", "Fri, 31 Dec 2027 23:59:59 GMT"),
    header("X-RateLimit-Limit", "1000, 1000;window=3600"),
    header("X-RateLimit-Reset", "1767225600"),
    header("X-RateLimit-Remaining", "999"),
    header("Date", "Thu, 24 Mar 2016 20:37:57 GMT"),
    header("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"),
    header("Access-Control-Expose-Headers", "ETag, Twilio-Request-Id, X-RateLimit-Remaining"),
    header("WWW-Authenticate", 'Basic realm="Twilio API"'),
    asked("User-Agent", "twilio-python/9.3.2 (Linux x86_64) Python/3.12.4"),
    asked("If-None-Match", f'"{one.md5()}"'),
    # Files in base64
    attributes(image=f"data:image/png;base64,{one.base64(PNG, 30_000)}"),
    attributes(thumbnail=one.base64(JPEG, 4000)),
    field("preview", one.base64(PNG, 900)),
    form("Attributes", json.dumps({"avatar": "data:image/jpeg;base64," + one.base64(JPEG, 2500)})),
    said("![chart](data:image/gif;base64," + one.base64(GIF, 700) + ")"),
    "\n".join(wrap(one.base64(PDF, 5000), 76)) + "\n",
    "-----BEGIN CERTIFICATE-----\n"
    + "\n".join(wrap(one.base64(b"\x30\x82\3\x8d", 900), 64))
    + "\n-----END CERTIFICATE-----\n",
    attributes(packed=b64encode(gzip.compress(json.dumps({"cards": list(range(400))}).encode())).decode()),
    field("certificate_fingerprint", ":".join(wrap(one.hex(40).upper(), 2))),
    # Identifiers
    attributes(uuid=one.uuid().hex, device=str(one.uuid())),
    attributes(order_id=one.uuid(1).hex),
    form("Identity", one.uuid().hex),
    field("unique_name", one.uuid(5).hex),
    field("unique_name", str(one.uuid())),
    attributes(correlationId=one.hex(32), spanId=one.hex(16)),
    said(f"Your request {one.uuid()} was received"),
    attributes(_id=one.hex(24), key=one.hex(20)),
    attributes(user_id="auth0|" + one.hex(24)),
    form("UniqueName", "order-" + one.of("0123456789", 18)),
    attributes(firebaseUid=one.letters(28)),
    attributes(ulid="01" + one.of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)),
    query(f"session={one.of('0123456789', 12)}&page=2"),
    # Tails of SIDs that stand in the same file
    attributes(message=SID[2:]),
    form("Attributes", json.dumps({"reply_to": SID[2:]})),
    attributes(ref=SID[2:].upper()),
    # Hashes
    attributes(md5=one.md5(), sha1=one.hex(40), sha256=one.hex(64)),
    attributes(avatar=f"https://www.gravatar.com/avatar/{one.md5()}?s=64&d=identicon"),
    said(f"Fixed in commit {one.hex(40)}, see the log"),
    attributes(checksum=one.md5()),
    attributes(image=f"https://cdn.example.com/static/{one.md5()}.png"),
    attributes(integrity="sha384-" + one.base64(b"", 48)),
    # What users write
    said("Bearer Verantwortungsbewusstsein ist gefragt"),
    said("Basic Grundlagenforschung und mehr"),
    said("The bearer of good news: see authentication-and-authorization"),
    said("Basic information about everything/anything, please"),
    said("Is the password reset already? My token expired yesterday."),
    said("Treffpunkt 18:30 Uhr, Gleis 12, Wagen 7; Preis 1.234,56 EUR"),
    said("Ça marche, à 20h30. Réf. 2024-11-03/0042"),
    said("明日の会議は10時からです。資料は3ページ目を見てください。"),
    said("Заказ № 4711-2024 отправлен 03.11.2024 в 14:05"),
    said("Your code is 493028. It expires in 10 minutes."),
    said("ISBN 978-3-16-148410-0, 2nd edition"),
    said("Tracking: 1Z999AA10123456784"),
    said("IBAN DE89 3704 0044 0532 0130 00"),
    said("Donau­dampf­schifffahrts­elektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"),
    said("lol 😂😂😂 https://youtu.be/dQw4w9WgXcQ"),
    said("https://www.google.com/maps/place/Brandenburger+Tor/@52.5162746,13.3755101,17z/"),
    said("Call me at 10, or +12125550123 later"),
    said("the secret is out, and everyone knows the token ring"),
    said("a" * 200),
    said("ha" * 60),
    # What answers of Chat have
    field("message", "The requested resource /Services/IS0/Channels/x was not found"),
    field("more_info", "https://www.twilio.com/docs/errors/20404"),
    field("permissions", ["addMember", "editAnyMessageAttributes", "editNotificationLevel", "leaveChannel"]),
    field("next_page_url", f"https://chat.twilio.com/v1/Services?PageSize=50&Page=1&PageToken=PTIS{one.hex(32)}"),
    field("address", f"{one.url_safe(22)}:APA91b{one.url_safe(134)}"),
    field("address", one.hex(64)),
    field("post_webhook_url", "https://hooks.example.com/chat/after?account=12&event=message"),
    field("date_created", "2016-03-24T20:37:57.123456Z"),
    field(
        "notifications", {"new_message": {"enabled": True, "template": "${USER} wrote: ${MESSAGE}", "sound": "default"}}
    ),
    # Placeholders, documents and code
    'curl -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" https://chat.twilio.com/v1/Services\n',
    "TWILIO_AUTH_TOKEN=your_auth_token\nTWILIO_API_SECRET=\n",
    'password: "********"\napi_key: YOUR_API_KEY_GOES_HERE\n',
    '{"secret": "<redacted>", "token": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}\n',
    "client = Client(os.environ['TWILIO_ACCOUNT_SID'], os.environ['TWILIO_AUTH_TOKEN'])\n",
    'sid:\n  pattern: "^IM[0-9a-fA-F]{32}$"\n  maxLength: 34\n',
    "authToken = settings.getTwilioAuthTokenFromEnvironment(name)\n",
    "com.twilio.rest.chat.v1.service.channel.MessageCreatorFactoryImplementation\n",
    "class ConversationMessageDeliveryReceiptSerializerV2Test: pass\n",
    "pip install twilio==9.3.2 --hash=sha256:" + one.hex(64) + "\n",
    "git@github.com:twilio/twilio-python.git\n".replace("git@github.com", "https://github.com"),
    "GET /v1/Services/IS" + "X" * 32 + "/Channels/CH" + "X" * 32 + "/Messages\n",
    "pod/api-7d9f8b6c5d-x2x4z restarted; node ip-10-0-13-37.eu-central-1.compute.internal\n",
    "2024-11-03 14:05:07,123 INFO [main] served 200 in 0.013 s to ::1 port 51234\n",
    "grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); color: #0f1e2d;\n",
    "fe80::1ff:fe23:4567:890a%eth0, 00:1B:44:11:3A:B7, 192.168.17.43:8080\n",
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/\n",
]

APART = [
    # SIDs of types that Chat has not
    *(field("sid", prefix + other.hex(32)) for prefix in ("CF", "ZS", "MP", "ET", "BU", "QU")),
    attributes(conference={"sid": f"CF{other.hex(32)}"}, verification=f"VE{other.hex(32)}"),
    said(f"Recording: https://api.twilio.com/Recordings/RE{other.hex(32)}.mp3"),
    path(f"/Participants/MB{other.hex(32)}/Receipts/DY{other.hex(32)}"),
    query(f"FlowSid=FW{other.hex(32)}&ExecutionSid=FN{other.hex(32)}"),
    field("sids", [f"EH{other.hex(32)}", f"NO{other.hex(32)}"]),
    header("Location", f"https://taskrouter.twilio.com/v1/Workspaces/WS{other.hex(32)}/Workers/WK{other.hex(32)}"),
    # Header fields
    header("tracestate", f"dd=s:2;o:rum;p:{other.hex(16)},congo=t61rcWkgMzE"),
    asked("X-B3-TraceId", other.hex(32)),
    asked("b3", f"{other.hex(32)}-{other.hex(16)}-1-{other.hex(16)}"),
    header("X-Amzn-Trace-Id", f"Root=1-{other.hex(8)}-{other.hex(24)};Parent={other.hex(16)};Sampled=1"),
    header("X-Amzn-RequestId", str(other.uuid())),
    header("X-Correlation-ID", other.uuid().hex),
    asked("sentry-trace", f"{other.hex(32)}-{other.hex(16)}-1"),
    asked("baggage", f"sentry-trace_id={other.hex(32)},sentry-environment=production"),
    asked("X-Cloud-Trace-Context", f"{other.hex(32)}/{other.of('0123456789', 19)};o=1"),
    header("CF-Ray", f"{other.hex(16)}-FRA"),
    header("Content-MD5", other.base64(b"", 16)),
    header("Digest", "sha-256=" + other.base64(b"", 32)),
    header("Retry-After", "120"),
    header("RateLimit-Policy", '"burst";q=100;w=60,"daily";q=1000;w=86400'),
    header("X-RateLimit-Reset", "Sat, 01 Jan 2028 00:00:00 +0000"),
    header(
        "Report-To", '{"group":"heroku-nel","max_age":3600,"endpoints":[{"url":"https://nel.example.com/reports"}]}'
    ),
    header("Server-Timing", "cache;desc=hit-front, host;desc=edge-cache-fra-7f9b, dur=2.9"),
    header("WWW-Authenticate", 'Bearer realm="Twilio API", error="invalid_token"'),
    header("X-Served-By", "cache-fra-eddf8230085-FRA, cache-muc13952-MUC"),
    header("Via", f"1.1 varnish, 2.0 {other.hex(32)}.cloudfront.net (CloudFront)"),
    header("ETag", f'"{other.md5()}-gzip"'),
    header("Content-Security-Policy", f"script-src 'nonce-{other.base64(b'', 16)}' 'strict-dynamic'"),
    asked("Accept-Language", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7"),
    # Files in base64
    attributes(sticker=f"data:image/webp;base64,{other.base64(WEBP, 12_000)}"),
    attributes(audio=urlsafe_b64encode(OGG + other.some_bytes(6000)).decode().rstrip("=")),
    field("document", other.base64(PDF, 2100)),
    form("Attributes", json.dumps({"font": "data:font/woff2;base64," + other.base64(WOFF, 3300)})),
    said(
        "data:image/svg+xml;base64,"
        + b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M3 3h8v8H3z"/></svg>').decode()
    ),
    attributes(video=other.base64(MP4, 1500), poster=other.base64(JPEG, 800)),
    "Content-Transfer-Encoding: base64\r\n\r\n" + "\r\n".join(wrap(other.base64(PNG, 4000), 76)) + "\r\n",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB" + other.base64(b"", 300) + " build-machine\n",
    json.dumps({"image": "data:image/png;base64," + other.base64(PNG, 1200)}, indent=2),
    # Identifiers
    form("UniqueName", other.uuid().hex),
    attributes(id=other.uuid(1).hex.upper()),
    attributes(guid="{" + str(other.uuid()).upper() + "}"),
    attributes(trace={"trace_id": other.hex(32), "span_id": other.hex(16)}),
    said(f"urn:uuid:{other.uuid()}"),
    said(f"Order {other.uuid().hex} has shipped"),
    path(f"/Users/{other.uuid().hex}"),
    field("identity", other.uuid(5).hex),
    field("created_by", other.uuid().hex),
    attributes(nanoid=other.url_safe(21), ksuid=other.letters(27)),
    attributes(cuid="c" + other.of("0123456789abcdefghijklmnopqrstuvwxyz", 24)),
    attributes(objectId=other.hex(24), tenantId=other.hex(24)),
    attributes(snowflake="1142738451238912001", ts="1700000000.123456"),
    attributes(stripe_customer="cus_" + other.letters(14), intent="pi_" + other.letters(24)),
    attributes(request_id="req_" + other.letters(16)),
    form("Identity", "google-oauth2|" + other.of("0123456789", 21)),
    query(f"cid={other.of('0123456789', 9)}.{other.of('0123456789', 10)}&gclid={other.url_safe(40)}"),
    # Tails of SIDs that stand in the same file
    attributes(parent={"id": SID[2:]}),
    attributes(parent=str(UUID(SID[2:]))),
    said(f"in reply to {SID[2:]}"),
    query("after=" + SID[2:]),
    # Hashes
    attributes(etag=other.md5(), version=other.hex(32)),
    attributes(photo=f"https://secure.gravatar.com/avatar/{other.md5()}.jpg"),
    attributes(script=f"https://static.example.com/js/main.{other.md5()}.js"),
    said(f"docker pull registry.example.com/chat@sha256:{other.hex(64)}"),
    attributes(emailHash=other.md5(), fileHash="md5:" + other.md5()),
    attributes(blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj", commit=other.hex(7)),
    said(f"d41d8cd98f00b204e9800998ecf8427e  empty.txt\n{other.md5()}  notes.md"),
    # What users write
    said("Bearer Donaudampfschifffahrtsgesellschaftskapitän"),
    said("Bearer: responsibilities-of-the-shareholder apply"),
    said("basic understanding_of_everything, nothing more"),
    said("Basic Authentication is deprecated; Bearer authentication-tokens are not"),
    said("My password is safe with me; the api key: ask Bob"),
    said("Wir sehen uns am 24.12. um 16 Uhr in der Straße des 17. Juni 135"),
    said("¿Puedes enviarme el informe 2023/Q4 antes de las 17:45?"),
    said("मीटिंग 3:30 बजे है, कमरा 204"),
    said("الاجتماع في الساعة 10:30 غدا، الغرفة 12"),
    said("Rechnung RE-2024-001938 über 49,90 € ist am 15.11.2024 fällig"),
    said("UPS 1Z12345E0205271688, FedEx 449044304137821"),
    said("G-493028 is your verification code."),
    said("v2.13.0-rc.1+build.5114f85 is out"),
    said("SELECT id, body FROM messages WHERE index > 100 ORDER BY date_created DESC LIMIT 50;"),
    said("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"),
    said(
        "https://example.org/a/very/long/path/that-goes-on/and_on/index.html?utm_source=newsletter&utm_medium=email#top"
    ),
    said("https://www.amazon.de/dp/B08N5WRWNW/ref=sr_1_3?keywords=usb+kabel&qid=1700000000&sr=8-3"),
    said("€€€ !!! ??? ;-) <3 &amp; &lt;b&gt;bold&lt;/b&gt; &#8364;"),
    said("\\o/ \\n is a newline, 100%25 sure, %41 is A"),
    # What answers of Chat have
    field("code", 50107),
    field("message", "User unauthorized for command, missing permission: sendMessage (token expired at 1700000000)"),
    field(
        "links",
        {"members": f"https://chat.twilio.com/v1/Services/IS{other.hex(32)}/Channels/CH{other.hex(32)}/Members"},
    ),
    field("binding_type", "apn"),
    field("address", other.hex(64).upper()),
    field("address", f"{other.url_safe(11)}:APA91b{other.url_safe(134)}"),
    field("limits", {"channel_members": 100, "user_channels": 250}),
    field("webhook_filters", ["onMessageSent", "onMessageUpdated", "onChannelDestroyed"]),
    field(
        "temporary",
        f"https://media.example.com/ME{other.hex(32)}?Expires=1700000000&Signature={other.url_safe(340)}__&Key-Pair-Id=K{other.capitals(13)}",
    ),
    # Placeholders, documents and code
    "export TWILIO_AUTH_TOKEN=${TWILIO_AUTH_TOKEN:?is not set}\n",
    "Authorization: Basic <base64 of sid:token>\nAuthorization: Bearer <token>\n",
    "client_secret=CHANGEME&grant_type=client_credentials\n",
    '{"password": "[FILTERED]", "apiKey": "{{ vault.twilio_api_key }}", "secret": null}\n',
    "const token = new AccessToken(accountSid, apiKeySid, apiKeySecret, {identity, ttl: 3600});\n",
    "token_endpoint_auth_method: client_secret_basic\nsubject_token_type: urn:ietf:params:oauth:token-type:jwt\n",
    "password = getpass.getpass('Password for the database at startup: ')\n",
    "org.springframework.security.oauth2.provider.token.store.JwtAccessTokenConverter2Configuration\n",
    "test_a_message_that_was_updated_twice_in_1_second_has_the_second_text_and_not_the_first\n",
    'integrity "sha512-' + other.base64(b"", 64) + '"\n',
    "arn:aws:iam::123456789012:role/ChatProxyDeployRole-eu-central-1\n",
    "-----BEGIN PUBLIC KEY-----\n"
    + "\n".join(wrap(other.base64(b"\x30\x82\1\x22\x30\x0d\6\x09", 290), 64))
    + "\n-----END PUBLIC KEY-----\n",
    "M10.5 2.25c-1.75 0-3 1.5-3 3.25v1.25H6.25v12.5h11.5V6.75h-1.25V5.5c0-1.75-1.25-3.25-3-3.25z\n",
    "Jan 12 2024 03:14:15 kernel: [12345.678901] eth0: link up, 1000Mbps, lpa 0xC5E1\n",
    "11111111111111111111111111111111 00000000000000000000000000000000 deadbeefdeadbeefdeadbeefdeadbeef\n",
]
