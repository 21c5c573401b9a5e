import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { runKmCommand } from '../../client/command-line/run.ts';
import { envelope, startKmServer } from './km-server.ts';
import type { FakeAnswer, KmServer, ReceivedRequest } from './km-server.ts';
import { encryption, project, registrationNumber } from './project.ts';

const register = ['register', '--user', '10000000001', '--bank', '003', '--account', '11012345678'];
const started = envelope('000_000', `"bankAccRegNo":"${registrationNumber}","authNumber":"42"`);
const inProgress = envelope('000_000', '"status":"ARS_AUTH_IN_PROGRESS"');
const registered = envelope('000_000', '"status":"BANK_ACC_REGISTERED"');

const { aspId, accessKey, secretKey } = project;
const member = {
  userId: '10000000001',
  userName: '김하늘',
  birthDate: '19900131',
  mobileNumber: '01012341234',
};
const credentials: FakeAnswer = {
  status: 200,
  body: JSON.stringify({
    projects: [
      {
        aspId: 'SANDBOXASP00001',
        accessKey,
        secretKey,
        ...encryption,
        members: [{ ...member, userId: '1' }],
      },
      { aspId, accessKey, secretKey, ...encryption, members: [member] },
    ],
  }),
};

const neverStopped = () => new Promise<void>(() => {});

/** Runs a command line against a server with these answers. */
async function run(
  words: readonly string[],
  answers: readonly FakeAnswer[],
  environment: Readonly<Record<string, string>> = {},
) {
  const server = await startKmServer(...answers);
  const written = { output: '', errors: '' };
  const exitCode = await runKmCommand(words, {
    program: 'npm run km --',
    environment: { KM_URL: server.url, ...environment },
    output: { write: (text) => (written.output += text) },
    errors: { write: (text) => (written.errors += text) },
    untilStopped: neverStopped,
  });
  return { exitCode, ...written, requests: server.requests };
}

describe('register', () => {
  test('uses credentials, name and birth date from the sandbox', async () => {
    const { exitCode, output, requests } = await run(register, [credentials, started]);
    expect(exitCode).toBe(0);
    expect(output).toBe(
      `Registration ${registrationNumber} has started.\nThe code to enter on the phone: 42\n` +
        `Follow it: npm run km -- status --number ${registrationNumber} --watch --asp ${aspId}\n`,
    );
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /sandbox/credentials',
      'POST /open-api/api/v1/bankaccounts/ars/register',
    ]);
    expect(requests[1]?.headers['x-km-user-aspid']).toBe(aspId);
    expect(JSON.parse(requests[1]!.content)).toEqual({
      userId: 10_000_000_001,
      bankAccount: '11012345678',
      bankCode: '003',
      bankName: 'IBK',
      userName: '김하늘',
      birthDate: '19900131',
    });
  });

  test('uses credentials from the environment, and everything else from the command line', async () => {
    const words = [...register, '--name', '박서준', '--birth', '19810203', '--mobile', '01099998888'];
    const environment = { KM_ASP_ID: aspId, KM_ACCESS_KEY: accessKey, KM_SECRET_KEY: secretKey };
    const { exitCode, requests } = await run(words, [started], environment);
    expect(exitCode).toBe(0);
    expect(requests).toHaveLength(1);
    expect(JSON.parse(requests[0]!.body)).toMatchObject({
      userName: '박서준',
      birthDate: '19810203',
      mobileNumber: '01099998888',
    });

    const encrypted = {
      ...environment,
      KM_CRYPTO_KEY_ID: encryption.cryptoKeyId,
      KM_SERVER_PUBLIC_KEY: encryption.serverPublicKey.replaceAll('\n', '\\n'),
      KM_CLIENT_PRIVATE_KEY: encryption.clientPrivateKey,
    };
    const second = await run(words, [started], encrypted);
    expect(second.requests[0]?.body).toMatch(/^\{"encData":/);
  });

  test('--watch shows each change and ends with 0 when the account is registered', async () => {
    const { exitCode, output } = await run(
      [...register, '--watch'],
      [credentials, started, inProgress, registered],
    );
    expect(exitCode).toBe(0);
    expect(output).toMatch(/^ +\d\.\d s {2}ARS_AUTH_IN_PROGRESS/m);
    expect(output).toMatch(/^ +\d\.\d s {2}BANK_ACC_REGISTERED/m);
    expect(output).toMatch(/\nRegistered after \d\.\d s\.\n$/);
  });

  test('--watch ends with 1 when the registration failed', async () => {
    const failure = envelope('002_014', '"status":"ARS_AUTH_FAILED","reason":"WRONG_CODE","retryable":true');
    const { exitCode, output } = await run([...register, '--watch'], [credentials, started, failure]);
    expect(exitCode).toBe(1);
    expect(output).toMatch(
      /\nFailed after \d\.\d s: Text of 002_014\. \(002_014 WRONG_CODE\) Registering again may help\.\n$/,
    );
  });

  test('names the registration that is already running', async () => {
    const refusal = envelope('002_013', `"bankAccRegNo":"${registrationNumber}"`);
    const { exitCode, output } = await run([...register, '--watch'], [credentials, refusal]);
    expect(exitCode).toBe(1);
    expect(output).toBe(
      `Not started: Text of 002_013. (002_013)\n` +
        `Follow it: npm run km -- status --number ${registrationNumber} --watch --asp ${aspId}\n`,
    );
  });
});

