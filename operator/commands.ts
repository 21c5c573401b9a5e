import { addBankWindow, listBankWindows, removeBankWindow } from './bank-window.ts';
import { notificationUrl } from './notification-url.ts';
import type { OperatorCommand } from './command.ts';
import { rewrapKeys, showKeys } from './database-keys.ts';
import { exportEvidence } from './evidence-export.ts';
import { holdEvidence, listHolds, releaseEvidence } from './evidence-holds.ts';
import { purgeEvidence } from './evidence-purge.ts';
import { verifyAllEvidence } from './evidence-verification.ts';
import { addMembers, eraseMember } from './member.ts';
import { addProject, renewProjectKeys, retireProjectKeys, setProjectState } from './project.ts';
import { reconcile } from './reconcile.ts';
import { redeliver } from './redeliver.ts';
import { resolve } from './resolve.ts';
import { reviews } from './reviews.ts';

/** The commands by name. */
export const commands: Readonly<Record<string, OperatorCommand>> = {
  reviews: {
    summary: 'lists the registrations that wait in REVIEW',
    required: [],
    optional: [],
    needsDatabase: false,
    read: reviews,
  },
  resolve: {
    summary: 'decides what became of a registration in REVIEW',
    required: ['number', 'verdict', 'operator', 'reason'],
    optional: [],
    needsDatabase: false,
    read: resolve,
  },
  redeliver: {
    summary: 'delivers the result of a registration to the service provider anew',
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
    summary:
      'has registrations wait while a bank is closed: every day, in Korean time, or once, from one time until another',
    required: ['bank'],
    optional: ['daily', 'from', 'until'],
    needsDatabase: true,
    read: addBankWindow,
  },
  'bank-window remove': {
    summary: 'takes a maintenance window back; registrations that wait for its end go on within a minute',
    required: ['id'],
    optional: [],
    needsDatabase: true,
    read: removeBankWindow,
  },
  reconcile: {
    summary: "compares the ledger with the payment gateway's now and reports; repairs nothing",
    required: [],
    optional: [],
    needsDatabase: true,
    read: reconcile,
  },
  'notification-url': {
    summary: "sets where a project's results are delivered; --off: nowhere",
    required: ['asp'],
    optional: ['url', 'off'],
    needsDatabase: true,
    read: notificationUrl,
  },
  'project add': {
    summary:
      'adds a project and prints, this once, what to hand over to the service provider; --plain-allowed: bodies need no encryption; --any-holder: an account need not be held by the member',
    required: ['asp', 'client-public-key'],
    optional: ['plain-allowed', 'any-holder'],
    needsDatabase: true,
    read: addProject,
  },
  'project renew-keys': {
    summary: 'issues a second set of keys beside the first and prints, this once, what to hand over',
    required: ['asp', 'client-public-key'],
    optional: [],
    needsDatabase: true,
    read: renewProjectKeys,
  },
  'project retire-keys': {
    summary: 'discards all keys but those issued last, once the service provider uses those',
    required: ['asp'],
    optional: [],
    needsDatabase: true,
    read: retireProjectKeys,
  },
  'project state': {
    summary: 'lets a project call or not; DISCARDED is for good',
    required: ['asp', 'state'],
    optional: [],
    needsDatabase: true,
    read: setProjectState,
  },
  'member add': {
    summary: 'adds members, of lines {"userId":…,"userName":…,"birthDate":…,"mobileNumber":…}',
    required: ['asp', 'file'],
    optional: [],
    needsDatabase: true,
    read: addMembers,
  },
  'member erase': {
    summary:
      "destroys a member's key, so that nothing personal of the member can be read ever again; --before-retention-ends: even if evidence is still to be kept by law",
    required: ['asp', 'user', 'operator', 'reason'],
    optional: ['before-retention-ends'],
    needsDatabase: true,
    read: eraseMember,
  },
  'keys status': {
    summary: 'shows how many rows each database key seals, and which may be dropped',
    required: [],
    optional: [],
    needsDatabase: true,
    read: showKeys,
  },
  'keys rewrap': {
    summary: 'seals everything by the first of DATABASE_KEYS, while the service goes on',
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
      'destroys what is to be kept no longer, as the daily schedule does; --dry-run: only tells how much that is',
    required: [],
    optional: ['dry-run'],
    needsDatabase: true,
    read: purgeEvidence,
  },
};
