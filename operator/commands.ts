import { adopt } from './adopt.ts';
import { approve } from './approve.ts';
import { addBankWindow, listBankWindows, removeBankWindow } from './bank-window.ts';
import { notificationUrl } from './notification-url.ts';
import type { OperatorCommand } from './command.ts';
import { rewrapKeys, showKeys } from './database-keys.ts';
import { generateKeys } from './generate-keys.ts';
import { exportEvidence } from './evidence-export.ts';
import { holdEvidence, listHolds, releaseEvidence } from './evidence-holds.ts';
import { purgeEvidence } from './evidence-purge.ts';
import { verifyAllEvidence } from './evidence-verification.ts';
import { list, reviews } from './list.ts';
import { addMembers, eraseMember } from './member.ts';
import {
  addProject,
  renewProjectKeys,
  retireProjectKeys,
  setAcceptedInstitutions,
  setProjectState,
} from './project.ts';
import { reconcile } from './reconcile.ts';
import { redeliver } from './redeliver.ts';
import { resolve } from './resolve.ts';
import { restored } from './restored.ts';
import { resume } from './resume.ts';
import { setUp } from './setup.ts';
import { show } from './show.ts';
import { testNotification } from './test-notification.ts';
import { createOperatorToken } from './token.ts';
import { trail } from './trail.ts';

