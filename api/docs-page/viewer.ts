/** What React renders. */
type Rendered = unknown;
type Component = (properties: never) => Rendered;
type CreateElement = (
  type: unknown,
  properties?: Readonly<Record<string, unknown>>,
  ...children: Rendered[]
) => Rendered;

/** The part of Swagger UI's system that its plugins use here. */
interface ViewerSystem {
  readonly React: { readonly createElement: CreateElement };
}

interface LayoutProperties {
  readonly getComponent: (name: string, isContainer?: boolean) => unknown;
  readonly specSelectors: { info(): { get(name: string): string } };
}

/** The part of a running Swagger UI that this page uses. */
export interface Viewer {
  readonly specActions: { updateJsonSpec(document: object): void };
  readonly oas3Selectors: { requestBodyValue(path: string, method: string): unknown };
  readonly oas3Actions: {
    setRequestBodyValue(change: { pathMethod: readonly [string, string]; value: string }): void;
  };
}

/** Swagger UI. Its own script defines it. */
declare const SwaggerUIBundle: (options: object) => Viewer;

/** Shows the API reference, dark or light as the browser prefers. */
export function createViewer(options: object): Viewer {
  const preference = matchMedia('(prefers-color-scheme: dark)');
  const follow = () => document.documentElement.classList.toggle('dark-mode', preference.matches);
  preference.addEventListener('change', follow);
  follow();
  return SwaggerUIBundle({
    dom_id: '#reference',
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    syntaxHighlight: { activated: false },
    layout: 'ReferenceLayout',
    plugins: [replaceComponents],
    ...options,
  });
}

/**
 * Replaces what Swagger UI does in a way that assistive technology stumbles over: its own `main` and `h1` inside the
 * page's, and links inside buttons. An operation stays ready to be tried, and shows a command that signs.
 */
function replaceComponents({ React: { createElement: h } }: ViewerSystem): {
  readonly components: Readonly<Record<string, Component>>;
} {
  return {
    components: {
      ReferenceLayout: ({ getComponent, specSelectors }: LayoutProperties) =>
        h(
          'div',
          { className: 'swagger-ui' },
          h(getComponent('SvgAssets')),
          h(getComponent('errors', true)),
          h(
            'div',
            { className: 'info wrapper' },
            h(getComponent('Markdown', true), { source: specSelectors.info().get('description') }),
          ),
          h('div', { className: 'wrapper' }, h(getComponent('ServersContainer', true))),
          h(getComponent('operations', true)),
          h(getComponent('Webhooks', true)),
        ),
      DeepLink: ({ text }: { readonly text: Rendered }) => h('span', {}, text),
      TryItOutButton: () => null,
      curl: ({ request }: { readonly request: { get(name: 'command'): string } }) => {
        const command = request.get('command');
        const copy = () => void navigator.clipboard.writeText(command);
        return h(
          'div',
          { className: 'command' },
          h('h4', {}, 'Shell command'),
          command.includes('"encData"') &&
            h(
              'p',
              {},
              'Its body is encrypted, so it works for ten minutes. Later, execute the request again.',
            ),
          h('pre', { tabIndex: 0 }, command),
          h('button', { type: 'button', className: 'btn', onClick: copy }, 'Copy the command'),
        );
      },
    },
  };
}
