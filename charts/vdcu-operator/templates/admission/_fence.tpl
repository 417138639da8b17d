{{/* How the controller is called: (dict "root" . "path" "/fence") */}}
{{- define "vdcu.webhookCall" -}}
admissionReviewVersions: [v1]
sideEffects: None
clientConfig:
  service:
    namespace: {{ .root.Release.Namespace }}
    name: vdcu-webhook
    path: {{ .path }}
  {{- with .root.Values.admission.webhook.certificate.caBundle }}
  caBundle: {{ b64enc . }}
  {{- end }}
{{- end }}

{{/* The rules of templates/policy by the controller (controller/webhook/fence_rules.h). From 1.28 on
     the API server can tell which leases, events and pods it must ask about. Before, it asks about the
     leases of this namespace, and never refuses one for want of an answer: the controller's own is
     among them, without which nobody would answer. About all events and pods of a cluster it does not
     ask. */}}
{{- define "vdcu.fence" -}}
{{- $tells := semverCompare ">=1.28.0-0" .Capabilities.KubeVersion.Version -}}
# Everybody is held to it, so nothing is exempt.
- name: objects.fence.vdcu.io
  {{- include "vdcu.webhookCall" (dict "root" . "path" "/fence") | nindent 2 }}
  failurePolicy: Fail
  timeoutSeconds: {{ .Values.admission.webhook.timeoutSeconds }}
  rules:
  - apiGroups: [vdcu.io]
    apiVersions: ["*"]
    operations: [CREATE, UPDATE]
    resources: [vdcupartitions, dcunodes]
  - apiGroups: [vdcu.io]
    apiVersions: ["*"]
    operations: [UPDATE]
    resources: [vdcupartitions/status, dcunodes/status]
# The leader's Lease must be renewed in time, also where a replica does not answer.
- name: leases.fence.vdcu.io
  {{- include "vdcu.webhookCall" (dict "root" . "path" "/fence") | nindent 2 }}
  failurePolicy: {{ ternary "Fail" "Ignore" $tells }}
  timeoutSeconds: 2
  namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .Release.Namespace }}
  rules:
  - apiGroups: [coordination.k8s.io]
    apiVersions: ["*"]
    operations: [CREATE, UPDATE]
    resources: [leases]
{{- if $tells }}
  matchConditions:
  {{- include "vdcu.ofDaemon" . | nindent 2 }}
- name: events.fence.vdcu.io
  {{- include "vdcu.webhookCall" (dict "root" . "path" "/fence") | nindent 2 }}
  failurePolicy: Fail
  timeoutSeconds: {{ .Values.admission.webhook.timeoutSeconds }}
  rules:
  - apiGroups: [events.k8s.io, ""]
    apiVersions: ["*"]
    operations: [CREATE, UPDATE]
    resources: [events]
  matchConditions:
  {{- include "vdcu.ofDaemon" . | nindent 2 }}
- name: pods.fence.vdcu.io
  {{- include "vdcu.webhookCall" (dict "root" . "path" "/fence") | nindent 2 }}
  failurePolicy: Fail
  timeoutSeconds: {{ .Values.admission.webhook.timeoutSeconds }}
  rules:
  - apiGroups: [""]
    apiVersions: [v1]
    operations: [UPDATE]
    resources: [pods, pods/status]
  - apiGroups: [""]
    apiVersions: [v1]
    operations: [CREATE]
    resources: [pods/binding, bindings]
  matchConditions:
  - name: is-bound-for-a-partition
    expression: >-
      (has(object.metadata.annotations) && 'vdcu.io/bound-partition' in object.metadata.annotations)
      || (oldObject != null && has(oldObject.metadata.annotations)
      && 'vdcu.io/bound-partition' in oldObject.metadata.annotations)
{{- end }}
{{- end }}

{{- define "vdcu.ofDaemon" -}}
- name: of-vdcu-node
  expression: request.userInfo.username == '{{ include "vdcu.nodeUser" . }}'
{{- end }}
