"""An S3 service as whoever administers its buckets sees it: by the SDK of MinIO.

Every method raises Unavailable when the service cannot be reached, and Denied when it refuses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio, MinioAdmin
from minio.commonconfig import ENABLED, Filter
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, MinioException, S3Error
from minio.lifecycleconfig import (
    AbortIncompleteMultipartUpload,
    Expiration,
    LifecycleConfig,
    NoncurrentVersionExpiration,
)
from minio.lifecycleconfig import Rule as SdkRule
from minio.notificationconfig import NotificationConfig, QueueConfig, TopicConfig
from minio.versioningconfig import VersioningConfig

from eventing.errors import Unavailable
from functions.adapters.s3.account import Account
from knative.buckets.denied import Denied
from knative.buckets.users import User
from knative.buckets.wanted import OURS, Rule

_AWS: Final = "https://s3.amazonaws.com"
_TIMEOUT_S: Final = 10.0
_OUR_TARGET: Final = "kinora"
"""The id of our notification in a bucket's configuration."""


class BucketService:
    """One account at one service."""

    def __init__(self, account: Account) -> None:
        address = urlsplit(account.endpoint or _AWS)
        self.endpoint = f"{address.scheme}://{address.netloc}"
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=_TIMEOUT_S, read=_TIMEOUT_S),
            # A server that begins or is busy asks for a minute's patience: people are told instead.
            retries=urllib3.Retry(total=1, backoff_factor=0.2, respect_retry_after_header=False),
            cert_reqs="CERT_REQUIRED",
            ca_certs=account.ca_file or certifi.where(),
        )
        provider = StaticProvider(
            account.access_key, account.secret_key, account.session_token or None
        )
        self._region = account.region
        self._s3 = Minio(
            endpoint=address.netloc,
            secure=address.scheme == "https",
            region=account.region,
            credentials=provider,
            http_client=self._http,
        )
        if not account.path_style:
            self._s3.enable_virtual_style_endpoint()  # type: ignore[no-untyped-call]
        self._admin = MinioAdmin(
            endpoint=address.netloc,
            secure=address.scheme == "https",
            region=account.region,
            credentials=provider,
            http_client=self._http,
        )

    def is_minio(self) -> bool:
        """Whether it is a MinIO, which has policies of its own and no rule for parts."""
        with self._reached():
            answer = self._http.request("GET", f"{self.endpoint}/minio/health/live")
        return answer.status == 200 and "minio" in answer.headers.get("server", "").lower()

    def versioned(self, bucket: str) -> bool | None:
        """Whether it keeps versions, None where there is no such bucket."""
        try:
            with self._reached():
                return self._s3.get_bucket_versioning(bucket_name=bucket).status == ENABLED
        except Denied as denied:
            if denied.code == "NoSuchBucket":
                return None
            raise

    def make(self, bucket: str) -> None:
        with self._reached():
            self._s3.make_bucket(bucket_name=bucket)

    def keep_versions(self, bucket: str) -> None:
        with self._reached():
            self._s3.set_bucket_versioning(bucket_name=bucket, config=VersioningConfig(ENABLED))

    def rules(self, bucket: str) -> Mapping[str, Rule | None]:
        """Our rules by their ids; None for one that somebody has made another of."""
        return {
            rule.rule_id or "": _ours(rule) for rule in self._sdk_rules(bucket) if _is_ours(rule)
        }

    def set_rules(self, bucket: str, rules: Sequence[Rule]) -> None:
        """These are our rules from now on; others stay."""
        others = [rule for rule in self._sdk_rules(bucket) if not _is_ours(rule)]
        all_rules = [*others, *map(_sdk_rule, rules)]
        with self._reached():
            if all_rules:
                config = LifecycleConfig(all_rules)
                self._s3.set_bucket_lifecycle(bucket_name=bucket, config=config)
            else:
                self._s3.delete_bucket_lifecycle(bucket_name=bucket)

    def told(self, bucket: str, arn: str) -> frozenset[str]:
        """The events of any object that the target is told of, by one configuration."""
        found = self._notification(bucket)
        whole = [
            frozenset(each.events)
            for each in (*found.queue_config_list, *found.topic_config_list)
            if _arn(each) == arn and not (each.prefix_filter_rule or each.suffix_filter_rule)
        ]
        return max(whole, key=len, default=frozenset())

    def tell(self, bucket: str, arn: str, events: Sequence[str]) -> None:
        """Tell the target of these events of any object, and of nothing else; what other targets
        are told stays as it is."""
        found = self._notification(bucket)
        queues = [each for each in found.queue_config_list if _arn(each) != arn]
        topics = [each for each in found.topic_config_list if _arn(each) != arn]
        if ":sns:" in arn:
            topics.append(TopicConfig(topic=arn, events=list(events), config_id=_OUR_TARGET))
        else:
            queues.append(QueueConfig(queue=arn, events=list(events), config_id=_OUR_TARGET))
        config = NotificationConfig(
            cloud_func_config_list=found.cloud_func_config_list,
            queue_config_list=queues,
            topic_config_list=topics,
        )
        with self._reached():
            self._s3.set_bucket_notification(bucket_name=bucket, config=config)

    def policy(self, name: str) -> Mapping[str, Any] | None:
        """A named policy of MinIO, None where there is none."""
        try:
            with self._reached():
                found: Mapping[str, Any] = json.loads(self._admin.policy_info(name))
                return found
        except Denied as denied:
            if denied.code == "XMinioAdminNoSuchPolicy":
                return None
            raise

    def set_policy(self, name: str, policy: Mapping[str, Any]) -> None:
        with self._reached():
            self._admin.policy_add(name, policy=dict(policy))

    def users(self) -> Mapping[str, User]:
        """The users of MinIO, by their access keys."""
        with self._reached():
            found = json.loads(self._admin.user_list())
        return {
            name: User(
                enabled=each.get("status") == "enabled",
                policies=frozenset(filter(None, each.get("policyName", "").split(","))),
            )
            for name, each in found.items()
        }

    def accepts(self, access_key: str, secret_key: str) -> bool:
        """Whether the service takes these keys for those of a user, whatever that user may."""
        with self._reached():
            try:
                self._in_name_of(access_key, secret_key).list_buckets()
            except S3Error as error:
                if error.code in ("InvalidAccessKeyId", "SignatureDoesNotMatch"):
                    return False
                if error.code != "AccessDenied":
                    raise
        return True

    def set_user(self, access_key: str, secret_key: str) -> None:
        """There is such a user from now on, enabled, with this secret."""
        with self._reached():
            self._admin.user_add(access_key, secret_key)

    def give(self, access_key: str, policy: str) -> None:
        """The user has this policy from now on, and no other."""
        with self._reached():
            self._admin.policy_set(policy, user=access_key)

    def _in_name_of(self, access_key: str, secret_key: str) -> Minio:
        address = urlsplit(self.endpoint)
        return Minio(
            endpoint=address.netloc,
            secure=address.scheme == "https",
            region=self._region,
            credentials=StaticProvider(access_key, secret_key),
            http_client=self._http,
        )

    def _notification(self, bucket: str) -> NotificationConfig:
        with self._reached():
            return self._s3.get_bucket_notification(bucket_name=bucket)

    def _sdk_rules(self, bucket: str) -> list[SdkRule]:
        with self._reached():
            found = self._s3.get_bucket_lifecycle(bucket_name=bucket)
        return found.rules if found else []

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except S3Error as error:
            if error.response.status >= 500:
                raise Unavailable(f"{self.endpoint} is not able to now ({error.code})") from error
            raise Denied(error.code or "", error.message or str(error)) from error
        except MinioAdminException as error:
            raise Denied(*_admin_error(error)) from error
        except ValueError as error:  # the SDK looks at names before it sends anything
            raise Denied("InvalidBucketName", str(error)) from error
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise Unavailable(f"{self.endpoint} does not answer: {_why(error)}") from error


