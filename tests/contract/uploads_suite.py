"""What every Uploads keeps of the port's promises. An adapter's test inherits these classes.

`UploadsSuite` wants fixtures `store`, where the objects appear, and `uploads` over it.
"""

from __future__ import annotations

import hashlib
import itertools
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from functions.ports import Absent, ObjectStore, Part, Uploads
from tests.contract.object_store_suite import ILLEGAL_KEYS

_counter = itertools.count()


def _key(name: str = "film.mp4") -> str:
    return f"uploads/acme/{next(_counter)}/{name}"


def _body(number: int, size_bytes: int) -> bytes:
    """Bytes that are no other part's."""
    return hashlib.sha256(b"%d" % number).digest() * (size_bytes // 32 + 1)


def _bodies(uploads: Uploads, count: int) -> list[bytes]:
    """`count` parts, of which the last is small."""
    full = max(uploads.part_bytes, 64)
    return [_body(n, full)[:full] for n in range(1, count)] + [_body(count, 7)[:7]]


def _write_all(uploads: Uploads, key: str, upload: str, bodies: list[bytes]) -> list[Part]:
    parts, offset_bytes = [], 0
    for number, body in enumerate(bodies, start=1):
        parts.append(uploads.write(key, upload, number, body, offset_bytes=offset_bytes))
        offset_bytes += len(body)
    return parts


class UploadsSuite:
    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_parts_become_the_object_in_their_order(
        self, store: ObjectStore, uploads: Uploads, count: int
    ) -> None:
        key, bodies = _key(), _bodies(uploads, count)
        upload = uploads.begin(key, content_type="video/mp4")
        uploads.complete(key, upload, _write_all(uploads, key, upload, bodies))
        assert store.get(key) == b"".join(bodies)

    def test_nobody_sees_an_object_before_it_is_complete(
        self, store: ObjectStore, uploads: Uploads
    ) -> None:
        key, bodies = _key(), _bodies(uploads, 2)
        upload = uploads.begin(key)
        parts = _write_all(uploads, key, upload, bodies)
        assert store.head(key) is None
        assert list(store.list(key)) == []
        uploads.complete(key, upload, parts)
        assert [info.size_bytes for info in store.list(key)] == [sum(map(len, bodies))]

    def test_parts_may_be_written_in_any_order_and_at_once(
        self, store: ObjectStore, uploads: Uploads
    ) -> None:
        key, bodies = _key(), _bodies(uploads, 3)
        upload = uploads.begin(key)
        size_bytes = len(bodies[0])

        def write(number: int) -> Part:
            offset_bytes = (number - 1) * size_bytes
            return uploads.write(key, upload, number, bodies[number - 1], offset_bytes=offset_bytes)

        with ThreadPoolExecutor(3) as pool:
            written = list(pool.map(write, (3, 2, 1)))
        parts = sorted(written, key=lambda part: part.number)
        uploads.complete(key, upload, parts)
        assert store.get(key) == b"".join(bodies)

    def test_a_part_written_again_is_the_new_one(
        self, store: ObjectStore, uploads: Uploads
    ) -> None:
        key = _key()
        upload = uploads.begin(key)
        uploads.write(key, upload, 1, b"the first attempt, longer", offset_bytes=0)
        second = uploads.write(key, upload, 1, b"the second", offset_bytes=0)
        assert list(uploads.parts(key, upload)) == [second]
        uploads.complete(key, upload, [second])
        assert store.get(key) == b"the second"

    def test_what_was_taken_is_listed_by_number(self, uploads: Uploads) -> None:
        key, bodies = _key(), _bodies(uploads, 3)
        upload = uploads.begin(key)
        assert list(uploads.parts(key, upload)) == []
        parts = _write_all(uploads, key, upload, bodies)
        assert list(uploads.parts(key, upload)) == parts
        assert [part.size_bytes for part in parts] == [len(body) for body in bodies]

    def test_completing_again_is_harmless(self, store: ObjectStore, uploads: Uploads) -> None:
        key = _key()
        upload = uploads.begin(key)
        parts = _write_all(uploads, key, upload, [b"body"])
        uploads.complete(key, upload, parts)
        before = store.head(key)
        uploads.complete(key, upload, parts)
        assert store.head(key) == before

    def test_completing_at_once_makes_one_object(
        self, store: ObjectStore, uploads: Uploads
    ) -> None:
        key = _key()
        upload = uploads.begin(key)
        parts = _write_all(uploads, key, upload, [b"body"])
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(uploads.complete, key, upload, parts) for _ in range(4)]:
                done.result()
        assert store.get(key) == b"body"

    def test_other_parts_than_were_taken_make_no_object(
        self, store: ObjectStore, uploads: Uploads
    ) -> None:
        key = _key()
        upload = uploads.begin(key)
        taken = uploads.write(key, upload, 1, b"body", offset_bytes=0)
        other = Part(number=1, etag="0" * 32, size_bytes=4)
        missing = Part(number=2, etag=taken.etag, size_bytes=4)
        for wrong in ([], [other], [taken, missing]):
            with pytest.raises(ValueError):
                uploads.complete(key, upload, wrong)
        assert store.head(key) is None
        uploads.complete(key, upload, [taken])
        assert store.get(key) == b"body"

    def test_an_aborted_upload_is_over(self, store: ObjectStore, uploads: Uploads) -> None:
        key = _key()
        upload = uploads.begin(key)
        part = uploads.write(key, upload, 1, b"body", offset_bytes=0)
        uploads.abort(key)
        uploads.abort(key)
        with pytest.raises(Absent):
            uploads.write(key, upload, 2, b"more", offset_bytes=4)
        with pytest.raises(Absent):
            uploads.parts(key, upload)
        with pytest.raises(Absent):
            uploads.complete(key, upload, [part])
        assert store.head(key) is None

    def test_every_upload_to_a_key_is_aborted_and_no_others(
        self, store: ObjectStore, uploads: Uploads
    ) -> None:
        key, longer = _key(), _key()
        longer = f"{key}.longer"
        gone = [uploads.begin(key), uploads.begin(key)]
        kept = uploads.begin(longer)
        uploads.abort(key)
        for upload in gone:
            with pytest.raises(Absent):
                uploads.parts(key, upload)
        part = uploads.write(longer, kept, 1, b"body", offset_bytes=0)
        uploads.complete(longer, kept, [part])
        assert store.get(longer) == b"body"

    def test_what_is_complete_is_not_aborted(self, store: ObjectStore, uploads: Uploads) -> None:
        key = _key()
        upload = uploads.begin(key)
        uploads.complete(key, upload, _write_all(uploads, key, upload, [b"body"]))
        uploads.abort(key)
        assert store.get(key) == b"body"

    def test_an_upload_that_was_never_begun_is_absent(self, uploads: Uploads) -> None:
        key, other = _key(), _key()
        upload = uploads.begin(other)
        for unknown in (upload, "0" * 32, ""):
            with pytest.raises(Absent):
                uploads.write(key, unknown, 1, b"body", offset_bytes=0)

    def test_names_may_hold_any_character(self, store: ObjectStore, uploads: Uploads) -> None:
        for name in ("a b+c%20d&e=f;g.mp4", "é\u0301ü/ß 🎬.mov", "'(1)!*~$,:@.mkv"):
            key = _key(name)
            upload = uploads.begin(key)
            uploads.complete(key, upload, _write_all(uploads, key, upload, [b"body"]))
            assert store.get(key) == b"body"

    @pytest.mark.parametrize("key", ILLEGAL_KEYS, ids=repr)
    def test_an_illegal_key_is_a_mistake_everywhere(self, uploads: Uploads, key: str) -> None:
        for call in (
            lambda: uploads.begin(key),
            lambda: uploads.write(key, "0" * 32, 1, b"", offset_bytes=0),
            lambda: uploads.parts(key, "0" * 32),
            lambda: uploads.complete(key, "0" * 32, [Part(number=1, etag="", size_bytes=1)]),
            lambda: uploads.abort(key),
        ):
            with pytest.raises(ValueError):
                call()


