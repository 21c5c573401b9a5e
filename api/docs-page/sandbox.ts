import type { EncryptionKeys } from '../../client/index.ts';
import { byId } from './elements.ts';

/** A member of a sandbox project. */
export interface SandboxMember {
  readonly userId: string;
  readonly userName: string;
  readonly birthDate: string;
  readonly mobileNumber: string;
}

/** What `GET /sandbox/credentials` tells of a project. */
export interface SandboxProject extends EncryptionKeys {
  readonly aspId: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly members: readonly SandboxMember[];
}

/** What is chosen at the top of the page. */
export interface Selection {
  readonly project: SandboxProject;
  readonly member: SandboxMember;
  readonly encrypts: boolean;
}

/** The choice of a project, a member and encryption. */
export interface SelectionControls {
  read(): Selection;
  /** Selects the next member, so that no registration meets an earlier one of the same member. */
  advance(): Selection;
  /** Tells of every change of project or member. */
  onChange(listener: () => void): void;
}

/** The sandbox's projects. */
export async function fetchProjects(): Promise<readonly SandboxProject[]> {
  const answer = await fetch('sandbox/credentials');
  const { projects } = (await answer.json()) as { projects: readonly SandboxProject[] };
  return projects;
}

/** Fills the controls. The first member is a random one, so that two tabs rarely meet. */
export function createSelection(projects: readonly SandboxProject[]): SelectionControls {
  const project = byId('project', HTMLSelectElement);
  const member = byId('member', HTMLSelectElement);
  const encrypts = byId('encrypts', HTMLInputElement);
  const listeners: (() => void)[] = [];
  const changed = () => {
    for (const listener of listeners) listener();
  };
  const chosenProject = () => projects[project.selectedIndex]!;
  const fillMembers = () => {
    const { members } = chosenProject();
    const options = members.map(({ userId, userName }) => new Option(`${userId} ${userName}`, userId));
    member.replaceChildren(...options);
    member.selectedIndex = Math.floor(Math.random() * members.length);
  };
  const read = () => ({
    project: chosenProject(),
    member: chosenProject().members[member.selectedIndex]!,
    encrypts: encrypts.checked,
  });

  const rules = ['plain or encrypted', 'encrypted only'];
  project.replaceChildren(
    ...projects.map(({ aspId }, position) => new Option(`${aspId} – ${rules[position] ?? ''}`, aspId)),
  );
  fillMembers();
  project.addEventListener('change', () => {
    fillMembers();
    changed();
  });
  member.addEventListener('change', changed);

  return {
    read,
    advance: () => {
      member.selectedIndex = (member.selectedIndex + 1) % member.length;
      changed();
      return read();
    },
    onChange: (listener) => listeners.push(listener),
  };
}
