"""Writes recorded exchanges as mitmproxy's flows; run by the Python that has mitmproxy: ``RECORDED FLOWS``."""

import json
import sys

from mitmproxy.http import Headers, HTTPFlow, Request, Response
from mitmproxy.io import FlowWriter
from mitmproxy.test.tflow import tclient_conn, tserver_conn


def flow(exchange: dict[str, str]) -> HTTPFlow:
    """Return one exchange."""
    made = HTTPFlow(tclient_conn(), tserver_conn())
    form = {"Content-Type": "application/x-www-form-urlencoded"} if exchange["body"] else {}
    made.request = Request.make(
        exchange["method"], "http://127.0.0.1:9" + exchange["target"], exchange["body"], Headers(**form)
    )
    made.response = Response.make(exchange["status"], exchange["answer"], {"Content-Type": "application/json"})
    return made


with open(sys.argv[1], encoding="utf-8") as recorded, open(sys.argv[2], "wb") as flows:
    writer = FlowWriter(flows)
    for line in recorded:
        writer.add(flow(json.loads(line)))
