{{/* Names are fixed: there is one operator in a cluster, and users read these names in messages. */}}

{{- define "vdcu.selectorLabels" -}}
app.kubernetes.io/name: vdcu-operator
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "vdcu.labels" -}}
app.kubernetes.io/name: vdcu-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "vdcu.controllerAccount" -}}
{{ .Values.controller.serviceAccount.name }}
{{- end }}

{{- define "vdcu.nodeAccount" -}}
{{ .Values.node.serviceAccount.name }}
{{- end }}

{{- define "vdcu.controllerUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "vdcu.controllerAccount" . }}
{{- end }}

{{- define "vdcu.nodeUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "vdcu.nodeAccount" . }}
{{- end }}

{{/* The image of a component: (dict "root" . "image" .Values.X.image) */}}
{{- define "vdcu.image" -}}
{{- $registry := .root.Values.global.imageRegistry | default .image.registry -}}
{{- if $registry }}{{ $registry }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* What the cluster has: "yes" or nothing. A list of kinds comes from a server; offline there is
     only its version. (dict "root" . "kind" "group/version/Kind" "since" "1.30.0-0") */}}
{{- define "vdcu.has" -}}
{{- if .root.Capabilities.APIVersions.Has "v1/Pod" -}}
{{- if .root.Capabilities.APIVersions.Has .kind }}yes{{ end -}}
{{- else if semverCompare (printf ">=%s" .since) .root.Capabilities.KubeVersion.Version }}yes{{ end -}}
{{- end }}

{{- define "vdcu.hasValidating" -}}
{{- include "vdcu.has" (dict "root" . "since" "1.30.0-0" "kind" "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy") -}}
{{- end }}

{{- define "vdcu.hasMutating" -}}
{{- include "vdcu.has" (dict "root" . "since" "1.36.0-0" "kind" "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy") -}}
{{- end }}

{{/* By what new pods that ask for cards are given the scheduler, and by what wrong ones are refused:
     "policy", "webhook" or nothing. (dict "root" . "has" "vdcu.hasMutating") */}}
{{- define "vdcu.admitsBy" -}}
{{- $mode := .root.Values.admission.mode -}}
{{- $webhook := ternary "webhook" "" .root.Values.controller.enabled -}}
{{- if eq $mode "webhook" }}{{ $webhook }}
{{- else if ne $mode "off" }}
{{- if include .has .root }}policy{{ else if eq $mode "auto" }}{{ $webhook }}{{ end }}
{{- end }}
{{- end }}

{{- define "vdcu.mutatesBy" -}}
{{- include "vdcu.admitsBy" (dict "root" . "has" "vdcu.hasMutating") -}}
{{- end }}

{{- define "vdcu.validatesBy" -}}
{{- include "vdcu.admitsBy" (dict "root" . "has" "vdcu.hasValidating") -}}
{{- end }}

{{/* By what who writes what of our objects is held: "policy", "webhook" or nothing. */}}
{{- define "vdcu.fencedBy" -}}
{{- if and .Values.policies.enabled (include "vdcu.hasValidating" .) }}policy
{{- else if and (eq .Values.admission.fence "webhook") .Values.controller.enabled }}webhook{{ end -}}
{{- end }}

{{/* "yes" or nothing: the controller serves a webhook; and makes its certificate. */}}
{{- define "vdcu.hasWebhook" -}}
{{- $by := list (include "vdcu.mutatesBy" .) (include "vdcu.validatesBy" .) (include "vdcu.fencedBy" .) -}}
{{- if or (has "webhook" $by) (include "vdcu.hasGate" .) }}yes{{ end -}}
{{- end }}

{{/* "yes" or nothing: the API server asks it about bindings of other schedulers. */}}
{{- define "vdcu.hasGate" -}}
{{- if and .Values.gate.enabled .Values.controller.enabled }}yes{{ end -}}
{{- end }}

{{/* "yes" or nothing: the controller answers other schedulers. */}}
{{- define "vdcu.hasExtender" -}}
{{- if and .Values.extender.enabled .Values.controller.enabled }}yes{{ end -}}
{{- end }}

{{/* "yes" or nothing: it answers Volcano. */}}
{{- define "vdcu.hasVolcano" -}}
{{- if and .Values.volcano.enabled .Values.controller.enabled }}yes{{ end -}}
{{- end }}

{{/* A rule for both: once, at the start. */}}
{{- define "vdcu.seesFence" -}}
# Whether the webhook that holds who writes what is there.
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  resourceNames: [vdcu-webhook]
  verbs: [get]
{{- end }}

{{/* Schedulers besides ours that pods with cards may name, with commas. */}}
{{- define "vdcu.otherSchedulers" -}}
{{- $names := without .Values.admission.schedulers .Values.schedulerName -}}
{{- if .Values.kubeScheduler.enabled }}
{{- $names = append (without $names .Values.kubeScheduler.schedulerName) .Values.kubeScheduler.schedulerName -}}
{{- end }}
{{- join "," $names -}}
{{- end }}

{{- define "vdcu.makesCertificate" -}}
{{- if and (include "vdcu.hasWebhook" .) (eq .Values.admission.webhook.certificate.source "controller") }}yes{{ end -}}
{{- end }}

{{/* The Secret with the webhook's certificate, where the controller does not make it. */}}
{{- define "vdcu.webhookSecret" -}}
{{- .Values.admission.webhook.certificate.secretName | default "vdcu-webhook-tls" -}}
{{- end }}

{{/* The newest version of API Priority and Fairness that the cluster has; nothing: none. */}}
{{- define "vdcu.flowControl" -}}
{{- $newest := "" -}}
{{- range list (list "v1" "1.29.0-0") (list "v1beta3" "1.26.0-0") (list "v1beta2" "1.23.0-0") (list "v1beta1" "1.20.0-0") -}}
{{- $kind := printf "flowcontrol.apiserver.k8s.io/%s/FlowSchema" (first .) -}}
{{- if and (not $newest) (include "vdcu.has" (dict "root" $ "since" (last .) "kind" $kind)) }}{{ $newest = first . }}{{ end -}}
{{- end -}}
{{- with $newest }}flowcontrol.apiserver.k8s.io/{{ . }}{{ end -}}
{{- end }}

{{/* Likewise of the PodDisruptionBudget. */}}
{{- define "vdcu.disruptionBudget" -}}
{{- $v1 := include "vdcu.has" (dict "root" . "since" "1.21.0-0" "kind" "policy/v1/PodDisruptionBudget") -}}
{{- if $v1 }}policy/v1{{ else }}policy/v1beta1{{ end -}}
{{- end }}

{{/* A mount that nobody writes through, what is mounted below it included, where the cluster knows
     how (1.31). */}}
{{- define "vdcu.readOnly" -}}
readOnly: true
{{- if semverCompare ">=1.31.0-0" .Capabilities.KubeVersion.Version }}
recursiveReadOnly: IfPossible
{{- end }}
{{- end }}

{{/* What both pods have: (dict "root" . "of" .Values.X) */}}
{{- define "vdcu.podFields" -}}
# Variables VDCU_... are flags; Kubernetes would add some named after Services.
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if .of.hostNetwork }}
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
{{- end }}
{{- with .of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The flags and the environment that both binaries have. */}}
{{- define "vdcu.commonArgs" -}}
- --log-level={{ .root.Values.logLevel }}
- --log-format={{ .root.Values.logFormat }}
{{- if .of.port }}
- --listen=:{{ .of.port }}
{{- end }}
{{- end }}

{{/* Port and probes; without a port nothing is served, and there are none. */}}
{{- define "vdcu.port" -}}
- name: http
  containerPort: {{ .of.port }}
  protocol: TCP
{{- end }}

{{- define "vdcu.probes" -}}
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{/* The folder of files/crds whose CRDs this Kubernetes takes: no list of kinds tells what it knows
     of a schema. */}}
{{- define "vdcu.crdFolder" -}}
{{- $version := .Capabilities.KubeVersion.Version -}}
{{- if semverCompare ">=1.31.0-0" $version }}1.31{{ else if semverCompare ">=1.25.0-0" $version }}1.25{{ else }}1.20{{ end -}}
{{- end }}

