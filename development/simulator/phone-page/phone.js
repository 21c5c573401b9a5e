const pollIntervalMs = 1000;
const codeLength = 2;
const resultShownMs = 4000;

const endings = {
  PASSED: ['Consent given', 'The code was correct. The call is recorded, and the registration continues.'],
  WRONG_CODE: ['Wrong code', 'The code entered is not the one on the app’s screen.'],
  REJECTED: ['Call declined', 'No consent was given.'],
  HUNG_UP: ['You hung up', 'The call ended before a code was entered.'],
  NO_ANSWER: ['Call missed', 'Nobody answered in time.'],
  NO_INPUT: ['No code entered', 'The call ended because no code was entered in time.'],
  GONE: ['Call ended', 'This call was handled elsewhere.'],
};

/** The registration whose calls this phone receives; null for a phone of whichever registration calls alone. */
const awaited = new URLSearchParams(location.search).get('reference');

/** The call on the screen: {callId, reference, phoneNumber, state, secondsLeft, code?, outcome?}. */
let current;
let view = 'idle';
let entered = '';
let busy = false;
/** How many actions have begun or ended. A list of calls that was requested at another count is outdated. */
let actions = 0;
let endedAt = 0;
let listed = '';

const element = (id) => document.getElementById(id);

/** Announces a text to screen readers. Texts are set as text, never as markup. */
function announce(text) {
  element('announcement').textContent = text;
}

function show(next, { focus = false } = {}) {
  view = next;
  document.body.dataset.view = next;
  for (const section of document.querySelectorAll('.view')) section.hidden = section.id !== next;
  element('app-screen').hidden = next !== 'answered';
  if (focus) element(`${next}-title`).focus();
}

function fill(call) {
  for (const field of document.querySelectorAll('[data-field]')) {
    field.textContent = String(call[field.dataset.field] ?? '');
  }
}

function ring(call) {
  current = call;
  fill(call);
  show('ringing', { focus: view === 'ended' });
  document.title = 'Ringing – phone – sandbox';
  announce('Incoming ARS consent call. Answer or decline.');
}

function takeCall(call, options) {
  current = { ...current, ...call };
  fill(current);
  enter('');
  element('app-code').textContent = current.code;
  show('answered', options);
  document.title = 'In call – phone – sandbox';
  announce(
    `In call. If you consent to withdrawal and transfer from your account, press the two-digit code shown on your screen. ` +
      `Your app’s screen shows ${[...current.code].join(' ')}.`,
  );
}

function end(ending) {
  const [title, text] = endings[ending] ?? endings.GONE;
  const passed = ending === 'PASSED';
  element('ended-title').textContent = title;
  element('ended-text').textContent = text;
  element('result-badge').textContent = passed ? '✓' : '✕';
  element('result-badge').dataset.passed = String(passed);
  current = undefined;
  endedAt = Date.now();
  show('ended', { focus: true });
  document.title = `${title} – phone – sandbox`;
  announce(`${title}. ${text}`);
}

function showIdle() {
  current = undefined;
  show('idle', { focus: true });
  document.title = 'Phone – sandbox';
  announce('No call right now.');
}

function enter(digits) {
  entered = digits;
  element('entered').textContent = entered.padEnd(codeLength, '–');
  element('erase').disabled = entered === '';
}

/** The second digit sends the code, as on a real ARS call. */
function press(digit) {
  if (view !== 'answered' || busy || entered.length >= codeLength) return;
  enter(entered + digit);
  if (entered.length === codeLength) void act('code', { code: entered });
}

