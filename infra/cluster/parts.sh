# The processes of the host: run_<part> writes a part's configuration and starts it, <part>_ready
# succeeds once it can be used. Sourced after daemon.sh, by `up` and `restart`.
pki=$state/pki
etcd_url=http://127.0.0.1:12379
etcd_peer=http://127.0.0.1:12380

run_containerd() {
  file "$state/containerd.toml" <<END
version = 2
root = "$store"
state = "$state/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "dev.local/pause:cluster"
# A root without CAP_SYS_RESOURCE may not lower oom_score_adj, which kubelet asks of each sandbox.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$state/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
# What a RuntimeClass of this name finds on a node with GPUs. There is none here, so it is runc again.
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]
SystemdCgroup = false
END
  # Pods have no business outside: they get no default route, and so CNI leaves no rules behind.
  file "$state/cni/net.d/10-bridge.conflist" <<END
{"cniVersion": "0.4.0", "name": "$bridge", "plugins": [
  {"type": "bridge", "bridge": "$bridge", "isGateway": true, "hairpinMode": true, "ipam": {
    "type": "host-local", "dataDir": "$state/cni/ipam",
    "ranges": [[{"subnet": "$pod_cidr"}]], "routes": [{"dst": "$service_cidr"}]}},
  {"type": "loopback"}]}
END
  daemon containerd containerd --config "$state/containerd.toml"
}
containerd_ready() { images_of_node version; }

# Without fsync: a machine that crashes may lose the cluster's state, and nobody misses it.
run_etcd() {
  daemon etcd etcd --name kinora --data-dir "$state/etcd" --unsafe-no-fsync \
    --listen-client-urls "$etcd_url" --advertise-client-urls "$etcd_url" \
    --listen-peer-urls "$etcd_peer" --initial-advertise-peer-urls "$etcd_peer" \
    --initial-cluster "kinora=$etcd_peer"
}
etcd_ready() { alive etcd; }

run_apiserver() {
  daemon apiserver kube-apiserver --etcd-servers "$etcd_url" --allow-privileged \
    --bind-address "$node_ip" --advertise-address "$node_ip" --secure-port 6443 \
    --service-cluster-ip-range "$service_cidr" --kubelet-preferred-address-types InternalIP \
    --client-ca-file "$pki/ca.crt" \
    --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" \
    --kubelet-client-certificate "$pki/apiserver-kubelet.crt" \
    --kubelet-client-key "$pki/apiserver-kubelet.key" \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key" \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction
}
apiserver_ready() { kubectl get --raw /readyz; }

run_controller-manager() {
  daemon controller-manager kube-controller-manager --leader-elect=false --bind-address 127.0.0.1 \
    --kubeconfig "$state/controller-manager.kubeconfig" --use-service-account-credentials \
    --root-ca-file "$pki/ca.crt" --service-account-private-key-file "$pki/sa.key"
}
controller-manager_ready() { alive controller-manager; }

run_scheduler() {
  daemon scheduler kube-scheduler --leader-elect=false --bind-address 127.0.0.1 \
    --kubeconfig "$state/scheduler.kubeconfig"
}
scheduler_ready() { alive scheduler; }

run_kubelet() {
  file "$state/resolv.conf" <<<"nameserver $dns_ip"
  file "$state/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
authentication: {anonymous: {enabled: false}, x509: {clientCAFile: $pki/ca.crt}}
containerRuntimeEndpoint: unix://$socket
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
clusterDomain: cluster.local
clusterDNS: [$dns_ip]
resolvConf: $state/resolv.conf
podLogsDir: $log/pods
volumePluginDir: $state/kubelet/volume-plugins
# An image that is collected here cannot be pulled again.
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
serializeImagePulls: false
# A pod that waits for its Secret looks again after this long, not after a minute.
syncFrequency: 5s
END
  daemon kubelet kubelet --config "$state/kubelet.yaml" --kubeconfig "$state/kubelet.kubeconfig" \
    --root-dir "$state/kubelet" --cert-dir "$state/kubelet/pki" \
    --hostname-override "$node" --node-ip "$node_ip"
}
kubelet_ready() { kubectl wait --for=condition=ready "node/$node" --timeout=1s; }

run_proxy() {
  file "$state/proxy.yaml" <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: $pod_cidr
hostnameOverride: $node
bindAddress: $node_ip
metricsBindAddress: 127.0.0.1:10249
healthzBindAddress: 127.0.0.1:10256
nodePortAddresses: [$node_ip/32]
clientConnection: {kubeconfig: $state/proxy.kubeconfig}
conntrack: {maxPerCore: 0, min: null}
END
  daemon proxy kube-proxy --config "$state/proxy.yaml"
}
proxy_ready() { alive proxy; }
