{{- define "registration.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "registration.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "registration.labels" -}}
{{ include "registration.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "registration.tag" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* A container's image: of the release, or of an older tag. */}}
{{- define "registration.image" -}}
{{- if .tag -}}
{{ .root.Values.image.repository }}:{{ .tag }}
{{- else if .root.Values.image.digest -}}
{{ .root.Values.image.repository }}@{{ .root.Values.image.digest }}
{{- else -}}
{{ .root.Values.image.repository }}:{{ include "registration.tag" .root }}
{{- end -}}
{{- end }}

{{/* What all pods have in common. */}}
{{- define "registration.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "registration.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Environment: the settings of all processes and its own, its secrets as files, and where Temporal's certificate is. */}}
{{- define "registration.environment" -}}
{{- range $name, $value := merge (dict) .settings .root.Values.settings }}
- name: {{ $name }}
  value: {{ required (printf "Set settings.%s, see docs/configuration.md" $name) $value | quote }}
{{- end }}
{{- range .secretSettings }}
- name: {{ . }}_FILE
  value: /run/secrets/service/{{ . }}
{{- end }}
{{- if .root.Values.secrets.temporalCertificate }}
- name: TEMPORAL_TLS_CLIENT_CERT_PATH
  value: /run/secrets/temporal/tls.crt
- name: TEMPORAL_TLS_CLIENT_KEY_PATH
  value: /run/secrets/temporal/tls.key
- name: TEMPORAL_TLS_SERVER_CA_CERT_PATH
  value: /run/secrets/temporal/ca.crt
{{- end }}
# A private address, so that metrics are not served to everybody.
- name: METRICS_HOST
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
{{- end }}

{{- define "registration.mounts" -}}
- { name: secrets, mountPath: /run/secrets/service, readOnly: true }
{{- if .Values.secrets.temporalCertificate }}
- { name: temporal-certificate, mountPath: /run/secrets/temporal, readOnly: true }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "registration.volumes" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ .root.Values.secrets.service }}
          items: {{- range .secretSettings }}
            - { key: {{ . }}, path: {{ . }} }
          {{- end }}
      {{- if .migrates }}
      - secret:
          name: {{ .root.Values.secrets.migration }}
          items: [{ key: DATABASE_OWNER_URL, path: DATABASE_OWNER_URL }]
      {{- end }}
{{- if .root.Values.secrets.temporalCertificate }}
- name: temporal-certificate
  secret:
    secretName: {{ .root.Values.secrets.temporalCertificate }}
    defaultMode: 0440
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
