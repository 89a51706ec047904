/**
 * What may differ between two clusters. In plain manifests these are the values themselves; in a Helm chart they are
 * marks that `helmTemplate` turns into template expressions, so both come from the same objects.
 */
export interface Values {
  /** Undefined: whatever namespace kubectl or Helm is told. */
  namespace: string | undefined;
  image: string;
  imagePullPolicy: string;
  storage: string;
  /** Empty: the cluster's default class. */
  storageClass: string;
  /** The pods' service account, which may carry a cloud's role; empty: the namespace's default. */
  serviceAccount: string;
  gateReplicas: number;
  loadBalancer: boolean;
  serviceMonitor: boolean;
  secret(key: string): string;
}

/** The values of a chart: their defaults are in values.yaml. */
export function chartValues(): Values {
  return {
    namespace: undefined,
    image: mark('.Values.image | quote'),
    imagePullPolicy: mark('.Values.imagePullPolicy | quote'),
    storage: mark('.Values.storage | quote'),
    storageClass: '@@optional storageClass@@',
    serviceAccount: '@@optional serviceAccount@@',
    gateReplicas: mark('.Values.gateReplicas') as unknown as number,
    loadBalancer: true,
    serviceMonitor: true,
    secret: (key) =>
      mark(
        `required "secrets.yaml has it: helm install -f secrets.yaml" (index .Values.secrets "${key}") | quote`,
      ),
  };
}

function mark(expression: string): string {
  return `@@${expression.replaceAll('"', "'")}@@`;
}

/** A manifest with marks, as the text of a Helm template. `condition` names the value that switches it on. */
export function helmTemplate(manifest: string, condition: string | undefined): string {
  const text = manifest
    // What looks like a template in our own text has to be left alone by Helm.
    .replaceAll('{{', '{{ "{{" }}')
    .replaceAll(
      /^( *)(\w+): "?@@optional (\w+)@@"?$/gm,
      '$1{{- with .Values.$3 }}\n$1$2: {{ . | quote }}\n$1{{- end }}',
    )
    .replaceAll(/"?@@(.+?)@@"?/g, (_all, expression: string) => `{{ ${expression.replaceAll("'", '"')} }}`);
  return condition === undefined ? text : `{{- if .Values.${condition} }}\n${text}{{- end }}\n`;
}
