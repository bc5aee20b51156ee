"""A user of MinIO for each function, with the policy of that function and no other.

Elsewhere whoever runs the service gives the keys: `--policies` writes what they are to allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from functions.adapters.s3.account import Buckets
from knative.buckets import access
from knative.buckets.change import Change, Note

ACCESS_KEY: Final = "access-key"
SECRET_KEY: Final = "secret-key"
"""Files of a function's folder, as a Secret is mounted."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a function shows the service."""

    function: str
    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class User:
    """A user as the service has it."""

    enabled: bool
    policies: frozenset[str]


class UserService(Protocol):
    """What is needed of `knative.buckets.service.BucketService`. Methods raise Denied."""

    def users(self) -> Mapping[str, User]: ...
    def accepts(self, access_key: str, secret_key: str) -> bool: ...
    def set_user(self, access_key: str, secret_key: str) -> None: ...
    def give(self, access_key: str, policy: str) -> None: ...


def read(folder: Path) -> list[Keys]:
    """`<folder>/<function>/access-key` and `secret-key`, of each function that is there.

    Raises ValueError for a folder of no function, and for keys that are missing or empty.
    """
    found = []
    for each in sorted(folder.iterdir()):
        if each.name.startswith("."):  # a mounted volume keeps its versions there
            continue
        if each.name not in access.GRANTS:
            raise ValueError(f"{each} is the folder of no function that uses the store")
        try:
            keys = [(each / name).read_text().strip() for name in (ACCESS_KEY, SECRET_KEY)]
        except OSError as error:
            raise ValueError(f"{error.filename} cannot be read: {error.strerror}") from None
        if not all(keys):
            raise ValueError(f"{each} has an empty key")
        found.append(Keys(each.name, *keys))
    return found


def of_users(
    service: UserService, buckets: Buckets, keys: Sequence[Keys], *, dry: bool
) -> Iterator[Change | Note]:
    """What makes each function's user known, with its secret and its policy. Raises Denied."""
    there = service.users()
    for each in keys:
        user = there.get(each.access_key)
        what = _wrong(service, each, user)
        if what:
            yield Change(each.access_key, f"{what}, for {each.function}")
            if not dry:
                service.set_user(each.access_key, each.secret_key)
        policy = access.policy_name(buckets, each.function)
        if user is None or user.policies != {policy}:
            yield Change(each.access_key, f"has the policy {policy}")
            if not dry:
                service.give(each.access_key, policy)
    ours = {access.policy_name(buckets, each.function) for each in keys}
    known = {each.access_key for each in keys}
    for name, user in there.items():
        if name not in known and user.enabled and user.policies & ours:
            yield Note(
                f"The user {name} has a policy of ours and is none of these functions: keys that "
                "were replaced still work. Remove it, if nobody uses it."
            )


def _wrong(service: UserService, keys: Keys, user: User | None) -> str:
    """What is done about it, "" where nothing is."""
    if user is None:
        return "user made"
    if not user.enabled:
        return "user enabled"
    return "" if service.accepts(keys.access_key, keys.secret_key) else "secret changed"
