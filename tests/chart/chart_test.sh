#!/usr/bin/env bash
# The chart on a real kube-apiserver: its objects for many sets of values, what its schema refuses, and
# install, upgrade, rollback, uninstall and reinstall. No pod runs here.
# usage: chart_test.sh [DIR of a running cluster]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

[[ ${VDCU_GUARDED_BY:-} == "$PPID" ]] || exec tests/cluster/guarded "tests/chart/${0##*/}" "$@"
readonly WORK=$VDCU_TEST_FOLDER CHART=charts/vdcu-operator
CLUSTER=${1:-$WORK/cluster}
readonly CLUSTER
HELM=$(tests/chart/build)/helm
readonly HELM
# shellcheck source=tests/cluster/checks.sh
source tests/cluster/checks.sh

kubectl() { "$CLUSTER/kubectl" "$@"; }
helm() {
  HELM_CACHE_HOME=$WORK/helm HELM_CONFIG_HOME=$WORK/helm HELM_DATA_HOME=$WORK/helm \
    KUBECONFIG=$CLUSTER/admin.kubeconfig "$HELM" "$@"
}
template() { helm template vdcu $CHART -n vdcu-system "$@"; }
kinds() { template "$@" | sed -n 's/^kind: //p' | sort -u | paste -sd ' '; }
of() { kubectl get "$1" -o "jsonpath={$2}"; }

# ---- what the chart makes ----

# accepted VALUES-ARGUMENT...: the API server takes all of its objects.
accepted() {
  template --kube-version 1.36.3 --set namespace.create=true "$@" >"$WORK/objects.yaml" &&
    kubectl apply --dry-run=server -f "$WORK/objects.yaml"
}

values_file() {
  cat >"$WORK/values.yaml" <<'YAML'
imagePullSecrets: [{name: a}, {name: b}]
controller:
  nodeSelector: {pool: system}
  tolerations: [{key: a, operator: Equal, value: b, effect: NoExecute, tolerationSeconds: 5}]
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
  podAnnotations: {a.b/c: "1"}
  podLabels: {team: x}
  extraArgs: [--lease-namespace=team]
  extraEnv: [{name: A, value: b}, {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  updateStrategy: {type: Recreate}
  resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 1Gi}}
  serviceAccount: {annotations: {a: b}}
node:
  nodeSelector: {pool: dcu}
  tolerations: []
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
  podAnnotations: {a.b/c: "1"}
  podLabels: {team: x}
  extraArgs: [--log-level=debug]
  extraEnv: [{name: KUBERNETES_SERVICE_HOST, value: 127.0.0.1}]
  updateStrategy: {type: OnDelete, rollingUpdate: null}
  serviceAccount: {annotations: {a: b}}
extraObjects:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: yaml, namespace: vdcu-system}, data: {release: "{{ .Release.Name }}"}}
- |
  apiVersion: v1
  kind: ConfigMap
  metadata: {name: text, namespace: {{ .Release.Namespace }}}
YAML
}

