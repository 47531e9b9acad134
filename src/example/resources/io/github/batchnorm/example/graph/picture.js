// The picture: boxes for the nodes, a black and a red arrow for each edge.

/** Left to right, for wide screens: where the boxes are, in rows and columns. */
const WIDE = {
  width: 1312, box: 118, font: 13, head: 42, row: 18, plain: 54, between: 48, below: 8,
  columns: [67, 255, 443, 631, 819, 1007, 1195],
  rows: [
    ['x', 'xmu', null, null, 'xhat', 'gammax', 'out'],
    ['mu', 'sq', 'var', 'sqrtvar', 'ivar', 'gamma', 'beta'],
  ],
};
/** Top to bottom, for narrow ones. */
const TALL = {
  width: 358, box: 88, font: 12, head: 23, row: 14, plain: 24, between: 32, below: 36,
  columns: [45, 179, 313],
  rows: [
    ['x', 'mu'],
    ['xmu', 'sq', 'var'],
    ['xhat', 'ivar', 'sqrtvar'],
    ['gammax', 'gamma'],
    ['out', 'beta'],
  ],
};
const EDGES = [
  ['x', 'mu', 'dx2'], ['x', 'xmu', 'dx1'], ['mu', 'xmu', 'dmu'], ['xmu', 'sq', 'dxmu2'],
  ['sq', 'var', 'dsq'], ['var', 'sqrtvar', 'dvar'], ['sqrtvar', 'ivar', 'dsqrtvar'],
  ['ivar', 'xhat', 'divar'], ['xmu', 'xhat', 'dxmu1'], ['xhat', 'gammax', 'dxhat'],
  ['gamma', 'gammax', 'dgamma'], ['gammax', 'out', 'dgammax'], ['beta', 'out', 'dbeta'],
];
const wide = matchMedia('(min-width: 1240px), print');
const phone = matchMedia('screen and (max-width: 640px)');

/** The boxes by node, and the height of the picture. */
function boxesOf(layout) {
  const height = name => isMatrix(name) ? (N <= 4 ? N * layout.row : layout.plain) : layout.row;
  const boxes = {};
  let top = 8;
  for (const names of layout.rows) {
    const tall = name => layout.head + 2 * height(name) + 12;
    const highest = Math.max(...names.filter(Boolean).map(tall));
    names.forEach((name, k) => {
      if (name) {
        const [x, y, h] = [layout.columns[k], top + highest / 2, tall(name)];
        boxes[name] = {x, y, height: h, matrix: height(name), left: x - layout.box / 2,
          right: x + layout.box / 2, top: y - h / 2, bottom: y + h / 2};
      }
    });
    top += highest + layout.between;
  }
  return {boxes, height: top - layout.between + layout.below};
}

function renderGraph() {
  const layout = wide.matches ? WIDE : TALL;
  const {boxes, height} = boxesOf(layout);
  const focused = document.activeElement?.dataset?.name;
  const picture = svg('svg', {viewBox: `0 0 ${layout.width} ${height}`, 'font-size': layout.font,
    role: 'group', 'aria-label': 'Nodes, from x to out', class: layout === WIDE ? 'wide' : 'tall'},
    ...EDGES.map(([from, to, gradient]) => edge(layout, boxes, from, to, gradient)),
    arrival(layout, boxes.out),
    ...(layout === WIDE ? caption(boxes) : []),
    ...Object.keys(FORWARD).sort((a, b) => FORWARD[a].step - FORWARD[b].step)
      .map(name => nodeBox(layout, boxes[name], name)));
  byId('graph').replaceChildren(picture);
  picture.querySelectorAll('[data-room]').forEach(squeeze);
  if (focused) {
    picture.querySelector(`[data-name="${focused}"]`)?.focus();
  }
}

/** A font may be wider than the place that a text has. */
function squeeze(text) {
  const {room} = text.dataset;
  if (text.getComputedTextLength() > room) {
    text.setAttribute('textLength', room);
    text.setAttribute('lengthAdjust', 'spacingAndGlyphs');
  }
}