describe('a follow-up', () => {
  test('asks the same service, also where an option is missing', async () => {
    const { url } = await startKmServer(credentials, started);
    const elsewhere = { KM_URL: 'http://127.0.0.1:1' };
    const { output } = await run([...register, '--url', url], [credentials], elsewhere);
    expect(output).toContain(`status --number ${registrationNumber} --watch --url ${url} --asp ${aspId}\n`);

    const { errors } = await run(['status', '--url', url], [credentials], elsewhere);
    expect(errors).toMatch(new RegExp(`^Try: .* --url ${url}$`, 'm'));
  });

  test('names the project, unless it is the first', async () => {
    const ofFirst = [...register, '--asp', 'SANDBOXASP00001', '--name', '김하늘', '--birth', '19900131'];
    const { output, requests } = await run(ofFirst, [credentials, started]);
    expect(requests[1]?.headers['x-km-user-aspid']).toBe('SANDBOXASP00001');
    expect(output).toMatch(/ --watch\n$/);
  });
});

test('a follow-up names the default URL, too: without it, the command asks the sandbox started last', async () => {
  const keys = { KM_ASP_ID: aspId, KM_ACCESS_KEY: accessKey, KM_SECRET_KEY: secretKey };
  const url = 'http://localhost:3000';
  const words = [...register, '--bank', '999', '--url', url];
  const advice = 'see: npm run km -- institutions';
  const byDefault = await run(words, [credentials], { ...keys, KM_URL: '' });
  expect(byDefault.errors).toContain(`${advice} --url ${url}\n`);
  const bySetting = await run(words, [credentials], { ...keys, KM_URL: url });
  expect(bySetting.errors).toContain(`${advice}\n`);
});