def _why(error: Exception) -> str:
    """The cause in a few words: what pools of connections say begins with what they tried."""
    return str(getattr(error, "reason", error)).rpartition(": ")[2] or type(error).__name__


def _admin_error(error: MinioAdminException) -> tuple[str, str]:
    """Code and message of an answer whose body is JSON, if it is."""
    try:
        body = json.loads(str(error).partition("Body: ")[2])
        return str(body["Code"]), str(body["Message"])
    except (ValueError, KeyError, TypeError):
        return "", str(error)


def _arn(config: object) -> str | None:
    match config:
        case QueueConfig():
            return config.queue
        case TopicConfig():
            return config.topic
    return None


def _is_ours(rule: SdkRule) -> bool:
    return (rule.rule_id or "").startswith(OURS)


def _sdk_rule(rule: Rule) -> SdkRule:
    versions = rule.noncurrent_days
    return SdkRule(
        status=ENABLED,
        rule_filter=Filter(prefix=rule.prefix),
        rule_id=rule.id,
        expiration=Expiration(days=rule.days)
        if rule.days
        else Expiration(expired_object_delete_marker=True)
        if versions
        else None,
        noncurrent_version_expiration=NoncurrentVersionExpiration(noncurrent_days=versions)
        if versions
        else None,
        abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(
            days_after_initiation=rule.parts_days
        )
        if rule.parts_days
        else None,
    )


def _ours(found: SdkRule) -> Rule | None:
    """What a rule of the service says, None if it says anything else than ours do."""
    noncurrent = found.noncurrent_version_expiration
    parts = found.abort_incomplete_multipart_upload
    rule = Rule(
        id=found.rule_id or "",
        prefix=(found.rule_filter.prefix if found.rule_filter else "") or "",
        days=(found.expiration.days if found.expiration else 0) or 0,
        noncurrent_days=(noncurrent.noncurrent_days if noncurrent else 0) or 0,
        parts_days=(parts.days_after_initiation if parts else 0) or 0,
    )
    try:
        return rule if _sdk_rule(rule) == found else None
    except ValueError:  # it does nothing that ours do
        return None
