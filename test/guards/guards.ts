import type { Guard } from './guard.ts';

/** Every protection of SECURITY.md and every rule of ARCHITECTURE.md. */
export const guards: readonly Guard[] = [
  {
    name: 'request-signature',
    protectsFrom: 'A request is altered on its way.',
    replacements: [
      {
        file: 'api/http/authentication.ts',
        text: 'if (!secrets.some(({ secret }) => isTranTokenOf(token, body, secret)))',
        by: 'if (!secrets.some(({ secret }) => isTranTokenOf(token, body, secret) || token))',
      },
    ],
    tests: [
      {
        file: 'test/wire/requests.test.ts',
        name: 'the transaction token > is refused when an encrypted body was altered after signing',
      },
    ],
    failure: /000_909/,
  },
  {
    name: 'sealed-place',
    protectsFrom: 'A sealed value is put in another place.',
    replacements: [
      {
        file: 'encryption/key-ring.ts',
        text: "createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))",
        by: "createCipheriv('aes-256-gcm', key, nonce)",
      },
      { file: 'encryption/key-ring.ts', text: '    .setAAD(Buffer.from(context))\n', by: '' },
    ],
    tests: [
      {
        file: 'test/database/stores.test.ts',
        name: "on 'PGlite' > what is sealed > opens where it belongs and nowhere else",
      },
    ],
    failure: /expected function to throw/,
  },
];