function nodeBox(layout, box, name) {
  const gradient = TOTAL[name];
  const press = event => {
    if (event.type === 'click' || event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      event.stopPropagation();
      toggle(name);
    }
  };
  const step = STEPS[state.step];
  const active = step.makes.includes(name) || step.makes.some(d => d in BACKWARD && operationOf(d) === name);
  const input = !active && step.from.includes(name);
  const classes = ['node', reached(name) ? 'done' : 'ahead', active ? 'now' : '', input ? 'input' : '',
    step.backward ? 'back' : ''];
  return svg('g', {class: classes.join(' '), 'data-name': name, role: 'button', tabindex: 0,
    'aria-pressed': state.nodes.includes(name), 'aria-label': describe(name, gradient),
    click: press, keydown: press},
    svg('rect', {class: 'box', x: box.left, y: box.top, width: layout.box, height: box.height, rx: 8}),
    svg('text', {class: 'name', x: box.left + 6, y: box.top + 17, 'data-room': layout.box - 26}, name),
    svg('text', {class: 'number', x: box.right - 6, y: box.top + 17}, FORWARD[name].step || ''),
    layout === WIDE
      ? svg('text', {class: 'formula', x: box.left + 6, y: box.top + 35, 'data-room': layout.box - 12},
        FORWARD[name].step ? FORWARD[name].formula : name === 'x' ? 'mini-batch' : 'learned') : '',
    svg('path', {class: 'pin', d: `M${box.left + 10} ${box.bottom}h${layout.box - 20}`}),
    miniature(layout, box, name, box.top + layout.head),
    miniature(layout, box, gradient, box.top + layout.head + box.matrix + 6));
}

function describe(name, gradient) {
  const {step, formula} = FORWARD[name];
  const made = step ? `step ${step}, ${formula}` : 'input';
  return `${name}: ${made}, shape ${shapeOf(name)}; `
    + (reached(name) ? 'computed' : 'not computed yet')
    + (reached(gradient) ? `, gradient ${gradient} computed` : '') + '. Compare';
}

/** The matrix as coloured cells, with numbers if they fit. */
function miniature(layout, box, name, top) {
  const there = reached(name);
  const now = STEPS[state.step].makes.includes(name);
  const count = isMatrix(name) ? N : 1;
  const [left, width] = [box.left + 5, layout.box - 10];
  const [w, h] = [width / D, box.matrix / count];
  const texts = there && h >= layout.row ? fitting(name, w - 2 * CLEAR, layout.font) : null;
  const most = largest(cellsOf(name).map(([i, j]) => at(name, i, j)));
  const kind = `mini ${NODES[name].backward ? 'gradient' : 'value'} ${there ? '' : 'ahead'} ${now ? 'now' : ''}`;
  return svg('g', {class: kind, 'aria-hidden': 'true'},
    ...(there ? cellsOf(name).flatMap(([i, j], k) => {
      const [x, y] = [left + j * w, top + i * h];
      return [svg('rect', {x, y, width: w, height: h, ...tint(at(name, i, j), most)}),
        texts ? svg('text', {x: x + w / 2, y: y + h / 2 + 4.5}, texts[k]) : ''];
    }) : []),
    svg('rect', {class: 'frame', x: left, y: top, width, height: box.matrix, rx: 2}));
}

/** All numbers of a node, with as many digits as fit into the width; null if not even two do. */
function fitting(name, width, size) {
  for (const digits of [3, 2]) {
    const texts = cellsOf(name).map(([i, j]) => short(at(name, i, j), digits));
    if (texts.every(text => widthOf(text, size) <= width)) {
      return texts;
    }
  }
  return null;
}

const CLEAR = 3; // between a text and a line beside it
const pen = document.createElement('canvas').getContext('2d');

/** How wide a text is in the font of the page, which differs from one computer to the next. */
function widthOf(text, size) {
  pen.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}

/** A pair of arrows: black there, red back, with the gradient's name at the red one. */
function edge(layout, boxes, from, to, gradient) {
  const step = STEPS[state.step];
  const forward = reached(to) ? (!step.backward && step.makes.includes(to) ? 'now' : 'done') : 'ahead';
  const backward = !reached(gradient) ? 'ahead'
    : step.makes.includes(gradient) ? 'now' : step.from.includes(gradient) ? 'arriving' : 'done';
  const dead = largest(cellsOf(gradient).map(([i, j]) => at(gradient, i, j))) === 0;
  const route = routeOf(layout, boxes, from, to);
  return svg('g', {class: 'edge', 'aria-hidden': 'true', 'data-gradient': gradient},
    arrow(shift(route.points, -1), `black ${forward}`),
    arrow(shift(route.points, 1).reverse(), `red ${backward} ${dead ? 'dead' : ''}`),
    svg('text', {class: `label ${backward}`, x: route.label[0], y: route.label[1],
      'text-anchor': route.anchor, 'data-room': route.room ?? null}, gradient));
}