describe('--json', () => {
  const lines = (output: string) =>
    output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);

  test('writes an object a line: the answer, each status, the result', async () => {
    const failure = envelope('002_014', '"status":"ARS_AUTH_FAILED","reason":"BUSY","retryable":true');
    const words = [...register, '--watch', '--json'];
    const { exitCode, output } = await run(words, [credentials, started, inProgress, failure]);
    expect(exitCode).toBe(1);
    expect(lines(output)).toEqual([
      { bankAccRegNo: registrationNumber, authNumber: '42' },
      { status: 'ARS_AUTH_IN_PROGRESS' },
      {
        status: 'ARS_AUTH_FAILED',
        code: '002_014',
        text: 'Text of 002_014.',
        reason: 'BUSY',
        retryable: true,
      },
    ]);
  });

  test.for([
    ['002_013', 1, { bankAccRegNo: registrationNumber }],
    ['001_006', 1, {}],
    ['000_015', 2, {}],
  ] as const)('writes the refusal %s as an object', async ([code, expected, payload]) => {
    const refusal = envelope(code, JSON.stringify(payload).slice(1, -1));
    const { exitCode, output, errors } = await run([...register, '--json'], [credentials, refusal]);
    expect({ exitCode, errors }).toEqual({ exitCode: expected, errors: '' });
    expect(lines(output)).toEqual([{ error: expect.objectContaining({ code, ...payload }) }]);
  });

  test('writes that no service answers as an object', async () => {
    const { exitCode, output } = await run(
      ['institutions', '--json', '--url', 'http://127.0.0.1:1'],
      [credentials],
    );
    expect(exitCode).toBe(1);
    expect(lines(output)).toEqual([{ error: { text: expect.stringContaining('npm start') } }]);
  });
});

describe('the other commands', () => {
  test('list names the command for the next page', async () => {
    const row =
      `{"bankAccRegNo":"${registrationNumber}","userId":7,"bankCode":"003","status":"BANK_ACC_REG_FAILED",` +
      '"code":"002_910","createdAt":"2026-11-22T09:30:00.000Z"}';
    const page = envelope('000_000', `"registrations":[${row}],"nextCursor":"${registrationNumber}"`);
    const words = ['list', '--user', '7', '--status', 'BANK_ACC_REG_FAILED', '--limit', '1'];
    const { output, requests } = await run(words, [credentials, page]);
    expect(output).toBe(
      `2026-11-22T09:30:00.000Z  ${registrationNumber}  7  003  BANK_ACC_REG_FAILED  002_910\n` +
        `More: npm run km -- ${words.join(' ')} --cursor ${registrationNumber}\n`,
    );
    expect(JSON.parse(requests[1]!.content)).toEqual({ userId: 7, status: 'BANK_ACC_REG_FAILED', limit: 1 });
  });

  test('status shows the status of a registration', async () => {
    const words = ['status', '--number', registrationNumber];
    expect(await run(words, [credentials, inProgress])).toMatchObject({
      exitCode: 0,
      output: 'ARS_AUTH_IN_PROGRESS\n',
    });
    const failure = envelope('002_910', '"status":"BANK_ACC_REG_FAILED"');
    expect(await run(words, [credentials, failure])).toMatchObject({
      exitCode: 1,
      output: 'BANK_ACC_REG_FAILED\nFailed: Text of 002_910. (002_910) Registering again may help.\n',
    });
    expect(await run(words, [credentials, envelope('002_019')])).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('Text of 002_019.'),
    });
  });

  test('auth shows the code', async () => {
    const answers = [credentials, envelope('000_000', '"authNumber":"07"')];
    const { output } = await run(['auth', '--user', '10000000001'], answers);
    expect(output).toBe('The code to enter on the phone: 07\n');
  });

  test('valid checks whose account it is', async () => {
    const words = ['valid', ...register.slice(1)];
    expect(await run(words, [credentials, envelope('000_000')])).toMatchObject({ exitCode: 0 });
    expect(await run(words, [credentials, envelope('002_901')])).toMatchObject({ exitCode: 1 });
  });

  test('institutions lists the banks', async () => {
    const answer = envelope(
      '000_000',
      '"institutions":[{"bankCode":"003","bankName":"IBK","bankNameKo":"기업은행","bankNameEn":"IBK"}]',
    );
    expect(await run(['institutions'], [credentials, answer])).toMatchObject({
      exitCode: 0,
      output: '003  IBK  기업은행\n',
    });
  });

  test('--help exits with 0', async () => {
    const { exitCode, output } = await run(['--help'], [credentials]);
    expect(exitCode).toBe(0);
    expect(output).toContain('npm run km -- register --user 10000000001 --bank 003');
  });
});

