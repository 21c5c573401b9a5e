import { adopt } from './adopt.ts';
import { addBankWindow, listBankWindows, removeBankWindow } from './bank-window.ts';
import { notificationUrl } from './notification-url.ts';
import type { OperatorCommand } from './command.ts';
import { rewrapKeys, showKeys } from './database-keys.ts';
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
import { testNotification } from './test-notification.ts';

/** The commands by name. */
export const commands: Readonly<Record<string, OperatorCommand>> = {
  setup: {
    summary: "creates Temporal's namespace and search attributes, or adds what they lack; may be repeated",
    required: [],
    optional: ['retention-days'],
    needsDatabase: false,
    read: setUp,
  },
  reviews: {
    summary: 'lists the registrations that wait in REVIEW',
    required: [],
    optional: [],
    needsDatabase: true,
    read: reviews,
  },
  list: {
    summary: 'lists the open registrations in a step',
    required: ['step'],
    optional: [],
    needsDatabase: true,
    read: list,
  },
  resolve: {
    summary:
      'decides the outcome of a registration in REVIEW; asks the payment gateway first and refuses to contradict it, unless --despite-payment-gateway',
    required: ['number', 'verdict', 'operator', 'reason'],
    optional: ['despite-payment-gateway'],
    needsDatabase: true,
    read: resolve,
  },
  resume: {
    summary:
      "gives a stuck registration a new run; --user: ends whatever runs under a member's ID; --all: gives every open registration without a run one",
    required: [],
    optional: ['number', 'user', 'all'],
    needsDatabase: true,
    read: resume,
  },
  restored: {
    summary:
      'says that the database was restored, and to when; run it while API and workers are stopped. --lost-nothing: it lost nothing',
    required: [],
    optional: ['to', 'lost-nothing'],
    needsDatabase: true,
    read: restored,
  },
  adopt: {
    summary:
      'brings back what a restore of the database lost, from Temporal and the payment gateway; run it after restored, before workers and API start; may be repeated. --dry-run: only says what it would do',
    required: [],
    optional: ['dry-run'],
    needsDatabase: true,
    read: adopt,
  },
  redeliver: {
    summary: 'delivers the result of a registration to the service provider again',
    required: ['number'],
    optional: [],
    needsDatabase: true,
    read: redeliver,
  },
  'bank-window list': {
    summary: 'lists the maintenance windows of the banks',
    required: [],
    optional: [],
    needsDatabase: true,
    read: listBankWindows,
  },
  'bank-window add': {
    summary: 'adds a maintenance window, during which registrations wait: daily in Korean time, or once',
    required: ['bank'],
    optional: ['daily', 'from', 'until'],
    needsDatabase: true,
    read: addBankWindow,
  },
  'bank-window remove': {
    summary: 'removes a maintenance window; registrations that wait for its end continue within a minute',
    required: ['id'],
    optional: [],
    needsDatabase: true,
    read: removeBankWindow,
  },
  reconcile: {
    summary:
      "compares our accounts with the payment gateway's now and reports the differences; repairs nothing",
    required: [],
    optional: [],
    needsDatabase: true,
    read: reconcile,
  },
  'notification-url': {
    summary: "sets the URL for a project's result notifications; --off: sends none",
    required: ['asp'],
    optional: ['url', 'off'],
    needsDatabase: true,
    read: notificationUrl,
  },
  'test-notification': {
    summary:
      "sends a test notification to a project's notification URL, once, and says what the receiver answered",
    required: ['asp'],
    optional: [],
    needsDatabase: true,
    read: testNotification,
  },
  'project add': {
    summary:
      'adds a project and prints its keys once, for the service provider; --plain-allowed: accepts unencrypted bodies, so a copied request can be read and sent again, and a copied info request deletes the account; --any-holder: accepts accounts of other people; --all-institutions: accepts those at savings banks, forestry cooperatives and securities firms too',
    required: ['asp', 'client-public-key'],
    optional: ['plain-allowed', 'any-holder', 'all-institutions'],
    needsDatabase: true,
    read: addProject,
  },
  'project renew-keys': {
    summary:
      'issues a second set of keys and prints it once, for the service provider; the first stays valid',
    required: ['asp', 'client-public-key'],
    optional: [],
    needsDatabase: true,
    read: renewProjectKeys,
  },
  'project retire-keys': {
    summary: 'discards all keys except the latest set; run it when the service provider uses that set',
    required: ['asp'],
    optional: [],
    needsDatabase: true,
    read: retireProjectKeys,
  },
  'project state': {
    summary: 'activates or deactivates a project; DISCARDED is final',
    required: ['asp', 'state'],
    optional: [],
    needsDatabase: true,
    read: setProjectState,
  },
  'project institutions': {
    summary:
      'sets where a project registers accounts: at banks only, or at savings banks, forestry cooperatives and securities firms too',
    required: ['asp', 'accepted'],
    optional: [],
    needsDatabase: true,
    read: setAcceptedInstitutions,
  },
  'member add': {
    summary: 'adds members from lines {"userId":…,"userName":…,"birthDate":…,"mobileNumber":…}',
    required: ['asp', 'file'],
    optional: [],
    needsDatabase: true,
    read: addMembers,
  },
  'member erase': {
    summary:
      "destroys a member's key, so that none of the member's data can be decrypted again; --before-retention-ends: even if the law still requires the evidence",
    required: ['asp', 'user', 'operator', 'reason'],
    optional: ['before-retention-ends'],
    needsDatabase: true,
    read: eraseMember,
  },
  'keys status': {
    summary: 'shows how many rows each database key encrypts, and which keys can be removed',
    required: [],
    optional: [],
    needsDatabase: true,
    read: showKeys,
  },
  'keys rewrap': {
    summary: 're-encrypts everything with the first of DATABASE_KEYS, while the service runs',
    required: [],
    optional: [],
    needsDatabase: true,
    read: rewrapKeys,
  },
  'evidence verify': {
    summary: 'verifies all evidence of consent, or that of one registration',
    required: [],
    optional: ['number'],
    needsDatabase: true,
    read: verifyAllEvidence,
  },
  'evidence export': {
    summary: 'writes the evidence of a registration into a directory, for an auditor',
    required: ['number', 'directory'],
    optional: [],
    needsDatabase: true,
    read: exportEvidence,
  },
  'evidence hold': {
    summary: 'puts the evidence of a registration under legal hold: it is neither purged nor erased',
    required: ['number', 'reason', 'operator'],
    optional: [],
    needsDatabase: true,
    read: holdEvidence,
  },
  'evidence release': {
    summary: 'ends the legal hold of a registration',
    required: ['number', 'reason', 'operator'],
    optional: [],
    needsDatabase: true,
    read: releaseEvidence,
  },
  'evidence list-holds': {
    summary: 'lists the legal holds in force',
    required: [],
    optional: [],
    needsDatabase: true,
    read: listHolds,
  },
  'evidence purge': {
    summary:
      'destroys records after their retention period, as the daily schedule does; --dry-run: only counts them',
    required: [],
    optional: ['dry-run'],
    needsDatabase: true,
    read: purgeEvidence,
  },
};