class SigningUploadsSuite(UploadsSuite):
    """For stores that clients can be let write to: `uploads.origin`."""

    def test_a_small_part_before_the_last_makes_no_object(self, uploads: Uploads) -> None:
        key = _key()
        upload = uploads.begin(key)
        parts = _write_all(uploads, key, upload, [b"small", b"small too"])
        with pytest.raises(ValueError):
            uploads.complete(key, upload, parts)

    def test_a_client_writes_the_part_that_was_signed_for_it(
        self, store: ObjectStore, uploads: Uploads
    ) -> None:
        key = _key("a film.mp4")
        upload = uploads.begin(key)
        url = uploads.sign_part(key, upload, 1, size_bytes=4, ttl_s=60)
        assert url.startswith(f"{uploads.origin}/")
        assert httpx2.put(url, content=b"body", trust_env=False).status_code == 200
        parts = uploads.parts(key, upload)
        assert [(part.number, part.size_bytes) for part in parts] == [(1, 4)]
        uploads.complete(key, upload, parts)
        assert store.get(key) == b"body"

    def test_a_part_of_another_size_number_or_upload_is_not_what_was_signed(
        self, uploads: Uploads
    ) -> None:
        key = _key()
        upload = uploads.begin(key)
        url = uploads.sign_part(key, upload, 1, size_bytes=4, ttl_s=60)
        other = url.replace("partNumber=1", "partNumber=2")
        assert url != other
        assert httpx2.put(url, content=b"a body", trust_env=False).status_code == 403
        assert httpx2.put(other, content=b"body", trust_env=False).status_code == 403
        assert list(uploads.parts(key, upload)) == []

    def test_a_browser_posts_the_form_that_was_signed_for_it(
        self, store: ObjectStore, uploads: Uploads
    ) -> None:
        key = _key("a film.mp4")
        form = uploads.sign_post(key, max_bytes=10, ttl_s=60, content_type="video/mp4")
        answer = _post(form.url, dict(form.fields), b"body")
        assert answer.status_code == 201, answer.text
        assert store.get(key) == b"body"

    def test_a_form_is_good_for_its_key_and_its_size_alone(
        self, store: ObjectStore, uploads: Uploads
    ) -> None:
        key, other = _key(), _key()
        form = uploads.sign_post(key, max_bytes=10, ttl_s=60)
        fields = dict(form.fields)
        assert _post(form.url, fields, b"").status_code == 400
        assert _post(form.url, fields, b"eleven bytes").status_code == 400
        elsewhere = {**fields, "key": other.partition("/")[2]}
        assert _post(form.url, elsewhere, b"body").status_code == 403
        assert store.head(key) is None
        assert store.head(other) is None


def _post(url: str, fields: dict[str, str], body: bytes) -> httpx2.Response:
    return httpx2.post(url, data=fields, files={"file": ("film.mp4", body)}, trust_env=False)