/** The commands by name. */
export const commands: Readonly<Record<string, OperatorCommand>> = {
  setup: {
    summary:
      "creates Temporal's namespace, search attributes and schedules, or adds what they lack, and looks at database, payload keys, deployment version and clocks; may be repeated. --check: only looks",
    required: [],
    optional: ['retention-days', 'check'],
    needs: 'TEMPORAL',
    read: setUp,
  },
  token: {
    summary:
      'creates a token for a person and prints it once, with its hash for OPERATOR_TOKENS or CODEC_TOKENS; --until: its last day',
    required: ['name', 'until'],
    optional: [],
    needs: 'NOTHING',
    read: createOperatorToken,
  },
  trail: {
    summary:
      'shows the audit trail; --verify: verifies it, against every head that was published, and --head, one from the log',
    required: [],
    optional: ['number', 'user', 'asp', 'operator', 'verify', 'head'],
    needs: 'DATABASE',
    acts: false,
    read: trail,
  },
  approve: {
    summary: 'carries out what another operator has requested, because it needs a second person',
    required: ['request'],
    optional: [],
    needs: 'DATABASE',
    acts: true,
    read: approve,
  },
  show: {
    summary:
      'shows where a registration stands, what it waits for and what can be done; --user: the latest of a member; --correlation: the one that a request began',
    required: [],
    optional: ['number', 'user', 'correlation'],
    needs: 'DATABASE',
    acts: false,
    read: show,
  },
  reviews: {
    summary: 'lists the registrations that wait in REVIEW',
    required: [],
    optional: [],
    needs: 'DATABASE',
    acts: false,
    read: reviews,
  },
  list: {
    summary: 'lists the open registrations in a step',
    required: ['step'],
    optional: [],
    needs: 'DATABASE',
    acts: false,
    read: list,
  },
  resolve: {
    summary:
      'decides the outcome of a registration in REVIEW; asks the payment gateway first and refuses to contradict it, unless --despite-payment-gateway',
    required: ['number', 'verdict', 'reason'],
    optional: ['despite-payment-gateway'],
    needs: 'DATABASE',
    acts: true,
    read: resolve,
  },
  resume: {
    summary:
      "gives a stuck registration a new run; --user: ends whatever runs under a member's ID; --all: gives every open registration without a run one",
    required: [],
    optional: ['number', 'user', 'all', 'reason'],
    needs: 'DATABASE',
    acts: true,
    read: resume,
  },
  restored: {
    summary:
      'says that the database was restored, and to when; run it while API and workers are stopped. --lost-nothing: it lost nothing',
    required: [],
    optional: ['to', 'lost-nothing', 'reason'],
    needs: 'DATABASE',
    acts: true,
    read: restored,
  },
  adopt: {
    summary:
      'brings back what a restore of the database lost, from Temporal and the payment gateway; run it after restored, before workers and API start; may be repeated. --dry-run: only says what it would do',
    required: [],
    optional: ['dry-run', 'reason'],
    needs: 'DATABASE',
    acts: true,
    read: adopt,
  },
  redeliver: {
    summary: 'delivers the result of a registration to the service provider again',
    required: ['number'],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: redeliver,
  },
  'bank-window list': {
    summary: 'lists the maintenance windows of the banks',
    required: [],
    optional: [],
    needs: 'DATABASE',
    acts: false,
    read: listBankWindows,
  },
  'bank-window add': {
    summary: 'adds a maintenance window, during which registrations wait: daily in Korean time, or once',
    required: ['bank'],
    optional: ['daily', 'from', 'until', 'reason'],
    needs: 'DATABASE',
    acts: true,
    read: addBankWindow,
  },
  'bank-window remove': {
    summary: 'removes a maintenance window; registrations that wait for its end continue within a minute',
    required: ['id'],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: removeBankWindow,
  },
  reconcile: {
    summary:
      "compares our accounts with the payment gateway's now and reports the differences; repairs nothing",
    required: [],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: reconcile,
  },
  'notification-url': {
    summary: "sets the URL for a project's result notifications; --off: sends none",
    required: ['asp'],
    optional: ['url', 'off', 'reason'],
    needs: 'DATABASE',
    acts: true,
    read: notificationUrl,
  },
  'test-notification': {
    summary:
      "sends a test notification to a project's notification URL, once, and says what the receiver answered",
    required: ['asp'],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: testNotification,
  },
  'project add': {
    summary:
      'adds a project and prints its keys once, for the service provider; --plain-allowed: accepts unencrypted bodies, so a copied request can be read and sent again, and a copied info request deletes the account; --any-holder: accepts accounts of other people; --all-institutions: accepts those at savings banks, forestry cooperatives and securities firms too',
    required: ['asp', 'client-public-key'],
    optional: ['plain-allowed', 'any-holder', 'all-institutions', 'reason'],
    needs: 'DATABASE',
    acts: true,
    read: addProject,
  },
  'project renew-keys': {
    summary:
      'issues a second set of keys and prints it once, for the service provider; the first stays valid',
    required: ['asp', 'client-public-key'],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: renewProjectKeys,
  },
  'project retire-keys': {
    summary: 'discards all keys except the latest set; run it when the service provider uses that set',
    required: ['asp'],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: retireProjectKeys,
  },
  'project state': {
    summary: 'activates or deactivates a project; DISCARDED is final',
    required: ['asp', 'state'],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: setProjectState,
  },
  'project institutions': {
    summary:
      'sets where a project registers accounts: at banks only, or at savings banks, forestry cooperatives and securities firms too',
    required: ['asp', 'accepted'],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: setAcceptedInstitutions,
  },
  'member add': {
    summary: 'adds members from lines {"userId":…,"userName":…,"birthDate":…,"mobileNumber":…}',
    required: ['asp', 'file'],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: addMembers,
  },
  'member erase': {
    summary:
      "destroys a member's key, so that none of the member's data can be decrypted again; --before-retention-ends: even if the law still requires the evidence",
    required: ['asp', 'user', 'reason'],
    optional: ['before-retention-ends'],
    needs: 'DATABASE',
    acts: true,
    read: eraseMember,
  },
  'keys status': {
    summary: 'shows how many rows each database key encrypts, and which keys can be removed',
    required: [],
    optional: [],
    needs: 'DATABASE',
    acts: false,
    read: showKeys,
  },
  'keys generate': {
    summary:
      'makes the keys, secrets, tokens and passwords of a new deployment: as an env file on standard output, or as files in --directory; --name and --until: of the first operator’s tokens',
    required: [],
    optional: ['directory', 'name', 'until'],
    needs: 'NOTHING',
    read: generateKeys,
  },
  'keys rewrap': {
    summary: 're-encrypts everything with the first of DATABASE_KEYS, while the service runs',
    required: [],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: rewrapKeys,
  },
  'evidence verify': {
    summary: 'verifies all evidence of consent, or that of one registration',
    required: [],
    optional: ['number'],
    needs: 'DATABASE',
    acts: false,
    read: verifyAllEvidence,
  },
  'evidence export': {
    summary: 'writes the evidence of a registration into a directory, for an auditor',
    required: ['number', 'directory'],
    optional: ['reason'],
    needs: 'DATABASE',
    acts: true,
    read: exportEvidence,
  },
  'evidence hold': {
    summary: 'puts the evidence of a registration under legal hold: it is neither purged nor erased',
    required: ['number', 'reason'],
    optional: [],
    needs: 'DATABASE',
    acts: true,
    read: holdEvidence,
  },
  'evidence release': {
    summary: 'ends the legal hold of a registration',
    required: ['number', 'reason'],
    optional: [],
    needs: 'DATABASE',
    acts: true,
    read: releaseEvidence,
  },
  'evidence list-holds': {
    summary: 'lists the legal holds in force',
    required: [],
    optional: [],
    needs: 'DATABASE',
    acts: false,
    read: listHolds,
  },
  'evidence purge': {
    summary:
      'destroys records after their retention period, as the daily schedule does; --dry-run: only counts them',
    required: [],
    optional: ['dry-run', 'reason'],
    needs: 'DATABASE',
    acts: true,
    read: purgeEvidence,
  },
};
