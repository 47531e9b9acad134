// The page around the picture: its state, tables, sums and bar.

// ---- The state, kept in the fragment: #step=b2&nodes=xmu,mu&cell=dmu,0,1 ----

const state = {step: 0, nodes: [], cell: null};

function readFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  state.step = Math.max(0, STEPS.findIndex(step => step.key === fragment.get('step')));
  const names = new Set((fragment.get('nodes') ?? '').split(','));
  state.nodes = [...names].filter(name => Object.hasOwn(FORWARD, name));
  const [name, i, j] = (fragment.get('cell') ?? '').split(',');
  state.cell = null;
  if (Object.hasOwn(NODES, name) && cellsOf(name).some(cell => String(cell) === `${i},${j}`)) {
    state.cell = {name, i: Number(i), j: Number(j)};
  }
}

function change(changes) {
  Object.assign(state, changes);
  const parts = [`step=${STEPS[state.step].key}`];
  if (state.nodes.length) {
    parts.push(`nodes=${state.nodes}`);
  }
  if (state.cell) {
    parts.push(`cell=${state.cell.name},${state.cell.i},${state.cell.j}`);
  }
  history.replaceState(null, '', '#' + parts.join('&'));
  render();
}

function goTo(step) {
  change({step: Math.min(Math.max(step, 0), STEPS.length - 1), cell: null});
  if (phone.matches && byId('graph').getBoundingClientRect().bottom > 100) { // not if a person reads below it
    document.querySelector('.node.now').scrollIntoView({block: 'nearest'});
  }
}
const reached = name => stepOf(name) <= state.step;

// ---- Elements ----

/** An element with attributes and children; functions among the attributes are listeners. */
function element(create, name, attributes = {}, ...children) {
  const made = create(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      made.addEventListener(key, value);
    } else if (value !== null && value !== false) {
      made.setAttribute(key, value);
    }
  }
  made.append(...children);
  return made;
}
const html = (...args) => element(name => document.createElement(name), ...args);
const svg = (...args) =>
  element(name => document.createElementNS('http://www.w3.org/2000/svg', name), ...args);
const byId = id => document.getElementById(id);

/** Colour by sign, strength by size. */
const tint = (value, most) => ({
  class: value > 0 ? 'positive' : value < 0 ? 'negative' : 'zero',
  style: `--size: ${most > 0 ? (Math.abs(value) / most).toFixed(3) : 0}`,
});

// ---- Tables of values ----

/** A matrix as a table. Cells of nodes are buttons that show the sum behind them. */
function table({name, madeFor, caption, role, kind = '', shape = '', get, oneRow = false}) {
  const indices = oneRow ? [0] : rows;
  const most = largest(indices.flatMap(i => columns.map(j => get(i, j))));
  const head = html('tr', {}, oneRow ? '' : html('td'),
    ...columns.map(j => html('th', {scope: 'col'}, String(j), ...nameRow(j))));
  const body = indices.map(i => html('tr', {},
    oneRow ? '' : html('th', {scope: 'row'}, String(i)),
    ...columns.map(j => name ? cell(name, i, j, most)
      : madeCell(madeFor, caption, i, j, get(i, j), most, oneRow))));
  return html('figure', {class: `matrix ${kind}`},
    html('figcaption', {},
      html('span', {class: 'role'}, role),
      html('b', {}, caption), ' ', html('span', {class: 'shape'}, shape)),
    html('div', {class: 'scroll'},
      html('table', {'aria-label': `${role}: ${caption}`},
        html('thead', {}, head), html('tbody', {}, ...body))));
}

/** The name of a column, under its number. */
const nameRow = j => values.names.length ? [html('span', {title: nameOf(j)}, nameOf(j))] : [];

/** A number that is computed for this page: it shows itself in full. */
function madeCell(madeFor, caption, i, j, value, most, oneRow) {
  const label = `(${caption})${oneRow ? '' : `[${i}]`}[${j}]`;
  return html('td', tint(value, most), html('span', {
    tabindex: 0, title: full(value), 'data-made': `${madeFor},${i},${j}`,
    ...shows(() => showNumber(label, '', value, 'computed for this page')),
  }, short(value)));
}

function cell(name, i, j, most) {
  const value = at(name, i, j);
  return html('td', tint(value, most), html('button', {
    type: 'button', title: full(value), 'data-cell': `${name},${i},${j}`, 'aria-pressed': 'false',
    ...shows(() => showSum({name, i, j})), click: () => change({cell: {name, i, j}}),
  }, short(value)));
}