# One set of values a line.
what_is_accepted() {
  local values words
  while IFS= read -r values; do
    read -r -a words <<<"$values"
    check "accepted: ${values:-no values}" accepted "${words[@]}"
  done <<ROWS

--values $WORK/values.yaml
--set node.everyNode=true,controller.replicas=1,controller.podDisruptionBudget.enabled=false
--set resourceNames={hygon.com/dcunum,hygon.com/hcunum},policy=Spread
--set resourceNames={hygon.com/hcunum},schedulerName=hcu-scheduler
--set kubeletRootDir=/data/kubelet,cgroupRoot=/kube,dtkDir=/usr/share/dtk
--set logLevel=debug,logFormat=json
--set global.imageRegistry=registry.example.com,controller.image.tag=x,node.image.tag=y
--set node.image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef,node.image.pullPolicy=Always
--set crds.keep=false
--set crds.enabled=false,rbac.create=false,policies.enabled=false,flowControl.enabled=false
--set networkPolicy.enabled=false,services.enabled=false,admission.mode=off
--set networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.team=monitoring,networkPolicy.metricsFrom[1].ipBlock.cidr=10.0.0.0/8
--set node.podMetrics=true,node.metricNames={hami,volcano}
--set controller.serviceAccount.create=false,controller.serviceAccount.name=own,node.serviceAccount.create=false,node.serviceAccount.name=too
--set admission.tolerateTaint=hygon.com/dcunum --set-json admission.schedulers=[]
--set policies.enabled=false,admission.fence=webhook
--set policies.enabled=false,admission.fence=webhook,admission.mode=webhook,admission.webhook.certificate.source=secret
--set admission.mode=webhook,admission.tolerateTaint=hygon.com/dcunum,admission.webhook.failurePolicy=Fail
--set admission.tolerateTaint=hygon.com/dcu,admission.taintNodes=true
--set admission.mode=webhook,admission.webhook.certificate.source=secret,admission.webhook.certificate.secretName=mine
--set controller.hostNetwork=true,node.hostNetwork=true,controller.port=0,node.port=0
--set controller.enabled=false,node.enabled=false
--set extender.enabled=true,extender.port=9000,kubeScheduler.enabled=true,kubeScheduler.schedulerName=mine
--set volcano.enabled=true,volcano.port=9001,node.advertiseParts=true,memoryUnit=Gi
--set extender.enabled=true,volcano.enabled=true,node.advertiseParts=true
--set hami=hcu
--set hami=dcu,rbac.create=false,policies.enabled=false
--set node.advertiseParts=true,rbac.create=false,policies.enabled=false
--set gate.enabled=true,gate.timeoutSeconds=30,gate.users={a,b}
--set gate.enabled=true,extender.enabled=true,admission.mode=off,admission.webhook.certificate.source=secret
--set node.takeOver=true,node.priorityClassName=,controller.priorityClassName=
--set preemption=false
ROWS
}