describe('a wrong command line', () => {
  const credentialsOnly = { KM_ASP_ID: aspId, KM_ACCESS_KEY: accessKey };

  test.for<[string[], string]>([
    [[], 'A command is missing.'],
    [['remove'], 'There is no command "remove".'],
    [['toString'], 'There is no command "toString".'],
    [['register', '--user', '1'], 'register needs --bank, --account.\nTry: npm run km -- register --user'],
    [['register', '--usr', '1'], "Unknown option '--usr'"],
    [['auth', '--user', '1', '--watch'], 'auth does not accept --watch.\nTry: npm run km -- auth --user'],
    [['auth', '--user', '007'], '--user must be digits'],
    [['auth', '1'], 'Unexpected argument "1".'],
    [['auth', '--user', '1', '--idempotency-key', '1'], 'auth does not accept --idempotency-key.'],
    [['delete', '--user', '1', '--idempotency-key', '키'], '--idempotency-key must be 1 to 255'],
    [['list', '--status', 'DONE'], '--status must be one of ARS_AUTH_IN_PROGRESS,'],
    [['list', '--limit', '101'], '--limit must be a number from 1 to 100'],
    [['list', '--asp', 'NONE'], 'The sandbox has no project NONE, but SANDBOXASP00001, '],
    [['listen', '--forward-to', 'nowhere'], '--forward-to must be a URL'],
    [['institutions', '--url', 'nowhere'], '"nowhere" is no URL'],
    [[...register, '--bank', '999'], 'There is no bank 999; see: npm run km -- institutions'],
    [[...register, '--user', '5'], 'give --name and --birth as well.'],
  ])('%j exits with 2 and says what to do', async ([words, message]) => {
    const { exitCode, output, errors } = await run(words, [credentials]);
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' });
    expect(errors).toContain(message);
    expect(errors).toContain('npm run km --');
  });

  test.for<[string[], string]>([
    [['--json'], 'A command is missing.'],
    [['remove', '--json'], 'There is no command "remove".'],
    [['register', '--user', '1', '--json'], 'register needs --bank, --account.'],
    [['list', '--json', '--usr', '1'], "Unknown option '--usr'"],
    [['list', '--json', '--limit', '101'], '--limit must be a number from 1 to 100'],
    [['institutions', '--json', '--url', 'nowhere'], '"nowhere" is no URL'],
  ])('%j exits with 2 and says why as an object, too', async ([words, text]) => {
    const { exitCode, output, errors } = await run(words, [credentials]);
    expect(exitCode).toBe(2);
    expect(output).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(output)).toEqual({ error: { text: expect.stringContaining(text) } });
    expect(errors).toContain('npm run km --');
  });

  test('includes input that the service refuses', async () => {
    const { exitCode, errors } = await run(register, [credentials, envelope('000_015')]);
    expect(exitCode).toBe(2);
    expect(errors).toContain('Text of 000_015.');
  });

  test('includes credentials that cannot decrypt notifications, and two projects', async () => {
    const plain = { ...credentialsOnly, KM_SECRET_KEY: secretKey };
    const listen = await run(['listen'], [credentials], plain);
    expect(listen).toMatchObject({ exitCode: 2, errors: expect.stringContaining('KM_CLIENT_PRIVATE_KEY') });
    const other = await run(['list', '--asp', 'SANDBOXASP00001'], [credentials], plain);
    expect(other).toMatchObject({ exitCode: 2, errors: expect.stringContaining('KM_ASP_ID already names') });
  });

  test('includes incomplete credentials', async () => {
    const { exitCode, errors } = await run(['institutions'], [credentials], credentialsOnly);
    expect(exitCode).toBe(2);
    expect(errors).toContain('KM_SECRET_KEY must be set as well.');
  });

  test('a URL without a service or without sandbox credentials fails with advice', async () => {
    const nowhere = await run(['institutions', '--url', 'http://127.0.0.1:1'], [credentials]);
    expect(nowhere).toMatchObject({ exitCode: 1, errors: expect.stringContaining('npm start') });
    const noSandbox = await run(['institutions'], [{ status: 404, body: '{}' }]);
    expect(noSandbox).toMatchObject({ exitCode: 1, errors: expect.stringContaining('Set KM_ASP_ID') });
  });

  test('a service that does not answer fails', async () => {
    const { exitCode, errors } = await run(['institutions'], [credentials, 'drop']);
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/^Failed: The connection failed\. \(CONNECTION_FAILED, correlation ID /);
    expect(errors).not.toContain('Call again');
  });

  test.for([
    [...register, '--name', "O'Neil Kim", '--birth', '19810203'],
    ['cancel', '--number', registrationNumber],
    ['delete', '--user', '10000000001'],
  ])('a lost answer names the command that repeats the call: %j', async (words) => {
    const { url, requests } = await startKmServer(credentials, 'drop', credentials, started);
    const { errors } = await run([...words, '--url', url, '--asp', aspId], [credentials]);
    const key = String(requests[1]?.headers['idempotency-key']);
    const command = /^Call again: npm run km -- (.*)$/m.exec(errors)?.[1];
    expect(command).toContain(` --idempotency-key ${key} --url ${url} --asp ${aspId}`);

    // As a shell splits it.
    const repeated = await promisify(execFile)('sh', ['-c', `printf '%s\\n' ${command}`]);
    await run(repeated.stdout.trimEnd().split('\n'), [credentials]);
    expect(requests[3]?.headers['idempotency-key']).toBe(key);
    expect(requests[3]?.content).toBe(requests[1]?.content);

    const json = await run([...words, '--json', '--idempotency-key', 'mine'], [credentials, 'drop']);
    expect(JSON.parse(json.output)).toMatchObject({ error: { idempotencyKey: 'mine' } });
  });
});