async function act(action, body) {
  if (busy || !current) return;
  const { callId } = current;
  busy = true;
  actions += 1;
  try {
    const response = await fetch(`/simulator/phone/calls/${callId}/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body ?? {}),
    });
    if (!response.ok) return end('GONE');
    const call = await response.json();
    if (call.state === 'ANSWERED') takeCall(call, { focus: true });
    else end(call.outcome ?? call.state);
  } catch {
    enter('');
    showConnectionError(true);
  } finally {
    busy = false;
    actions += 1;
  }
  if (view === 'answered') await refresh();
}

/** Updates the screen from the open calls. */
function update(calls) {
  const mine = current && calls.find((call) => call.callId === current.callId);
  if (current && !mine) return end(view === 'ringing' ? 'NO_ANSWER' : 'NO_INPUT');
  if (mine) {
    if (mine.state === 'ANSWERED' && view === 'ringing') return takeCall(mine);
    const latest = calls.findLast((call) => call.reference === mine.reference);
    // A registration that lost the answer to its first call has made another one, and awaits that one's outcome.
    if (view === 'ringing' && latest.callId !== mine.callId) return ring(latest);
    current = mine;
    return fill(mine);
  }
  if (view === 'ended' && Date.now() - endedAt < resultShownMs) return undefined;
  const next = callForThisPhone(calls);
  if (next?.state === 'ANSWERED') takeCall(next);
  else if (next) ring(next);
  else if (awaited === null && calls.length > 0 && view !== 'choice') showChoice();
  else if (calls.length === 0 && view === 'choice') showIdle();
  return undefined;
}

/** The latest call of the awaited registration, else of the only one with open calls: none is answered by mistake. */
function callForThisPhone(calls) {
  if (awaited !== null) return calls.findLast((call) => call.reference === awaited);
  const references = new Set(calls.map((call) => call.reference));
  return references.size === 1 ? calls.at(-1) : undefined;
}

function showChoice() {
  show('choice', { focus: true });
  document.title = 'Choose a call – phone – sandbox';
  announce('Several calls are open. Choose the call of your registration.');
}

/** Lists the open calls as links, unless the only one is on the screen. */
function listCalls(calls) {
  const isChoice = calls.some((call) => call.callId !== current?.callId);
  element('calls').hidden = !isChoice;
  const rows = calls.map(({ callId, reference, phoneNumber, state }) => ({
    reference,
    isCurrent: callId === current?.callId,
    text: `${phoneNumber} · ${state === 'RINGING' ? 'ringing' : 'in call'}`,
  }));
  // An unchanged list stays, and so does the focus in it.
  if (JSON.stringify(rows) === listed) return;
  listed = JSON.stringify(rows);
  element('call-list').replaceChildren(
    ...rows.map(({ reference, isCurrent, text }) => {
      const link = document.createElement('a');
      link.href = `?${new URLSearchParams({ reference })}`;
      if (isCurrent) link.ariaCurrent = 'true';
      const title = document.createElement('code');
      title.textContent = reference;
      const details = document.createElement('span');
      details.textContent = text;
      link.append(title, ' ', details);
      const row = document.createElement('li');
      row.append(link);
      return row;
    }),
  );
}

function showConnectionError(isDisconnected) {
  const text = isDisconnected ? 'The simulator does not respond. Trying again…' : '';
  if (element('connection-error').textContent !== text) element('connection-error').textContent = text;
}

async function refresh() {
  const requestedAt = actions;
  try {
    const response = await fetch('/simulator/phone/calls');
    const calls = await response.json();
    // An action that has begun or ended meanwhile knows more than this list.
    if (actions === requestedAt) {
      update(calls);
      listCalls(calls);
    }
    showConnectionError(false);
  } catch {
    showConnectionError(true);
  }
}

async function poll() {
  await refresh();
  setTimeout(() => void poll(), pollIntervalMs);
}

for (const button of document.querySelectorAll('[data-action]')) {
  button.addEventListener('click', () => void act(button.dataset.action));
}
for (const button of document.querySelectorAll('[data-digit]')) {
  button.addEventListener('click', () => press(button.dataset.digit));
}
element('erase').addEventListener('click', () => enter(entered.slice(0, -1)));
element('done').addEventListener('click', showIdle);
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[0-9]$/.test(event.key)) press(event.key);
  else if (event.key === 'Backspace' && view === 'answered' && !busy) enter(entered.slice(0, -1));
});

if (awaited !== null) {
  element('awaited').hidden = false;
  element('how-to-ring').hidden = true;
  document.querySelector('[data-awaited]').textContent = awaited;
}
void poll();
