import { byId } from './elements.ts';
import type { SandboxMember, SelectionControls } from './sandbox.ts';
import { decryptResponse, prepareRequest } from './try-it.ts';
import type { IncomingResponse, OutgoingRequest } from './try-it.ts';

/** The part of Swagger UI that this page uses. Its own script defines it. */
declare const SwaggerUIBundle: (options: object) => {
  readonly specActions: { updateJsonSpec(document: object): void };
  readonly oas3Selectors: { requestBodyValue(path: string, method: string): unknown };
  readonly oas3Actions: {
    setRequestBodyValue(change: { pathMethod: readonly [string, string]; value: string }): void;
  };
};

/** The part of an OpenAPI document that this page uses. */
interface OpenapiDocument {
  readonly paths: Readonly<Record<string, { readonly post: OpenapiOperation }>>;
  readonly components: { securitySchemes?: Readonly<Record<string, { description: string }>> };
  security?: unknown;
}

interface OpenapiOperation {
  readonly requestBody: {
    readonly content: { readonly 'application/json': { readonly examples: Examples } };
  };
}

type Examples = Readonly<Record<string, { value: Readonly<Record<string, unknown>> }>>;

/** The API reference in the sandbox, where requests can be sent. */
export interface Reference {
  /** Uses this registration number in the examples. */
  useRegistration(registrationNumber: string): void;
}

/** Shows the API reference, read-only. */
export async function showReference(): Promise<void> {
  labelControls();
  const document = await fetchDocument();
  // Nothing can be sent, so nothing needs to be authorized. The introduction describes the headers.
  delete document.security;
  delete document.components.securitySchemes;
  SwaggerUIBundle({ ...viewer, spec: document, supportedSubmitMethods: [] });
}

/** Shows the API reference with requests that can be sent. The examples use the selected member. */
export async function showInteractiveReference(selection: SelectionControls): Promise<Reference> {
  labelControls();
  const document = await fetchDocument();
  let regNo: string | undefined;
  const adapted = () => adapt(document, selection.read().member, regNo);
  let shown = adapted();
  const ui = SwaggerUIBundle({
    ...viewer,
    spec: shown,
    tryItOutEnabled: true,
    requestInterceptor: (request: OutgoingRequest) => prepareRequest(request, selection.read()),
    responseInterceptor: (response: IncomingResponse) => decryptResponse(response, selection.read().project),
  });
  const update = () => {
    const before = shown;
    shown = adapted();
    ui.specActions.updateJsonSpec(shown);
    // Swagger UI keeps the text of an open editor. Replace it unless somebody has edited it.
    for (const [path, { post }] of Object.entries(shown.paths)) {
      const text = ui.oas3Selectors.requestBodyValue(path, 'post');
      const name = Object.entries(examplesOf(before.paths[path]!.post)).find(
        ([, { value }]) => JSON.stringify(value, null, 2) === text,
      )?.[0];
      if (name === undefined) continue;
      const value = JSON.stringify(examplesOf(post)[name]!.value, null, 2);
      ui.oas3Actions.setRequestBodyValue({ pathMethod: [path, 'post'], value });
    }
  };
  selection.onChange(update);
  return {
    useRegistration: (registrationNumber) => {
      regNo = registrationNumber;
      update();
    },
  };
}

const viewer = {
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
};

async function fetchDocument(): Promise<OpenapiDocument> {
  const response = await fetch('openapi.json');
  return (await response.json()) as OpenapiDocument;
}

/** Adapts the document: the page fills in the headers, and the examples use the member and the registration. */
function adapt(document: OpenapiDocument, member: SandboxMember, regNo: string | undefined): OpenapiDocument {
  const copy = structuredClone(document);
  Object.assign(copy, { servers: [{ url: new URL('open-api', globalThis.document.baseURI).href }] });
  for (const scheme of Object.values(copy.components.securitySchemes ?? {})) {
    scheme.description += ' Leave it empty; this page fills it in.';
  }
  const facts = { ...member, userId: Number(member.userId), ...(regNo !== undefined && { regNo }) };
  for (const { post } of Object.values(copy.paths)) {
    for (const example of Object.values(examplesOf(post))) {
      example.value = replaceValues(example.value, facts);
    }
  }
  return copy;
}

/** Replaces the values that `facts` has. */
function replaceValues(example: Readonly<Record<string, unknown>>, facts: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(example).map(([name, value]) => [name, facts[name] ?? value]));
}

function examplesOf({ requestBody }: OpenapiOperation): Examples {
  return requestBody.content['application/json'].examples;
}

/** Adds the accessible names that Swagger UI leaves out, whenever it renders controls. */
function labelControls(): void {
  const names = { '#servers': 'Server', select: 'Example', '.body-param__text': 'Request body' };
  const reference = byId('reference', HTMLElement);
  new MutationObserver(() => {
    for (const [selector, name] of Object.entries(names)) {
      for (const control of reference.querySelectorAll(`${selector}:not([aria-label])`)) {
        control.ariaLabel = name;
      }
    }
  }).observe(reference, { childList: true, subtree: true });
}