# Unknown keys at each level, and values of the wrong kind: refused, with the key named.
what_is_refused() {
  local values want
  while IFS='|' read -r values want; do
    check "refused: $values" fails_with "$want" template --set "$values"
  done <<'ROWS'
surprise=1|additional properties 'surprise' not allowed
global.a=1|at '/global': additional properties 'a'
crds.a=1|at '/crds': additional properties 'a'
rbac.a=1|at '/rbac': additional properties 'a'
policies.a=1|at '/policies': additional properties 'a'
namespace.a=1|at '/namespace': additional properties 'a'
admission.a=1|at '/admission': additional properties 'a'
admission.webhook.a=1|at '/admission/webhook': additional properties 'a'
admission.webhook.certificate.a=1|at '/admission/webhook/certificate': additional properties 'a'
admission.webhook.failurePolicy=fail|at '/admission/webhook/failurePolicy'
admission.webhook.certificate.source=helm|at '/admission/webhook/certificate/source'
admission.webhook.certificate.issuerRef.kind=x|at '/admission/webhook/certificate/issuerRef'
extender.a=1|at '/extender': additional properties 'a'
extender.holdTimeoutSeconds=0|at '/extender/holdTimeoutSeconds'
gate.a=1|at '/gate': additional properties 'a'
gate.timeoutSeconds=5|at '/gate/timeoutSeconds'
gate.users[0]=it's|at '/gate/users/0'
kubeScheduler.a=1|at '/kubeScheduler': additional properties 'a'
kubeScheduler.enabled=true|kubeScheduler.enabled: true: want extender.enabled=true
extender.enabled=true,kubeScheduler.enabled=true,kubeScheduler.schedulerName=vdcu-scheduler|want another name than schedulerName
volcano.a=1|at '/volcano': additional properties 'a'
volcano.port=80|at '/volcano/port'
volcano.enabled=true|volcano.enabled: true: want node.advertiseParts=true
volcano.enabled=true,node.advertiseParts=true,controller.enabled=false|volcano.enabled: true: want controller.enabled=true
volcano.enabled=true,node.advertiseParts=true,extender.enabled=true,volcano.port=8443|volcano.port: 8443: want another than extender.port
flowControl.a=1|at '/flowControl': additional properties 'a'
networkPolicy.a=1|at '/networkPolicy': additional properties 'a'
networkPolicy.metricsFrom[0].podSelectors.a=b|at '/networkPolicy/metricsFrom/0': additional properties 'podSelectors'
node.metricNames[0]=nvidia|at '/node/metricNames/0': value must be one of 'hami', 'volcano'
services.a=1|at '/services': additional properties 'a'
controller.a=1|at '/controller': additional properties 'a'
controller.image.name=x|at '/controller/image': additional properties 'name'
controller.podDisruptionBudget.a=1|at '/controller/podDisruptionBudget': additional properties 'a'
controller.serviceAccount.a=1|at '/controller/serviceAccount': additional properties 'a'
controller.resources.a=1|at '/controller/resources': additional properties 'a'
controller.updateStrategy.a=1|at '/controller/updateStrategy': additional properties 'a'
controller.affinity.a=1|at '/controller/affinity': additional properties 'a'
controller.tolerations[0].a=1|at '/controller/tolerations/0': additional properties 'a'
controller.extraEnv[0].a=1|at '/controller/extraEnv/0'
imagePullSecrets[0].a=1|at '/imagePullSecrets/0'
node.a=1|at '/node': additional properties 'a'
node.image.a=x|at '/node/image': additional properties 'a'
node.updateStrategy.rollingUpdate.a=1|at '/node/updateStrategy/rollingUpdate': additional properties 'a'
node.replicas=1|at '/node': additional properties 'replicas'
controller.replicas=0|at '/controller/replicas'
logLevel=trace|at '/logLevel'
policy=Random|at '/policy'
preemption=maybe|at '/preemption'
admission.mode=on|at '/admission/mode'
admission.fence=policy|at '/admission/fence'
admission.taintNodes=yes|at '/admission/taintNodes'
admission.taintNodes=true|want admission.tolerateTaint with it
kubeletRootDir=var|at '/kubeletRootDir'
resourceNames={nvidia.com/gpu}|at '/resourceNames/0'
node.image.digest=abc|at '/node/image/digest'
ROWS
}

# A comment stands right above each key of values.yaml, but those of a group.
every_key_is_told() {
  awk '/^ *#/ {told = 1; next}
    /^ *- / {next}
    /^ *[A-Za-z]+:/ {if (!told && !/: *$/) {print "no comment: " $0; bad = 1}}
    {told = 0}
    END {exit bad}' $CHART/values.yaml
}

# The rules of a NetworkPolicy, "PORT from N" each.
rules_of() {
  template -s "templates/$1/network-policy.yaml" --kube-version 1.28.0 "${@:2}" |
    kubectl create --dry-run=client --validate=false -o json -f - |
    jq -r '.spec.ingress[] | "\(.ports[0].port) from \(.from // [] | length)"' | paste -sd ' '
}

who_reaches_the_metrics() {
  local one="networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.team=a"
  check "everybody reaches the controller's ports" prints "8080 from 0 9443 from 0" rules_of controller
  check "or who may its metrics, and everybody its webhook" prints "8080 from 1 9443 from 0" rules_of controller --set "$one"
  check "and the daemons'" prints "9394 from 1" rules_of node --set "$one"
  check "who names pods is told that all can read that" prints "reads the names of namespaces" notes --set node.podMetrics=true
  check "but where some may" prints_no "reads the names" notes --set "node.podMetrics=true,$one"
}
notes() { helm install vdcu $CHART -n vdcu-system --dry-run=client "$@"; }

