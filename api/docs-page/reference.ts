import { byId } from './elements.ts';
import type { SandboxMember, SelectionControls } from './sandbox.ts';
import { openAnswer, prepareRequest } from './try-it.ts';
import type { IncomingAnswer, OutgoingRequest } from './try-it.ts';

/** What is used of Swagger UI, which its own script puts here. */
declare const SwaggerUIBundle: (options: object) => {
  readonly specActions: { updateJsonSpec(document: object): void };
  readonly oas3Selectors: { requestBodyValue(path: string, method: string): unknown };
  readonly oas3Actions: {
    setRequestBodyValue(change: { pathMethod: readonly [string, string]; value: string }): void;
  };
};

/** What is used of an OpenAPI document. */
interface OpenapiDocument {
  readonly paths: Readonly<Record<string, { readonly post: OpenapiOperation }>>;
  readonly components: {
    readonly parameters: Readonly<Record<string, { required: boolean; description: string }>>;
  };
}

interface OpenapiOperation {
  readonly requestBody: {
    readonly content: { readonly 'application/json': { readonly examples: Examples } };
  };
}

type Examples = Readonly<Record<string, { value: Readonly<Record<string, unknown>> }>>;

/** The reference; its requests can be sent where there is a sandbox. */
export interface Reference {
  /** Puts a registration into the examples, so that the next inquiry is about it. */
  useRegistration(registrationNumber: string): void;
}

/** Shows the reference to be read. */
export async function showReference(): Promise<void> {
  nameControls();
  SwaggerUIBundle({ ...viewer, spec: await fetchDocument(), supportedSubmitMethods: [] });
}

/** Shows the reference with requests that can be sent; its examples are about the selected member. */
export async function showReferenceToTry(selection: SelectionControls): Promise<Reference> {
  nameControls();
  const document = await fetchDocument();
  let regNo: string | undefined;
  const tailored = () => tailor(document, selection.read().member, regNo);
  let shown = tailored();
  const ui = SwaggerUIBundle({
    ...viewer,
    spec: shown,
    tryItOutEnabled: true,
    requestInterceptor: (request: OutgoingRequest) => prepareRequest(request, selection.read()),
    responseInterceptor: (answer: IncomingAnswer) => openAnswer(answer, selection.read().project),
  });
  const update = () => {
    const before = shown;
    shown = tailored();
    ui.specActions.updateJsonSpec(shown);
    // An open editor keeps its text; what nobody has changed follows the selection.
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
  const answer = await fetch('openapi.json');
  return (await answer.json()) as OpenapiDocument;
}

/** The document for trying: the page fills the headers in, and the examples name the member and the registration. */
function tailor(
  document: OpenapiDocument,
  member: SandboxMember,
  regNo: string | undefined,
): OpenapiDocument {
  const copy = structuredClone(document);
  Object.assign(copy, { servers: [{ url: new URL('open-api', globalThis.document.baseURI).href }] });
  for (const parameter of Object.values(copy.components.parameters)) {
    parameter.required = false;
    parameter.description += ' Leave it empty: this page fills it in.';
  }
  const facts = { ...member, userId: Number(member.userId), ...(regNo !== undefined && { regNo }) };
  for (const { post } of Object.values(copy.paths)) {
    for (const example of Object.values(examplesOf(post))) {
      example.value = replaceValues(example.value, facts);
    }
  }
  return copy;
}

/** Takes the values from `facts` where those have them. */
function replaceValues(example: Readonly<Record<string, unknown>>, facts: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(example).map(([name, value]) => [name, facts[name] ?? value]));
}

function examplesOf({ requestBody }: OpenapiOperation): Examples {
  return requestBody.content['application/json'].examples;
}

/** Gives the viewer's controls, as they come, the names that it leaves out. */
function nameControls(): void {
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
