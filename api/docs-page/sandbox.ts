import type { EncryptionKeys } from '../../client/index.ts';
import { byId } from './elements.ts';
import { fetchFromService } from './service.ts';

/** A member of a sandbox project. */
export interface SandboxMember {
  readonly userId: string;
  readonly userName: string;
  readonly birthDate: string;
  readonly mobileNumber: string;
}

/** A project in the response of `GET /sandbox/credentials`. */
export interface SandboxProject extends EncryptionKeys {
  readonly aspId: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly members: readonly SandboxMember[];
}

/** The selection at the top of the page. */
export interface Selection {
  readonly project: SandboxProject;
  readonly member: SandboxMember;
  readonly encrypts: boolean;
}

/** The controls that select project, member and encryption. */
export interface SelectionControls {
  read(): Selection;
  /** Selects the next member, so a new registration does not collide with a running one. */
  advance(): Selection;
  /** Calls `listener` after every change of project or member. */
  onChange(listener: () => void): void;
}

/** Fetches the sandbox's projects. */
export async function fetchProjects(): Promise<readonly SandboxProject[]> {
  const response = await fetchFromService('sandbox/credentials');
  const { projects } = (await response.json()) as { projects: readonly SandboxProject[] };
  return projects;
}

/** Fills the controls. Starts with a random member, so two tabs rarely use the same one. */
export function createSelection(projects: readonly SandboxProject[]): SelectionControls {
  const project = byId('project', HTMLSelectElement);
  const member = byId('member', HTMLSelectElement);
  const encrypts = byId('encrypts', HTMLInputElement);
  const listeners: (() => void)[] = [];
  const notify = () => {
    for (const listener of listeners) listener();
  };
  const selectedProject = () => projects[project.selectedIndex]!;
  const fillMembers = () => {
    const { members } = selectedProject();
    const options = members.map(({ userId, userName }) => new Option(`${userId} ${userName}`, userId));
    member.replaceChildren(...options);
    member.selectedIndex = Math.floor(Math.random() * members.length);
  };
  const read = () => ({
    project: selectedProject(),
    member: selectedProject().members[member.selectedIndex]!,
    encrypts: encrypts.checked,
  });

  const bodies = ['plain or encrypted', 'encrypted only'];
  project.replaceChildren(
    ...projects.map(({ aspId }, position) => new Option(`${aspId} – ${bodies[position] ?? ''}`, aspId)),
  );
  fillMembers();
  project.addEventListener('change', () => {
    fillMembers();
    notify();
  });
  member.addEventListener('change', notify);

  return {
    read,
    advance: () => {
      member.selectedIndex = (member.selectedIndex + 1) % member.length;
      notify();
      return read();
    },
    onChange: (listener) => listeners.push(listener),
  };
}