what_can_be_left_out() {
  check "the controller may evict pods" prints pods/eviction template -s templates/rbac/controller.yaml
  check "but where it is not to" prints_no pods/eviction template -s templates/rbac/controller.yaml \
    --set preemption=false
  check "and it is told that" prints --preemption=false template -s templates/controller/deployment.yaml \
    --set preemption=false
  check "no controller, no Deployment" prints_no Deployment kinds --set controller.enabled=false
  check "neither, no workload" prints_no NetworkPolicy kinds --set controller.enabled=false,node.enabled=false
  check "but the accounts" prints ServiceAccount kinds --set controller.enabled=false,node.enabled=false
}

on_older_clusters() {
  local aliyun
  aliyun=$(kinds --kube-version v1.28.3-aliyun.1)
  check "Kubernetes 1.36 gets all" prints MutatingAdmissionPolicyBinding kinds --kube-version 1.36.0
  check "1.35 gets no MutatingAdmissionPolicy" prints_no MutatingAdmission kinds --kube-version v1.35.2
  check "but a webhook for it" prints MutatingWebhookConfiguration kinds --kube-version v1.35.2
  check "and none that refuses" prints_no ValidatingWebhookConfiguration kinds --kube-version v1.35.2
  check "but the others" prints ValidatingAdmissionPolicyBinding kinds --kube-version v1.35.2
  check "v1.28.3-aliyun.1 is accepted" prints DaemonSet echo "$aliyun"
  check "without admission policies" prints_no AdmissionPolicy echo "$aliyun"
  check "with both webhooks" prints ValidatingWebhookConfiguration echo "$aliyun"
  check "unless policies are wanted" prints_no Webhook kinds --kube-version v1.28.3 --set admission.mode=policy
  check "or nothing" prints_no Webhook kinds --kube-version v1.28.3 --set admission.mode=off
  check "or nobody would serve them" prints_no Webhook kinds --kube-version v1.28.3 --set controller.enabled=false
  check "and seats of the version that it has" prints flowcontrol.apiserver.k8s.io/v1beta3 template --kube-version v1.28.3
  check "1.25 lends them" prints assuredConcurrencyShares template --kube-version v1.25.3
  check "1.20 has them, too" prints flowcontrol.apiserver.k8s.io/v1beta1 template --kube-version v1.20.4-tke.7
  check "1.31 gets the CRDs as they are" prints selectableFields template --kube-version v1.31.1-eks-a
  check "1.30 without selectable fields" prints_no selectableFields template --kube-version v1.30.9
  check "but with rules" prints x-kubernetes-validations template --kube-version v1.25.0-vendor
  check "1.24 without rules" prints_no x-kubernetes-validations template --kube-version v1.24.17
  check "v1.20.4-tke.7 is accepted" prints DaemonSet kinds --kube-version v1.20.4-tke.7
  check "with a budget of policy/v1beta1" prints 'apiVersion: policy/v1beta1' template --kube-version v1.20.4-tke.7
  check "a new installation sells most cards" prints '--policy=FragmentationAware' template
  check "v1.31.1-eks-a has whole mounts read-only" prints recursiveReadOnly template --kube-version v1.31.1-eks-a
  check "v1.30.1+k3s1 has not" prints_no recursiveReadOnly template --kube-version v1.30.1+k3s1
  check "a list of kinds counts more than the version" prints_no MutatingAdmission kinds --kube-version 1.36.0 \
    --api-versions v1/Pod --api-versions admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy
}