{{/* A CRD of files/crds, which tools/render-crd makes of crds/, with the release's labels; as text, so
     that no number becomes another. Part of the release, so that an upgrade of the chart upgrades it. */}}
{{- define "vdcu.crd" -}}
{{- if .root.Values.crds.enabled -}}
{{- $metadata := printf "metadata:\n  labels:%s\n" (include "vdcu.labels" .root | nindent 4) }}
{{- if .root.Values.crds.keep }}
{{- $metadata = printf "%s  annotations:\n    helm.sh/resource-policy: keep\n" $metadata }}
{{- end }}
{{- .root.Files.Get (printf "files/crds/%s/%s" (include "vdcu.crdFolder" .root) .file) | replace "\nmetadata:\n" (printf "\n%s" $metadata) }}
{{- end }}
{{- end }}

{{/* New pods, but those whose label, or their namespace's, exempts them. */}}
{{- define "vdcu.newPods" -}}
namespaceSelector:
  matchExpressions:
  - {{ include "vdcu.notExempt" . }}
objectSelector:
  matchExpressions:
  - {{ include "vdcu.notExempt" . }}
resourceRules:
{{ include "vdcu.createdPods" . }}
{{- end }}

{{- define "vdcu.notExempt" -}}
{key: vdcu.io/webhook, operator: NotIn, values: [ignore]}
{{- end }}

{{- define "vdcu.createdPods" -}}
- apiGroups: [""]
  apiVersions: [v1]
  operations: [CREATE]
  resources: [pods]
{{- end }}

{{/* Whether a pod names a resource of ours, right or wrong (crds/pod_request.h). */}}
{{- define "vdcu.asksForCards" -}}
- name: asks-for-cards
  expression: >-
    (object.spec.containers + object.spec.?initContainers.orValue([])).exists(c,
    c.?resources.?limits.orValue({}).exists(name, name in [{{ include "vdcu.resources" . }}])
    || c.?resources.?requests.orValue({}).exists(name, name in [{{ include "vdcu.resources" . }}]))
{{- end }}

{{- define "vdcu.resources" -}}
'hygon.com/dcunum', 'hygon.com/dcumem', 'hygon.com/dcucores', 'hygon.com/hcunum', 'hygon.com/hcumem', 'hygon.com/hcucores'
{{- end }}