/** Listeners for a cell that shows something while the mouse or the focus is on it. */
function shows(show) {
  const showChosen = () => showSum(state.cell);
  return {mouseenter: show, focus: show, mouseleave: showChosen, blur: showChosen};
}

function nodeTable(name, role, kind) {
  return table({
    name, caption: name, role, kind: kind ?? (NODES[name].backward ? 'gradient' : ''),
    shape: sizeOf(name), oneRow: !isMatrix(name), get: (i, j) => at(name, i, j),
  });
}

/** A table with the operator before it; the two stay together where the line breaks. */
const term = (operator, table) => html('div', {class: 'term'},
  operator ? html('span', {class: 'operator', 'aria-hidden': 'true'}, operator) : '', table);

/** How a node is made: its inputs, the operators between them, the node. */
function equation(name) {
  const node = NODES[name];
  const terms = [];
  if (node.local) {
    terms.push(...product(name, node));
  } else if (node.backward) {
    node.from.forEach((branch, k) =>
      terms.push(term(k ? '+' : '', nodeTable(branch, k ? 'the other branch' : 'one branch'))));
  } else {
    node.from.forEach((input, k) =>
      terms.push(term(k ? node.operator : '', nodeTable(input, 'input'))));
  }
  const equals = node.sums ? 'Σ' : node.backward || node.operator ? '=' : '→';
  terms.push(term(node.from.length ? equals : '',
    nodeTable(name, resultRole(name), 'result' + (node.backward ? ' gradient' : ''))));
  return html('div', {class: 'equation', role: 'group', 'aria-label': formulaOf(name)},
    html('h3', {}, formulaOf(name)), html('div', {class: 'parts'}, ...terms));
}

function resultRole(name) {
  const node = NODES[name];
  if (!node.from.length) {
    return node.backward ? 'arrives' : 'given';
  }
  if (!node.backward) {
    return 'new';
  }
  return node.sums ? 'sum of the rows' : node.local ? 'product' : 'two branches added';
}


/** The gradient that arrives × the local derivative, and the products before they are summed. */
function product(name, {from: [arriving], of, local, sums}) {
  const symbol = `∂${operationOf(name)}/∂${of}`;
  const terms = [term('', nodeTable(arriving, 'arrives')),
    term('×', localTable(name, local, `${symbol}, the local derivative`))];
  if (sums) {
    terms.push(term('=', table({
      madeFor: name, caption: `${arriving} × ${symbol}`, role: 'product', kind: 'gradient made',
      get: (i, j) => at(arriving, i, j) * derivative(local, i, j),
    })));
  }
  return terms;
}

function localTable(madeFor, {node, text, at: get, oneRow}, role) {
  if (node) {
    return nodeTable(node, role);
  }
  if (get.length === 0) { // the same for all cells
    return html('figure', {class: 'matrix made'},
      html('figcaption', {}, html('span', {class: 'role'}, role), html('b', {}, text)));
  }
  return table({madeFor, caption: text, role, kind: 'made', oneRow, get});
}

// ---- The panel of a step ----

function renderStep() {
  const step = STEPS[state.step];
  const computed = step.makes.filter(name => NODES[name].from.length);
  byId('step').className = step.backward ? 'back' : '';
  byId('title').textContent = step.title;
  byId('formula').textContent = computed.map(formulaOf).join(',  ') || 'x, gamma, beta';
  byId('says').textContent = step.says;
  byId('field').replaceChildren(...step.makes.map(name => html('span', {'data-field': name},
    html('b', {}, name), ' is ', html('code', {}, NODES[name].field), `, shape ${shapeOf(name)}`)));
  byId('equations').replaceChildren(...(computed.length ? computed : step.makes).map(equation));
  byId('remarks').replaceChildren(
    ...[ROUNDING[(step.backward ? 'b' : 'f') + step.number]].filter(Boolean)
      .map(text => html('li', {}, text)),
    ...computed.flatMap(deaths).map(text => html('li', {class: 'dies'}, text)));
}

const NEARLY_NOTHING = 1e-6;

/**
 * Where the gradient of a feature is lost, or nearly so: as a number, which a reader sees, and
 * without units, since 1 / sqrtvar² is small too where x is large.
 */
