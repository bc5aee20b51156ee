# Where the cluster lies and what its addresses are. Sourced by every program of this folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(realpath "$here/../..")

home=$(realpath -m "${KINORA_CLUSTER_HOME:-$project/.cache/cluster}")
bin=$home/bin            # programs of the host, by `build`
archives=$home/archives  # images as archives, by `build`
upstream=$home/upstream  # Knative's own YAML, by `build`
store=$home/containerd   # containerd's images; `down` keeps them
log=$home/log            # of the last run; `down` keeps them too
state=$home/state        # all else: etcd, certificates, pods, volumes; gone with `down`
socket=$state/containerd.sock

# The node's address is that of the pods' bridge: a Service may not point at a loopback address, and
# so nothing listens on, or talks through, an interface of the machine.
bridge=kinora0
node=node-1
node_ip=10.244.0.1
pod_cidr=10.244.0.0/24
service_cidr=10.96.0.0/16
api_ip=10.96.0.1         # always the first of service_cidr
dns_ip=10.96.0.10        # also in manifests/node/coredns.yaml
api=https://$node_ip:6443
domain=example.test      # of public Services, also in manifests/knative: http://<service>.<namespace>.example.test

export KUBECONFIG=$state/admin.kubeconfig
export PATH=$bin:$PATH

say() { printf '%(%H:%M:%S)T %s\n' -1 "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }
usage() { say "${0##*/}: $*; see the head of $0"; exit 2; }

# Commands to the cluster's containerd, about what kubelet sees.
images_of_node() { ctr --address "$socket" --namespace k8s.io "$@"; }

# `up` and `down` change the whole machine, so one at a time. What they start holds the lock too, but
# for a daemon; the `down` that `up` calls is told so.
alone() {
  local lock=/run/lock/kinora-cluster
  if [ -n "${KINORA_CLUSTER_ALONE:-}" ]; then return; fi
  : 2>/dev/null >>"$lock" || true
  exec 9<"$lock"
  if ! flock --nonblock 9; then
    say 'waiting for another up or down'
    if ! flock --timeout 900 9; then die "another up or down holds $lock for 15 minutes"; fi
  fi
  KINORA_CLUSTER_ALONE=yes
}

# Whether a process of the cluster of HOME lives: each of them names its state, and so may another one:
# then it counts as living. What is looked for comes by a file, else grep finds itself.
living() { grep -qsaF -f <(printf '%s/state/\n' "$1") /proc/[0-9]*/cmdline; }

# There is one bridge, one set of addresses and one kubelet's cgroup on a machine, so one cluster:
# the bridge carries the home of whoever made it.
other_home() {
  local holder owner
  holder=$(ip -oneline -4 address show to "$node_ip/32" | awk '{print $2; exit}')
  if [ -z "$holder" ]; then return; fi
  owner=$(cat "/sys/class/net/$holder/ifalias" 2>/dev/null || true)
  if [ "$holder" = "$bridge" ] && [ "$owner" = "$home" ]; then return; fi
  if [ "$holder" != "$bridge" ]; then owner=; fi
  echo "${owner:-interface $holder}"
}
ours_or_nobodys() {
  local owner
  owner=$(other_home)
  case $owner in
    '') return ;;
    /*) die 'another cluster is up on this machine; take it down first:' \
      "KINORA_CLUSTER_HOME=$(printf %q "$owner") infra/cluster/down" ;;
    *) die "$owner has the address of the cluster's node, $node_ip; take it away first" ;;
  esac
}
# A cluster whose processes were all killed leaves its bridge, mounts and rules, and nobody who would
# take them away.
without_the_dead() {
  local owner
  owner=$(other_home)
  if [ "${owner:0:1}" != / ] || living "$owner"; then return; fi
  say "the cluster of $owner is dead; taking away what it left"
  KINORA_CLUSTER_ALONE=${KINORA_CLUSTER_ALONE:-} KINORA_CLUSTER_HOME=$owner "$here/down"
}
