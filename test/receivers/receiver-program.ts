import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../../development/sandbox/ports.ts';

/** The keys of a project, as a receiver reads them from a file. */
export interface ReceiverKeys {
  readonly aspId: string;
  readonly cryptoKeyId: string;
  readonly secretKey: string;
  readonly clientPrivateKey: string;
}

const project = fileURLToPath(new URL('../../', import.meta.url));
const receivers = join(project, 'docs/receivers');
/** Libraries that a registry has given, so that it is asked once. */
const cache = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'withdrawal-account-registration/receivers',
);

const pythonLibraries = [
  'jwcrypto==1.6.1',
  'cryptography==50.0.2',
  'cffi==2.1.1',
  'pycparser==3.12',
  'typing_extensions==4.16.0',
];
const javaLibrary = {
  version: '10.10',
  sha256: '0edd2fbaab79e13f87d145d021f85a5c59956b2b6b5e761c0d664c87f94cda15',
};

interface Program {
  readonly command: string;
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** How to run the receiver of each language. A command fails when the language or its library is missing. */
const languages = {
  TypeScript: (): Program => ({
    command: process.execPath,
    words: ['--import', 'tsx', join(receivers, 'receiver.ts')],
  }),

  Python: (): Program => {
    run('python3', ['-c', 'import sys; assert sys.version_info >= (3, 9)']);
    const libraries = cached(`${pythonLibraries[0]}`, (target) => {
      const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:'];
      run('python3', [...pip, '--target', target, ...pythonLibraries]);
    });
    const environment = { PYTHONPATH: libraries, PYTHONDONTWRITEBYTECODE: '1' };
    return { command: 'python3', words: [join(receivers, 'receiver.py')], environment };
  },

  Java: (): Program => {
    run('java', ['--version']);
    const name = `nimbus-jose-jwt-${javaLibrary.version}`;
    const jar = join(
      cached(name, (target) => {
        const artifact = `com.nimbusds:nimbus-jose-jwt:${javaLibrary.version}`;
        const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
        run('mvn', ['-q', '-B', copy, `-Dartifact=${artifact}`, `-DoutputDirectory=${target}`]);
      }),
      `${name}.jar`,
    );
    const sha256 = createHash('sha256').update(readFileSync(jar)).digest('hex');
    if (sha256 !== javaLibrary.sha256) throw new Error(`${jar} has the SHA-256 ${sha256}.`);
    return { command: 'java', words: ['-cp', jar, join(receivers, 'Receiver.java')] };
  },
} as const;

export type Language = keyof typeof languages;

/** Each language with its program, or with why it is missing here. */
export const programs = (Object.keys(languages) as Language[]).map((language) => {
  try {
    return { language, program: languages[language](), missing: undefined };
  } catch (error) {
    // A command that does not exist or fails has a status. Anything else is a defect.
    if (!(error instanceof Error && 'status' in error)) throw error;
    const [missing = ''] = String(error).split('\n');
    process.stderr.write(`SKIPPED: the receiver in ${language} is not tested here. ${missing}\n`);
    return { language, program: undefined, missing };
  }
});

/** Fills a folder of the cache, once. @returns its path */
function cached(name: string, fill: (target: string) => void): string {
  const folder = join(cache, name);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const target = mkdtempSync(`${folder}-`);
    fill(target);
    renameSync(target, folder);
  }
  return folder;
}

function run(command: string, words: readonly string[]): void {
  execFileSync(command, words, { stdio: 'pipe', timeout: 300_000 });
}

/** A running receiver. */
export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** Starts a receiver that knows these sets of keys. */
export async function startReceiver(
  { command, words, environment }: Program,
  directory: string,
  ...keySets: readonly ReceiverKeys[]
) {
  const port = await findFreePort();
  const files = keySets.map((keys) => {
    const file = join(directory, `${keys.cryptoKeyId}.json`);
    writeFileSync(file, JSON.stringify(keys));
    return file;
  });
  const child = spawn(command, [...words, String(port), ...files], {
    cwd: project,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const errors: string[] = [];
  createInterface(child.stderr).on('line', (line) => errors.push(line));
  const lines: string[] = [];
  const output = createInterface(child.stdout).on('line', (line) => lines.push(line));
  await Promise.race([once(output, 'line'), exited]);
  if (lines.length === 0) throw new Error(`${command} ended early: ${errors.join('\n')}`);
  return {
    url: `http://127.0.0.1:${port}/results`,
    /** What it printed, without the line about its port. */
    lines: () => lines.filter((line) => !line.startsWith('listening')),
    async stop() {
      child.kill();
      await exited;
    },
  };
}
