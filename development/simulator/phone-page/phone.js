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

/** The call on the screen: {callId, phoneNumber, state, secondsLeft, code?, outcome?}. */
let current;
let view = 'idle';
let entered = '';
let busy = false;
let endedAt = 0;

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
  }
  if (view === 'answered') await refresh();
}

/** Updates the screen from the open calls. An answered call takes precedence over a ringing one. */
function update(calls) {
  const mine = current && calls.find((call) => call.callId === current.callId);
  if (current && !mine) return end(view === 'ringing' ? 'NO_ANSWER' : 'NO_INPUT');
  if (mine) {
    if (mine.state === 'ANSWERED' && view === 'ringing') return takeCall(mine);
    current = mine;
    return fill(mine);
  }
  if (view === 'ended' && Date.now() - endedAt < resultShownMs) return undefined;
  const next = calls.find((call) => call.state === 'ANSWERED') ?? calls[0];
  if (next?.state === 'ANSWERED') takeCall(next);
  else if (next) ring(next);
  return undefined;
}

function showQueue(calls) {
  const waiting = calls.filter((call) => call.callId !== current?.callId).length;
  const queue = element('queue');
  queue.hidden = waiting === 0;
  queue.textContent = waiting === 1 ? '1 more call is waiting' : `${waiting} more calls are waiting`;
}

function showConnectionError(isDisconnected) {
  const text = isDisconnected ? 'The simulator does not respond. Trying again…' : '';
  if (element('connection-error').textContent !== text) element('connection-error').textContent = text;
}

async function refresh() {
  try {
    const response = await fetch('/simulator/phone/calls');
    const calls = await response.json();
    // While an action is in flight, the list may be older than its result.
    if (!busy) {
      update(calls);
      showQueue(calls);
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

void poll();
