"""Which values of a YAML file have no comment that says why they are what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

TUNED: Final = re.compile(
    r"autoscaling\.knative\.dev/.+|queue\.sidecar\..+|networking\.knative\.dev/.+"
    r"|eventing\.knative\.dev/broker\.class"
    r"|containerConcurrency|timeoutSeconds|responseStartTimeoutSeconds|periodSeconds"
    r"|failureThreshold|initialDelaySeconds|enableServiceLinks|automountServiceAccountToken"
    r"|requests|limits|sizeLimit|runAsUser"
    r"|tolerations|nodeSelector|runtimeClassName|topologySpreadConstraints|priorityClassName"
    r"|backoffLimit|activeDeadlineSeconds|ttlSecondsAfterFinished|podFailurePolicy|restartPolicy"
    r"|pollingInterval|maxReplicaCount|minAvailable|maxUnavailable|schedule"
    r"|default\.topic\..+|rotationPolicy|secretTemplate|imagePullSecrets"
)
"""Keys whose values somebody chose, where another would have worked as well, or differently."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A member of a mapping, where it stands."""

    key: str
    value: str
    """Empty for what is no text."""
    line: int
    """From 0, as in the text's lines."""
    end: int
    """The last line of its value."""
    within: tuple[_Entry, ...]
    item: tuple[int, int]
    """First and last line of the mapping."""

    @property
    def tuned(self) -> bool:
        """Of a patch it is the place that counts."""
        steps = self.value.split("/") if self.key == "path" else [self.key]
        return any(TUNED.fullmatch(step) for step in steps)


def unexplained(text: str) -> Iterator[str]:
    """`<line>: <key>`, from 1, for each value that has no reason: beside it, in it, above it, or
    above what it is a part of."""
    lines = text.splitlines()
    entries = [
        entry
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader)
        for entry in _entries(node, ())
    ]
    explained = {entry.line for entry in entries if _explained(lines, entry.line)}
    for entry in entries:
        # A patch of JSON, in a file or in a kustomization, is one choice as a whole.
        inline = entry.key == "patch" and any(unexplained(entry.value))
        if not (entry.tuned or inline):
            continue
        first, last = entry.item if entry.key in ("path", "patch") else (entry.line, entry.end)
        within = any("#" in line for line in lines[first : last + 1])
        above = _explained(lines, first)
        around = any(each.line in explained and each.key != "spec" for each in entry.within)
        if not (within or above or around or _follows(entry, entries, explained)):
            yield f"{entry.line + 1}: {entry.key}"


def _follows(entry: _Entry, entries: list[_Entry], explained: set[int]) -> bool:
    """True for one of several chosen values in a row, the first of which has a reason."""
    beside = {each.line: each for each in entries if each.item == entry.item}
    line = entry.line - 1
    while line in beside and beside[line].tuned:
        if line in explained:
            return True
        line -= 1
    return False


def _explained(lines: list[str], line: int) -> bool:
    beside = re.search(r"\s#", lines[line])
    above = line > 0 and lines[line - 1].lstrip(" -").startswith("#")
    return bool(beside or above)


def _entries(node: yaml.Node, within: tuple[_Entry, ...]) -> Iterator[_Entry]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            entry = _Entry(
                key=str(key.value),
                value=value.value if isinstance(value, yaml.ScalarNode) else "",
                line=key.start_mark.line,
                end=_last(value),
                within=within,
                item=(node.start_mark.line, _last(node)),
            )
            yield entry
            yield from _entries(value, (*within, entry))
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _entries(item, within)


def _last(node: yaml.Node) -> int:
    return int(node.end_mark.line - (node.end_mark.column == 0))
