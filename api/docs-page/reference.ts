import { createKmClient } from '../../client/index.ts';
import { byId } from './elements.ts';
import type { SandboxMember, SandboxProject, SelectionControls } from './sandbox.ts';
import { fetchFromService } from './service.ts';
import { decryptResponse, prepareRequest, registrationNumberOf } from './try-it.ts';
import type { IncomingResponse, OutgoingRequest } from './try-it.ts';
import { createViewer } from './viewer.ts';

/** The part of an OpenAPI document that this page uses. */
interface OpenapiDocument {
  readonly paths: Readonly<Record<string, { readonly post: OpenapiOperation }>>;
  readonly components: {
    securitySchemes?: unknown;
    readonly parameters: Readonly<Record<string, { description: string }>>;
  };
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
  /** Uses this registration number of a project in the examples. */
  useRegistration(aspId: string, registrationNumber: string): void;
}

/** Shows the API reference, read-only. */
export async function showReference(): Promise<void> {
  labelControls();
  createViewer({ spec: await fetchDocument(), supportedSubmitMethods: [] });
}

/**
 * Shows the API reference with requests that can be sent. The examples use the selected member and the project's last
 * registration: that of this tab, else the newest.
 */
export async function showInteractiveReference(selection: SelectionControls): Promise<Reference> {
  labelControls();
  const document = await fetchDocument();
  const adapted = () => {
    const { project, member } = selection.read();
    return adapt(document, member, sessionStorage.getItem(lastRegistrationOf(project.aspId)) ?? undefined);
  };
  let shown = adapted();
  const viewer = createViewer({
    spec: shown,
    tryItOutEnabled: true,
    requestInterceptor: (request: OutgoingRequest) => prepareRequest(request, selection.read()),
    responseInterceptor: async (received: IncomingResponse) => {
      const { project } = selection.read();
      const response = await decryptResponse(received, project);
      const registrationNumber = registrationNumberOf(response);
      if (registrationNumber !== undefined) useRegistration(project.aspId, registrationNumber);
      return response;
    },
  });
  const update = () => {
    const before = shown;
    shown = adapted();
    viewer.specActions.updateJsonSpec(shown);
    // Swagger UI keeps the text of an open editor. Replace it unless somebody has edited it.
    for (const [path, { post }] of Object.entries(shown.paths)) {
      const text = viewer.oas3Selectors.requestBodyValue(path, 'post');
      const name = Object.entries(examplesOf(before.paths[path]!.post)).find(
        ([, { value }]) => JSON.stringify(value, null, 2) === text,
      )?.[0];
      if (name === undefined) continue;
      const value = JSON.stringify(examplesOf(post)[name]!.value, null, 2);
      viewer.oas3Actions.setRequestBodyValue({ pathMethod: [path, 'post'], value });
    }
  };
  const useRegistration = (aspId: string, registrationNumber: string) => {
    sessionStorage.setItem(lastRegistrationOf(aspId), registrationNumber);
    update();
  };
  /** A new tab remembers no registration. */
  const recall = async () => {
    const { project } = selection.read();
    const isRemembered = () => sessionStorage.getItem(lastRegistrationOf(project.aspId)) !== null;
    const found = isRemembered() ? undefined : await fetchLastRegistration(project);
    if (found !== undefined && !isRemembered()) useRegistration(project.aspId, found);
  };
  selection.onChange(() => {
    update();
    void recall();
  });
  void recall();
  return { useRegistration };
}

/** The number of the project's newest registration, if it has one and the service answers. */
async function fetchLastRegistration(project: SandboxProject): Promise<string | undefined> {
  const client = createKmClient({ baseUrl: apiUrl(), ...project, fetch: fetchFromService });
  const page = await client.list({ limit: 1 }).catch(() => undefined);
  return page?.registrations[0]?.bankAccRegNo;
}

/** The URL before `/api/v1`. */
function apiUrl(): string {
  return new URL('open-api', globalThis.document.baseURI).href;
}

/** Names what the tab remembers. */
function lastRegistrationOf(aspId: string): string {
  return `last registration of ${aspId}`;
}

async function fetchDocument(): Promise<OpenapiDocument> {
  const response = await fetchFromService('openapi.json');
  const document = (await response.json()) as OpenapiDocument;
  // The page signs by itself or sends nothing, so it asks for no credentials. The introduction describes the headers.
  delete document.security;
  delete document.components.securitySchemes;
  return document;
}

/** Adapts the document: the page fills in the headers, and the examples use the member and the registration. */
function adapt(document: OpenapiDocument, member: SandboxMember, regNo: string | undefined): OpenapiDocument {
  const copy = structuredClone(document);
  Object.assign(copy, { servers: [{ url: apiUrl() }] });
  for (const parameter of Object.values(copy.components.parameters)) {
    parameter.description += ' If it is empty, this page fills it in.';
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

/**
 * Adds the accessible names that Swagger UI leaves out, whenever it renders controls, removes the role that makes its
 * tables of responses nameless landmarks, and lets the keyboard reach what scrolls.
 */
function labelControls(): void {
  const scrolling = ':is(.opblock-body, .info table, pre):not([tabindex])';
  const names = {
    '#servers': 'Server',
    select: 'Example',
    '.body-param__text': 'Request body',
    '.json-schema-2020-12-head > button:not(:has(.json-schema-2020-12__title), .json-schema-2020-12-expand-deep-button)':
      'Schema',
  };
  const reference = byId('reference', HTMLElement);
  new MutationObserver(() => {
    for (const [selector, name] of Object.entries(names)) {
      for (const control of reference.querySelectorAll(`${selector}:not([aria-label])`)) {
        control.ariaLabel = name;
      }
    }
    for (const table of reference.querySelectorAll('table[role=region]')) table.removeAttribute('role');
    for (const block of reference.querySelectorAll<HTMLElement>(scrolling)) block.tabIndex = 0;
  }).observe(reference, { childList: true, subtree: true });
}