function deaths(name) {
  const {backward, from, of, local, sums} = NODES[name];
  if (!backward) {
    return [];
  }
  return columns.flatMap(j => {
    const most = value => largest(rows.map(i => value(i, j)));
    const before = most((i, j) => at(from[0], i, j));
    const after = most((i, j) => at(name, i, j));
    const lost = number => number === 0 || number <= NEARLY_NOTHING * before
      && number / before * scaleOf(of, j) / scaleOf(NODES[from[0]].of, j) <= NEARLY_NOTHING;
    if (before === 0 || !lost(after)) {
      return [];
    }
    const product = (i, j) => at(from[0], i, j) * derivative(local, i, j);
    const how = local && (!sums || lost(most(product))) ? 'dies' : 'cancels out';
    return [`The gradient of feature ${j} ${how} here: the largest |${from[0]}| is ${short(before)}, `
      + `the largest |${name}| is ${short(after)}.`];
  });
}

/** The sum behind a cell, short and in full, and the cells that went into it. */
function showSum(cell) {
  if (!cell) {
    unmark();
    byId('sum').replaceChildren(...examples(),
      html('p', {class: 'hint'}, 'Choose a number to see where it comes from.'));
    return;
  }
  const {name, i, j} = cell;
  const node = NODES[name];
  const value = at(name, i, j);
  const write = notation => node.sum?.(new Writer(notation), i, j);
  showNumber(labelOf(name, i, j), node.sum ? `${write(PEOPLE)} = ` : '', value,
    ...(node.sum ? ['from ', html('code', {id: 'expression'}, write(CODE))] : [`(${node.field})`]));
  mark(`data-cell="${name},${i},${j}"`, 'chosen');
  for (const input of node.from) {
    markSources('data-cell', input, isMatrix(name) && isMatrix(input) ? [i] : rows, j);
  }
  markSources('data-made', name, isMatrix(name) && node.local?.at ? [i] : rows, j);
}

/** The arithmetic of the step: the first number of each node that it makes. */
const examples = () => STEPS[state.step].makes.filter(name => NODES[name].sum).map(name =>
  shortSum(labelOf(name, 0, 0), `${NODES[name].sum(new Writer(BRIEF), 0, 0)} = `, at(name, 0, 0)));

const shortSum = (label, sum, value) =>
  html('p', {class: 'short'}, `${label} = ${sum}`, html('b', {}, short(value)));

/** A number, short and in full, with the sum before it and where it comes from. */
function showNumber(label, sum, value, ...origin) {
  unmark();
  byId('sum').replaceChildren(shortSum(label, sum, value),
    html('p', {class: 'full'}, 'in full: ', html('code', {id: 'full'}, full(value)), ' ', ...origin));
}

function markSources(attribute, name, sources, j) {
  for (const i of sources) {
    mark(`${attribute}="${name},${i},${j}"`, 'source');
  }
}

function unmark() {
  for (const marked of document.querySelectorAll('.source, .chosen')) {
    marked.classList.remove('source', 'chosen');
  }
}

function mark(attribute, kind) {
  for (const cell of document.querySelectorAll(`[${attribute}]`)) {
    cell.classList.add(kind);
  }
}

// ---- The nodes to compare ----

function renderCompared() {
  byId('compare-hint').hidden = state.nodes.length > 0;
  byId('compared').replaceChildren(...state.nodes.map(name => html('div', {class: 'equation'},
    html('h3', {}, name, ' ', html('button', {
      type: 'button', 'aria-label': `Remove ${name}`, click: () => remove(name)}, '✕')),
    html('div', {class: 'parts'}, ...[name, ...gradientsOf(name)].map(shown)))));
}

/** Those of the branches, then their sum. */
const gradientsOf = name => [
  ...Object.keys(BACKWARD).filter(d => BACKWARD[d].of === name && d !== TOTAL[name]), TOTAL[name]];

function shown(name) {
  const pass = NODES[name].backward ? 'backward' : 'forward';
  const when = `${pass} step ${NODES[name].step}`;
  return reached(name) ? nodeTable(name, when)
    : html('p', {class: 'ahead'}, html('b', {}, name), ` comes in ${when}`);
}

function toggle(name) {
  const nodes = state.nodes.includes(name)
    ? state.nodes.filter(other => other !== name) : [...state.nodes, name];
  change({nodes});
}

/** The button that had the focus is gone: the next one gets the focus, or what is left of the section. */
function remove(name) {
  const place = state.nodes.indexOf(name);
  toggle(name);
  const buttons = document.querySelectorAll('#compared h3 button');
  (buttons[Math.min(place, buttons.length - 1)] ?? byId('compare')).focus();
}

// ---- The bar ----

let timer = null;