test('on a terminal, the elapsed time is updated in place, in colour', async () => {
  const { url } = await startKmServer(credentials, started, inProgress, registered);
  let written = '';
  const output = { isTTY: true, write: (text: string) => (written += text) };
  const environment = { KM_URL: url };
  const terminal = { program: 'km', environment, output, errors: output, untilStopped: neverStopped };
  await runKmCommand([...register, '--watch'], terminal);
  expect(written).toContain('\r\u001B[K');
  expect(written).toContain('\u001B[32mRegistered after');
});

const file = fileURLToPath(new URL('../../client/km.ts', import.meta.url));

/** Runs the program in a shell, with its output piped to another one. */
const pipe = (words: readonly string[], reader: string) =>
  promisify(execFile)('sh', ['-c', `"$0" --import tsx "$@" | ${reader}`, process.execPath, file, ...words]);

test('ends quietly when the reader of its output has ended', async () => {
  const { url } = await startKmServer(credentials, envelope('000_000', '"institutions":[]'));
  expect(await pipe(['institutions', '--json', '--url', url], 'true')).toEqual({ stdout: '', stderr: '' });
});

test('listen puts the notification URL back when the reader of its output has ended', async () => {
  const isSet = ({ method }: ReceivedRequest) => method === 'PUT';
  const server: KmServer = await startKmServer((path) => {
    if (!path.endsWith('/callback')) return credentials;
    return { status: 200, body: server.requests.findLast(isSet)?.body ?? '{"callbackUrl":null}' };
  });
  const listening = pipe(['listen', '--json', '--url', server.url, '--asp', aspId], 'head -n 1');
  const { body } = await vi.waitUntil(() => server.requests.find(isSet), { timeout: 10_000 });
  const { callbackUrl } = JSON.parse(body) as { callbackUrl: string };
  // Each is refused, with a line that nobody reads.
  const isListening = () =>
    fetch(callbackUrl, { method: 'POST', body: '{}' }).then(
      () => true,
      () => false,
    );
  while (await isListening());

  expect((await listening).stderr).toBe('');
  expect(server.requests.findLast(isSet)?.body).toBe('{"callbackUrl":null}');
});

test('the process exits with the exit code', async () => {
  const result = promisify(execFile)(process.execPath, ['--import', 'tsx', file, 'register']);
  await expect(result).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('needs --user'),
  });
});