/** The middle between the two arrows of an edge, in straight pieces, and where its label goes. */
function routeOf(layout, boxes, from, to) {
  const [a, b] = [boxes[from], boxes[to]];
  if (from === 'mu' && layout === WIDE) {
    const [turn, y] = [(a.right + b.left) / 2, b.y + 44];
    const label = [turn + 13, (b.bottom + boxes.sq.top) / 2 + 5];
    return {points: [[a.right, a.y], [turn, a.y], [turn, y], [b.left, y]], label, anchor: 'start'};
  }
  if (from === 'mu') {
    const [middle, x] = [(boxes.x.bottom + b.top) / 2, b.x + 26];
    return {points: [[a.x, a.bottom], [a.x, middle], [x, middle], [x, b.top]],
      label: [a.x + 13, middle - 5], anchor: 'start'};
  }
  if (a.x === b.x) {
    const side = from === 'x' && to === 'xmu' ? -22 : 0;
    const [start, end] = a.y < b.y ? [a.bottom, b.top] : [a.top, b.bottom];
    return {points: [[a.x + side, start], [a.x + side, end]],
      label: [a.x + side + 12, (start + end) / 2 + 5], anchor: 'start'};
  }
  const [start, end] = a.x < b.x ? [a.right, b.left] : [a.left, b.right];
  if (layout === TALL && !(isMatrix(from) && isMatrix(to))) {
    return besideVector(a, b, start, end);
  }
  const y = from === 'x' && layout === WIDE ? a.y - 36 : a.y;
  return {points: [[start, y], [end, y]], label: [(start + end) / 2, y + 23], anchor: 'middle',
    room: Math.abs(end - start) - 2 * CLEAR};
}

/** The box of a vector is low: under it the label has room, right of the box of a matrix if there is one. */
function besideVector(a, b, start, end) {
  const [left, bottom] = [Math.min(start, end), Math.min(a.bottom, b.bottom)];
  const points = [[start, bottom - 15], [end, bottom - 15]];
  return a.height === b.height
    ? {points, label: [(start + end) / 2, bottom + 14], anchor: 'middle'}
    : {points, label: [left + CLEAR + 1, bottom + 14], anchor: 'start'};
}

/** The route moved to one side by 6, so that two arrows run beside each other. */
function shift(points, side) {
  const horizontal = k => points[k] && points[k + 1] && points[k][1] === points[k + 1][1];
  return points.map(([x, y], k) => {
    const beside = [k - 1, k].filter(piece => piece >= 0 && piece < points.length - 1);
    return [x + (beside.some(piece => !horizontal(piece)) ? 6 * side : 0),
      y + (beside.some(horizontal) ? 6 * side : 0)];
  });
}

/** A line in straight pieces with a head at its end. */
function arrow(points, kind) {
  const [[x0, y0], [x, y]] = points.slice(-2);
  const [dx, dy] = [Math.sign(x - x0), Math.sign(y - y0)];
  const base = [x - 9 * dx, y - 9 * dy];
  const line = [...points.slice(0, -1), base];
  return svg('g', {class: `arrow ${kind}`},
    svg('polyline', {points: line.join(' ')}),
    svg('polygon', {points: [[x, y], [base[0] + 4.5 * dy, base[1] + 4.5 * dx],
      [base[0] - 4.5 * dy, base[1] - 4.5 * dx]].join(' ')}));
}

/** The step in large letters, in the room that the long arrow from xmu to xhat leaves. */
function caption(boxes) {
  const step = STEPS[state.step];
  const x = (boxes.xmu.right + boxes.xhat.left) / 2;
  const formulas = step.makes.filter(name => NODES[name].from.length).map(formulaOf);
  const lines = [step.title.replace(/:.*/, ''), ...(formulas.length ? formulas : ['x, gamma, beta'])];
  const top = boxes.xmu.y + 56;
  return [svg('g', {class: `caption ${step.backward ? 'back' : ''}`, 'aria-hidden': 'true'},
    ...lines.map((line, k) => svg('text', {x, y: top + 26 * k, class: k ? 'large' : ''}, line)))];
}

/** dout, which comes from outside. */
function arrival(layout, out) {
  const kind = !reached('dout') ? 'ahead' : STEPS[state.step].from.includes('dout') ? 'arriving' : 'done';
  const [points, label, anchor] = layout === WIDE
    ? [[[out.right + 52, out.y], [out.right, out.y]], [out.right + 30, out.y + 19], 'middle']
    : [[[out.x, out.bottom + 30], [out.x, out.bottom]], [out.x + 10, out.bottom + 26], 'start'];
  return svg('g', {class: 'edge', 'aria-hidden': 'true', 'data-gradient': 'dout'}, arrow(points, `red ${kind}`),
    svg('text', {class: `label ${kind}`, x: label[0], y: label[1], 'text-anchor': anchor}, 'dout'));
}
