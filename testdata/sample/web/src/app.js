'use strict';

// What the edge says of an answer, in its x-preview-* headers; the baseline's
// answers have none.
function seen(headers) {
  return {
    environment: headers.get('x-preview-environment'),
    source: headers.get('x-preview-source'),
  };
}

function row(list, name, value) {
  const term = document.createElement('dt');
  const text = document.createElement('dd');
  term.textContent = name;
  text.textContent = value || '–';
  text.title = value || '';
  list.append(term, text);
}

function mark(card, label, source) {
  card.classList.toggle('override', source === 'override');
  label.textContent = source || 'baseline';
}

// Draws one answer: who it was, and where the edge says that it came from.
function draw(card, answer, from) {
  const label = document.createElement('p');
  label.className = 'source';
  const list = document.createElement('dl');
  row(list, 'Version', answer.version);
  row(list, 'Commit', answer.commit);
  row(list, 'Environment', answer.environment);
  card.replaceChildren(card.querySelector('h2'), label, list);
  mark(card, label, from.source);
}

function fail(card, words) {
  const text = document.createElement('p');
  text.className = 'fault';
  text.textContent = words;
  card.classList.remove('override');
  card.replaceChildren(card.querySelector('h2'), text);
}

async function ask(card) {
  try {
    const response = await fetch(card.dataset.path, { cache: 'no-store', headers: { accept: 'application/json' } });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(body.error || `status ${response.status}`);
    const inner = card.dataset.inner;
    const answer = inner ? body[inner] : body;
    const from = seen(response.headers);
    // The edge saw only the outer service; the inner one says for itself where it runs.
    if (inner) from.source = answer.environment === 'baseline' ? 'baseline' : 'override';
    draw(card, answer, from);
  } catch (error) {
    fail(card, `No answer from ${card.dataset.path}: ${error.message}`);
  }
}

async function askPage() {
  const card = document.querySelector('[data-source="web"]');
  const response = await fetch('/version.txt', { cache: 'no-store' });
  const from = seen(response.headers);
  card.querySelector('[data-field="environment"]').textContent = from.environment || 'baseline';
  mark(card, card.querySelector('[data-field="source"]'), from.source);
}

async function askAll() {
  const cards = [...document.querySelectorAll('[data-path]')];
  await Promise.all([askPage().catch(() => {}), ...cards.map(ask)]);
  document.getElementById('asked').textContent = `Asked at ${new Date().toLocaleTimeString()}`;
}

document.getElementById('again').addEventListener('click', askAll);
askAll();
