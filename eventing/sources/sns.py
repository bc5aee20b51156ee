"""The envelope of Amazon SNS: a JSON object whose `Message` is what was published, as text.

A subscription begins with a message that holds an address to confirm it at. It is never fetched:
whoever can post here could make us fetch anything. A person confirms, by the address in the log.
"""

from __future__ import annotations

from typing import Final

from eventing.sources.remark import Remark

MARK: Final = "TopicArn"
"""A member that no other dialect has."""
_TO_CONFIRM: Final = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
_ADDRESS_CHARS: Final = 1000


def read(document: dict[str, object]) -> bytes | Remark:
    """The text that was published."""
    kind = document.get("Type")
    if kind in _TO_CONFIRM:
        address = str(document.get("SubscribeURL", ""))[:_ADDRESS_CHARS]
        return Remark(
            f"a topic asks to confirm a subscription; if it is yours, open {address}", wrong=True
        )
    message = document.get("Message")
    if kind != "Notification" or not isinstance(message, str):
        return Remark("a message of SNS that is none", wrong=True)
    return message.encode()