who_writes_what() {
  local fence=admission.fence=webhook only=admission.fence=webhook,admission.mode=off
  check "nobody holds it before 1.30 unasked" prints_no objects.fence.vdcu.io template --kube-version v1.28.3
  check "a webhook does where it is wanted" prints objects.fence.vdcu.io template --kube-version v1.28.3 --set $only
  check "which the controller serves" prints --webhook-fence template --kube-version v1.28.3 --set $only
  check "and makes the certificate of" prints 'kind: Secret' template --kube-version v1.28.3 --set $only
  check "by the names of the accounts" prints --webhook-node-account=too template --kube-version v1.28.3 \
    --set $only,node.serviceAccount.name=too
  check "daemons may see it" prints 'resourceNames: [vdcu-webhook]' template -s templates/rbac/node.yaml \
    --kube-version v1.28.3 --set $only
  check "and nothing of it otherwise" prints_no vdcu-webhook template -s templates/rbac/node.yaml --kube-version v1.28.3
  check "1.28 is asked about daemons' events" prints events.fence.vdcu.io template --kube-version v1.28.3 --set $only
  check "1.27 cannot tell which are theirs" prints_no events.fence.vdcu.io template --kube-version v1.27.9 --set $only
  check "and never waits for want of its own Lease" prints 'failurePolicy: Ignore' template --kube-version v1.27.9 --set $only
  check "1.28 holds all of it" prints_no 'failurePolicy: Ignore' template --kube-version v1.28.3 --set $only
  check "1.20 gives daemons a token that names them" prints serviceAccountToken template --kube-version v1.20.4 --set $only
  check "1.21 has" prints_no serviceAccountToken template --kube-version v1.21.9 --set $only
  check "policies go before it" prints_no fence template --kube-version 1.36.0 --set $fence
  check "unless they are not wanted" prints objects.fence.vdcu.io template --kube-version 1.36.0 --set $fence,policies.enabled=false
  check "nobody would serve it" prints_no fence template --kube-version v1.28.3 --set $fence,controller.enabled=false
  check "whoever installs it is told its price" prints 'while no controller answers' notes --set $fence,policies.enabled=false
  check "and without it of the cure" prints 'admission.fence=webhook' notes --set policies.enabled=false
}