function renderBar() {
  const step = STEPS[state.step];
  byId('position').textContent = `${state.step} of ${STEPS.length - 1}: ${step.title}`;
  byId('back').disabled = state.step === 0;
  byId('forward').disabled = byId('run').disabled = state.step === STEPS.length - 1;
  byId('run').textContent = timer ? 'Stop' : 'Run';
  for (const [k, {key}] of STEPS.entries()) {
    const button = document.querySelector(`[data-step="${key}"]`);
    button.className = k < state.step ? 'done' : '';
    if (k === state.step) {
      button.setAttribute('aria-current', 'step');
    } else {
      button.removeAttribute('aria-current');
    }
  }
}

function run() {
  if (timer) {
    stop();
  } else if (state.step < STEPS.length - 1) {
    timer = setInterval(() => {
      goTo(state.step + 1);
      if (state.step === STEPS.length - 1) {
        stop();
      }
    }, 1500);
  }
  renderBar();
}

function stop() {
  clearInterval(timer);
  timer = null;
  renderBar();
}

/** A step that a person asks for ends the run. */
function walk(by) {
  stop();
  goTo(state.step + by);
}

/** The table around an element, if the table does not fit and so scrolls. */
function scrolling(element) {
  const table = element.closest('.scroll');
  return table && table.scrollWidth > table.clientWidth ? table : null;
}

function listen() {
  byId('back').addEventListener('click', () => walk(-1));
  byId('forward').addEventListener('click', () => walk(1));
  byId('run').addEventListener('click', run);
  document.addEventListener('keydown', event => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      if (!scrolling(event.target)) {
        event.preventDefault();
        walk(event.key === 'ArrowRight' ? 1 : -1);
      }
    } else if (event.key === ' ' && !event.target.closest('button')) {
      event.preventDefault();
      run();
    }
  });
  listenToSwipes();
  addEventListener('hashchange', () => {
    readFragment();
    render();
  });
  wide.addEventListener('change', render);
  phone.addEventListener('change', place);
}

/** On a phone the sentence and the arithmetic stand beside the buttons, else beside the tables. */
function place() {
  byId('says-place').append(byId('says'));
  byId('sum-place').append(byId('sum'));
  if (phone.matches) {
    byId('sheet').append(byId('says'), byId('sum'));
  }
  measureSheet();
}

/** Nothing is to be scrolled to a place under the sheet. */
function measureSheet() {
  document.documentElement.style.setProperty('--sheet', `${phone.matches ? byId('controls').offsetHeight : 0}px`);
}

/** A swipe to the left goes on, one to the right goes back, but for tables that scroll. */
function listenToSwipes() {
  let start = null;
  document.addEventListener('touchstart', event => {
    start = scrolling(event.target) || event.touches.length > 1 ? null : event.touches[0];
  }, {passive: true});
  document.addEventListener('touchend', event => {
    const end = event.changedTouches[0];
    if (start && Math.abs(end.clientX - start.clientX) > 50
        && Math.abs(end.clientX - start.clientX) > 2 * Math.abs(end.clientY - start.clientY)) {
      walk(end.clientX < start.clientX ? 1 : -1);
    }
    start = null;
  });
}

// ---- All of it ----

function render() {
  const focused = document.activeElement;
  const inTables = focused?.closest?.('#equations td, #compared td');
  renderGraph();
  renderStep();
  renderCompared();
  renderBar();
  showSum(state.cell);
  measureSheet();
  if (state.cell) {
    const {name, i, j} = state.cell;
    document.querySelectorAll(`[data-cell="${name},${i},${j}"]`)
      .forEach(button => button.setAttribute('aria-pressed', 'true'));
  }
  if (inTables) { // the cell that had the focus is a new one, or gone
    (document.querySelector(`[data-cell="${focused.dataset.cell}"]`) ?? byId('step')).focus();
  }
}

const features = `D = ${D} features` + (values.names.length ? ` (${columns.map(j => `${j} ${nameOf(j)}`).join(', ')})` : '');
byId('about').textContent = `N = ${N} rows, ${features}, ε = ${short(values.epsilon)}; ${values.source}.`;
for (const step of STEPS) {
  byId(step.backward ? 'backward-steps' : 'forward-steps').append(html('li', {}, html('button', {
    type: 'button', 'data-step': step.key, 'aria-label': step.title,
    click: () => {
      stop();
      goTo(STEPS.indexOf(step));
    },
  }, String(step.number))));
}
document.body.classList.toggle('large', D > 4);
listen();
place();
readFragment();
render();
