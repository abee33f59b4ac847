"""Posts notices to a chat channel, and lists what was posted: a small program that uses the twilio package."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

SERVICE = os.environ.get("NOTICES_SERVICE", "IS0123456789abcdef0123456789abcdef")


@dataclass(frozen=True)
class Notice:
    """A notice as it stands in a channel; ``posted`` is its time as Twilio has it."""

    sid: str
    text: str
    posted: str


class Board:
    """The notices of one channel."""

    def __init__(self, client: Client, channel: str) -> None:
        self._messages = client.chat.v1.services(SERVICE).channels(channel).messages

    def post(self, author: str, text: str) -> Notice:
        """Post a notice and return it."""
        return _notice(self._messages.create(body=text, from_=author))

    def notices(self) -> Iterator[Notice]:
        """Yield all notices, the oldest first, page by page."""
        return (_notice(message) for message in self._messages.stream(page_size=2))

    def withdraw(self, sid: str) -> bool:
        """Delete a notice; tell whether it was there."""
        try:
            return bool(self._messages(sid).delete())
        except TwilioRestException as error:
            if error.status != 404:
                raise
            return False


def _notice(message) -> Notice:
    return Notice(message.sid, message.body, message.date_created.isoformat())


def main() -> None:
    """Post the words of the command line, and print what the channel has."""
    client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    board = Board(client, os.environ["NOTICES_CHANNEL"])
    if len(sys.argv) > 1:
        board.post("notices", " ".join(sys.argv[1:]))
    for notice in board.notices():
        print(f"{notice.posted}  {notice.text}")


if __name__ == "__main__":
    main()