# pod_of TEMPLATE LEVEL: the pod that a workload of the chart would make, in a namespace that enforces a
# level of Pod Security
pod_of() {
  template --kube-version 1.36.0 -s "templates/$1" >"$WORK/workload.yaml" &&
    kubectl create --dry-run=client --validate=false -o json -f "$WORK/workload.yaml" |
    jq --arg level "$2" '{apiVersion: "v1", kind: "Pod", metadata: {name: "x", namespace: $level}, spec: .spec.template.spec}
      | del(.spec.priorityClassName)' |
      kubectl create --dry-run=server -f -
}
# What stands between the daemon and the level baseline is its host paths alone.
only_host_paths() {
  local said
  ! said=$(pod_of node/daemonset.yaml baseline 2>&1) && echo "$said" &&
    [[ $said =~ violates\ PodSecurity\ \"baseline:latest\":\ hostPath\ volumes\ \([^\(\)]*\)$ ]]
}

pod_security() {
  local level
  for level in privileged baseline restricted; do
    kubectl create namespace "$level" >/dev/null
    kubectl label namespace "$level" "pod-security.kubernetes.io/enforce=$level" >/dev/null
  done
  check "the controller keeps to the level restricted" pod_of controller/deployment.yaml restricted
  check "the daemon needs privileged" pod_of node/daemonset.yaml privileged
  check "for its host paths alone" only_host_paths
}

# ---- the life of a release ----

# sorted FILE: its objects as JSON, in an order of their own
sorted() {
  kubectl create --dry-run=client --validate=false -o json -f "$1" |
    jq -s -S 'map(if .kind == "List" then .items[] else . end) | sort_by(.kind, .metadata.name)'
}

# What the release has is what `kubectl apply -k config` makes: field by field, the namespace aside.
same_as_config() {
  helm get manifest vdcu -n vdcu-system >"$WORK/release.yaml"
  kubectl kustomize config >"$WORK/config.yaml"
  diff <(sorted "$WORK/config.yaml" | jq 'map(select(.kind != "Namespace"))') <(sorted "$WORK/release.yaml")
}

# A later chart: another version, and a field more of a partition.
later_chart() {
  cp -r $CHART "$WORK/later"
  sed -i 's/^version: .*/version: 0.2.0/; s/^appVersion: .*/appVersion: 0.2.0/' "$WORK/later/Chart.yaml"
  sed -i '0,/^\( *\)computeUnits:$/s//\1later:\n\1  type: string\n&/' "$WORK/later/files/crds/1.31/vdcupartition.yaml"
}
has_later_field() {
  [[ $(of crd/vdcupartitions.vdcu.io '.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.later.type') == string ]]
}

upgraded() { helm upgrade vdcu "$WORK/later" -n vdcu-system && has_later_field; }
rolled_back() { helm rollback vdcu 1 -n vdcu-system && ! has_later_field; }
uninstalled() { helm uninstall vdcu -n vdcu-system && ! kubectl get -n vdcu-system deployment/vdcu-controller; }
image() { kubectl get deployment/vdcu-controller -n vdcu-system -o 'jsonpath={.spec.template.spec.containers[0].image}'; }

life() {
  local uid
  kubectl apply -f config/namespace.yaml >/dev/null
  check "install" prints 'kubectl get dcunodes' helm install vdcu $CHART -n vdcu-system
  check "what it made is what config/ has" same_as_config
  check "config/ is accepted as a whole" kubectl apply --dry-run=server -k config
  check "a second release is refused" fails_with 'as release "vdcu" in namespace "vdcu-system": there can be one' \
    helm install other $CHART -n other --create-namespace
  check "also one of the same name elsewhere" fails_with 'as release "vdcu" in namespace "vdcu-system"' \
    helm install vdcu $CHART -n other --create-namespace
  kubectl wait --for=condition=Established --timeout=60s crd/vdcupartitions.vdcu.io >/dev/null
  check "a partition is reserved" kubectl apply -n default -f config/samples/reserved-partition.yaml
  uid=$(of vdcupartition/reserved .metadata.uid)
  later_chart
  check "an upgrade brings a field of the CRD" upgraded
  check "and the new version's image" prints vdcu-controller:0.2.0 image
  check "a rollback takes the field back" rolled_back
  check "and the image" prints vdcu-controller:0.1.0 image
  check "uninstall" uninstalled
  check "the partition is still there" prints "$uid" of vdcupartition/reserved .metadata.uid
  check "install again" helm install vdcu $CHART -n vdcu-system
  check "takes it over" prints "$uid" of vdcupartition/reserved .metadata.uid
}

elsewhere() {
  helm uninstall vdcu -n vdcu-system >/dev/null 2>&1
  check "a release of another name does not get the CRDs that were kept" fails_with 'cannot be imported' \
    helm install cards $CHART -n cards --create-namespace
  check "unless it is told to take them" helm install cards $CHART -n cards --create-namespace --take-ownership
  check "its policies know its users" prints system:serviceaccount:cards:vdcu-node of \
    validatingadmissionpolicy/leases.vdcu.io '.spec.matchConditions[0].expression'
  check "its flow, too" prints '"namespace":"cards"' of flowschema/vdcu .spec.rules
  helm uninstall cards -n cards >/dev/null 2>&1
  kubectl create namespace strict >/dev/null
  kubectl label namespace strict pod-security.kubernetes.io/enforce=baseline >/dev/null
  check "a namespace that allows no host path is refused" fails_with 'pod-security.kubernetes.io/enforce: privileged' \
    helm install vdcu $CHART -n strict
}

after_kubectl() {
  check "kubectl apply -k config" kubectl apply -k config
  check "helm does not take over unasked" fails_with 'cannot be imported' helm install vdcu $CHART -n vdcu-system
  check "but when told to" helm install vdcu $CHART -n vdcu-system --take-ownership
}

main() {
  [[ -e $CLUSTER/kubectl ]] || tests/cluster/cluster up "$CLUSTER"
  values_file
  check "lint" helm lint --strict $CHART
  check "config/ is what the chart makes" tools/manifests --check
  check "every key of values.yaml is told" every_key_is_told
  kubectl create namespace vdcu-system >/dev/null
  what_is_accepted
  what_is_refused
  who_reaches_the_metrics
  what_can_be_left_out
  on_older_clusters
  who_writes_what
  pod_security
  life
  elsewhere
  after_kubectl
  sum_up
}

main
