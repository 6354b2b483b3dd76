const $ = (id) => document.getElementById(id);
let token = sessionStorage.getItem('token');

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  $('version').textContent = response.headers.get('x-app-version') ?? '?';
  const value = await response.json().catch(() => ({}));
  if (response.status === 401 && path !== '/api/guest') {
    await enter(); // the token has expired: come in again as somebody else
    return call(method, path, body);
  }
  if (!response.ok) throw new Error(value.error?.message ?? `the server answered ${response.status}`);
  return { value, timing: response.headers.get('server-timing') };
}

async function enter() {
  token = null;
  ({ token } = (await call('POST', '/api/guest')).value);
  sessionStorage.setItem('token', token);
}

async function attempt(work) {
  $('problem').textContent = '';
  try {
    await work();
  } catch (error) {
    $('problem').textContent = error.message;
  }
}

async function showCredits() {
  $('credits').textContent = (await call('GET', '/api/balance')).value.balance;
}

const shown = new Set();
function show({ id, user, text, reply }) {
  if (shown.has(id)) return;
  shown.add(id);
  const item = document.createElement('li');
  for (const [tag, content] of [
    ['small', user],
    ['p', text],
    ['p', reply],
  ]) {
    item.append(Object.assign(document.createElement(tag), { textContent: content }));
  }
  const list = $('messages');
  list.append(item);
  while (list.children.length > 200) list.firstChild.remove();
  list.scrollTop = list.scrollHeight;
}

function followEvents() {
  const source = new EventSource('/api/events'); // comes back by itself, with the id of the last event
  source.onopen = () => $('events-state').classList.add('open');
  source.onerror = () => $('events-state').classList.remove('open');
  source.addEventListener('message', (event) => show(JSON.parse(event.data)));
}

function followSocket(wait = 250) {
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`);
  socket.onopen = () => {
    wait = 250;
    $('ws-state').classList.add('open');
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'hello') $('ws-version').textContent = message.version;
    if (message.type === 'presence') $('here').textContent = message.here;
  };
  socket.onclose = () => {
    $('ws-state').classList.remove('open');
    setTimeout(() => followSocket(Math.min(wait * 2, 5000)), wait * (0.5 + Math.random()));
  };
}

$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const button = event.target.querySelector('button');
  button.disabled = true;
  void attempt(async () => {
    const { timing } = await call('POST', '/api/messages', { text: $('text').value });
    $('timing').textContent = timing?.replaceAll(/;dur=([\d.]+)/g, (_, ms) => ` ${Math.round(ms)} ms`) ?? '';
    $('text').value = '';
    await showCredits();
  }).finally(() => {
    button.disabled = false;
    $('text').focus();
  });
});

$('top-up').addEventListener('click', () => {
  void attempt(async () => {
    await call('POST', '/api/credits', { amount: 10 });
    await showCredits();
  });
});

followSocket();
await attempt(async () => {
  if (!token) await enter();
  await showCredits();
  const { messages } = (await call('GET', '/api/messages')).value;
  messages.forEach(show);
});
followEvents();
