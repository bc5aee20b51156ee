"""A tenant that listens: its endpoint, what comes to it, and what must be true of that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from functions.jobs import layout, record
from functions.ports import Answer, ObjectStore, Post
from functions.webhooks.outbox import Message
from tests.webhooks import SEAL as SEAL
from tests.webhooks import put_endpoint

LISTENS: Final = "t1"
"""The others have no endpoints."""


@dataclass(slots=True)
class Listener:
    """A Webhook. Of every other message it takes only the second attempt."""

    store: ObjectStore
    sent: list[Post] = field(default_factory=list)
    took: set[str] = field(default_factory=set)
    """The jobs whose verdict it was told and said so."""
    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """By job, as first seen: the message's id and its bytes."""

    def __post_init__(self) -> None:
        put_endpoint(self.store, "one", tenant=LISTENS)

    def __call__(self, posts: Sequence[Post]) -> Iterator[tuple[int, Answer]]:
        return iter([(place, self._answer(post)) for place, post in enumerate(posts)])

    def _answer(self, post: Post) -> Answer:
        id = post.headers["webhook-id"]
        job = json.loads(post.body)["data"]["job"]
        first = job not in self.bodies
        assert self.bodies.setdefault(job, (id, post.body)) == (id, post.body), "two verdicts"
        self.sent.append(post)
        if first and int(id, 16) % 2:
            return Answer(status=500, error="It answered 500.")
        self.took.add(job)
        return Answer(status=204)

    def check(self) -> None:
        """What is true at any moment: a message never lacks its entry in the due index."""
        for message in self._messages():
            at = layout.due(message.due_ms, message.tenant, message.id)
            assert self.store.head(at) is not None, "a message that nobody will look at again"

    def waiting(self) -> list[str]:
        """The messages that are not delivered yet."""
        return [message.id for message in self._messages() if message.waiting]

    def _messages(self) -> list[Message]:
        listed = list(self.store.list(layout.outbox_prefix(LISTENS)))
        return [record.load(self.store.get(info.key), Message) for info in listed]
