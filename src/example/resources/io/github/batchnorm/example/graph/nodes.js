'use strict';

// The nodes of the graph: their values, formulas and steps. Knows nothing of the page.

// ---- The values, by name: numbers, vectors (D) and matrices (N, D), made by the Java library ----

const values = JSON.parse(document.getElementById('values').textContent);
const N = values.x.length;
const D = values.x[0].length;
const rows = [...Array(N).keys()];
const columns = [...Array(D).keys()];

/** The names of the columns; none if they have none. */
const nameOf = j => values.names[j]?.replace(/^(.{30}).{2,}$/s, '$1…');

const isMatrix = name => Array.isArray(values[name][0]);
/** The value that row i and column j of the mini-batch see: a vector is the same for all rows. */
const at = (name, i, j) => isMatrix(name) ? values[name][i][j] : values[name][j];
const cellsOf = name => (isMatrix(name) ? rows : [0]).flatMap(i => columns.map(j => [i, j]));
const sizeOf = name => isMatrix(name) ? `(${N}, ${D})` : `(${D})`;
const labelOf = (name, i, j) => name + (isMatrix(name) ? `[${i}]` : '') + `[${j}]`;
const shapeOf = name => `${isMatrix(name) ? '(N, D)' : '(D)'} = ${sizeOf(name)}`;
const largest = numbers => Math.max(...numbers.map(Math.abs));

// ---- Numbers and sums as text ----

/** All digits: reading the text again gives the same bits. */
const full = value => Object.is(value, -0) ? '-0' : String(value);

/** A few significant digits, for people. */
function short(value, digits = 4) {
  const size = Math.abs(value);
  let text;
  if (value === 0) {
    text = full(value);
  } else if (size >= 1e6 || size < 1e-3) {
    text = value.toExponential(Math.max(1, digits - 2)).replace(/\.?0*e\+?/, 'e');
  } else {
    text = size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(digits)));
  }
  return text.replace(/-/g, '−').replace('Infinity', '∞');
}

/** How a sum is written: short, for people, or in full, as Java and JavaScript compute it. */
const PEOPLE = {
  number: value => short(value), minus: '−', times: ' × ', over: ' / ',
  root: a => `√(${a})`, square: a => `${a}²`, most: Infinity,
};
const BRIEF = {...PEOPLE, most: 4};
const CODE = {
  number: full, minus: '-', times: ' * ', over: ' / ',
  root: a => `Math.sqrt(${a})`, square: a => `${a} * ${a}`, most: Infinity,
};

/** Writes the expressions of cells in one of the two notations. */
class Writer {
  constructor(notation) {
    Object.assign(this, notation);
  }

  /** A value that follows an operator: in brackets if it has a sign of its own. */
  operand(value) {
    const text = this.number(value);
    return text.startsWith(this.minus) ? `(${text})` : text;
  }

  product(...factors) {
    return factors.map(factor => this.operand(factor)).join(this.times);
  }

  difference(a, b) {
    return `${this.number(a)} ${this.minus} ${this.operand(b)}`;
  }

  /** 4 − 1 + 5: the signs of the terms are the operators. */
  sum(terms) {
    return this.some(terms.map((term, k) => {
      const text = this.number(term);
      const negative = text.startsWith(this.minus);
      if (k === 0) {
        return text;
      }
      return negative ? ` ${this.minus} ${text.slice(this.minus.length)}` : ` + ${text}`;
    })).join('');
  }

  /** The terms, or the first two and the last of too many. */
  some(terms) {
    return terms.length > this.most ? [...terms.slice(0, 2), ' + …', terms.at(-1)] : terms;
  }

  /** The sum of a column. */
  column(name, j) {
    return this.sum(rows.map(i => at(name, i, j)));
  }

  /** The sum of a column of products. */
  products(a, b, j) {
    return this.some(rows.map(i => (i ? ' + ' : '') + this.product(at(a, i, j), at(b, i, j)))).join('');
  }
}

// ---- The nodes: formula, where from, and the sum behind the cell in row i and column j ----

const FORWARD = {
  x: {step: 0, formula: 'x', from: [], field: 'x of forward(x)'},
  gamma: {step: 0, formula: 'gamma', from: [], field: 'BatchNormLayer.gamma()'},
  beta: {step: 0, formula: 'beta', from: [], field: 'BatchNormLayer.beta()'},
  mu: {
    step: 1, formula: 'Σ x / N', from: ['x'], field: 'BatchNormGraph.mu',
    sum: (w, i, j) => `(${w.column('x', j)})${w.over}${N}`,
  },
  xmu: {
    step: 2, formula: 'x − mu', from: ['x', 'mu'], operator: '−', field: 'BatchNormGraph.xmu',
    sum: (w, i, j) => w.difference(at('x', i, j), at('mu', i, j)),
  },
  sq: {
    step: 3, formula: 'xmu²', from: ['xmu'], field: 'BatchNormGraph.sq',
    sum: (w, i, j) => w.square(w.operand(at('xmu', i, j))),
  },
  var: {
    step: 4, formula: 'Σ sq / N', from: ['sq'], field: 'BatchNormGraph.var',
    sum: (w, i, j) => `(${w.column('sq', j)})${w.over}${N}`,
  },
  sqrtvar: {
    step: 5, formula: '√(var + ε)', from: ['var'], field: 'BatchNormGraph.sqrtvar',
    sum: (w, i, j) => w.root(w.sum([at('var', i, j), values.epsilon])),
  },
  ivar: {
    step: 6, formula: '1 / sqrtvar', from: ['sqrtvar'], field: 'BatchNormGraph.ivar',
    sum: (w, i, j) => `1${w.over}${w.operand(at('sqrtvar', i, j))}`,
  },
  xhat: {
    step: 7, formula: 'xmu × ivar', from: ['xmu', 'ivar'], operator: '×', field: 'BatchNormGraph.xhat',
    sum: (w, i, j) => w.product(at('xmu', i, j), at('ivar', i, j)),
  },
  gammax: {
    step: 8, formula: 'gamma × xhat', from: ['gamma', 'xhat'], operator: '×',
    field: 'gamma × BatchNormGraph.xhat',
    sum: (w, i, j) => w.product(at('gamma', i, j), at('xhat', i, j)),
  },
  out: {
    step: 9, formula: 'gammax + beta', from: ['gammax', 'beta'], operator: '+', field: 'forward(x)',
    sum: (w, i, j) => w.sum([at('gammax', i, j), at('beta', i, j)]),
  },
};

/**
 * A gradient is the one that arrives times the local derivative, summed over the rows (sums) where
 * all rows share the input. Or two branches meet and add: then there is no local derivative.
 */
const BACKWARD = {
  dout: {step: 9, of: 'out', formula: 'dout', from: [], field: 'dout of backwardGraph(dout)'},
  dbeta: {
    step: 9, of: 'beta', formula: 'Σ dout', from: ['dout'], sums: true,
    local: {text: '1', at: () => 1},
    sum: (w, i, j) => w.column('dout', j),
  },
  dgammax: {
    step: 9, of: 'gammax', formula: 'dout', from: ['dout'],
    local: {text: '1', at: () => 1},
    sum: (w, i, j) => w.number(at('dout', i, j)),
  },
  dgamma: {
    step: 8, of: 'gamma', formula: 'Σ dgammax × xhat', from: ['dgammax', 'xhat'], sums: true,
    local: {node: 'xhat'},
    sum: (w, i, j) => w.products('dgammax', 'xhat', j),
  },
  dxhat: {
    step: 8, of: 'xhat', formula: 'dgammax × gamma', from: ['dgammax', 'gamma'],
    local: {node: 'gamma'},
    sum: (w, i, j) => w.product(at('dgammax', i, j), at('gamma', i, j)),
  },
  divar: {
    step: 7, of: 'ivar', formula: 'Σ dxhat × xmu', from: ['dxhat', 'xmu'], sums: true,
    local: {node: 'xmu'},
    sum: (w, i, j) => w.products('dxhat', 'xmu', j),
  },
  dxmu1: {
    step: 7, of: 'xmu', formula: 'dxhat × ivar', from: ['dxhat', 'ivar'],
    local: {node: 'ivar'},
    sum: (w, i, j) => w.product(at('dxhat', i, j), at('ivar', i, j)),
  },
  dsqrtvar: {
    step: 6, of: 'sqrtvar', formula: '−1 / sqrtvar² × divar', from: ['divar', 'sqrtvar'],
    local: {
      text: '−1 / sqrtvar²',
      oneRow: true, at: (i, j) => -1 / at('sqrtvar', i, j) / at('sqrtvar', i, j),
    },
    sum: (w, i, j) => {
      const root = w.operand(at('sqrtvar', i, j));
      return `${w.minus}1${w.over}(${w.square(root)})${w.times}${w.operand(at('divar', i, j))}`;
    },
  },
  dvar: {
    step: 5, of: 'var', formula: '0.5 / sqrtvar × dsqrtvar', from: ['dsqrtvar', 'sqrtvar'],
    local: {text: '0.5 / sqrtvar', oneRow: true, at: (i, j) => 0.5 / at('sqrtvar', i, j)},
    sum: (w, i, j) =>
      `0.5${w.over}${w.operand(at('sqrtvar', i, j))}${w.times}${w.operand(at('dsqrtvar', i, j))}`,
  },
  dsq: {
    step: 4, of: 'sq', formula: 'dvar / N', from: ['dvar'],
    local: {text: `1 / N = 1 / ${N}`, at: () => 1 / N},
    sum: (w, i, j) => `${w.number(at('dvar', i, j))}${w.over}${N}`,
  },
  dxmu2: {
    step: 3, of: 'xmu', formula: '2 × xmu × dsq', from: ['dsq', 'xmu'],
    local: {text: '2 × xmu', at: (i, j) => 2 * at('xmu', i, j)},
    sum: (w, i, j) => w.product(2, at('xmu', i, j), at('dsq', i, j)),
  },
  dx1: {
    step: 2, of: 'x', formula: 'dxmu1 + dxmu2', from: ['dxmu1', 'dxmu2'],
    sum: (w, i, j) => w.sum([at('dxmu1', i, j), at('dxmu2', i, j)]),
  },
  dmu: {
    step: 2, of: 'mu', formula: '−Σ dx1', from: ['dx1'], sums: true,
    local: {text: '−1', at: () => -1},
    sum: (w, i, j) => `${w.minus}(${w.column('dx1', j)})`,
  },
  dx2: {
    step: 1, of: 'x', formula: 'dmu / N', from: ['dmu'],
    local: {text: `1 / N = 1 / ${N}`, at: () => 1 / N},
    sum: (w, i, j) => `${w.number(at('dmu', i, j))}${w.over}${N}`,
  },
  dx: {
    step: 0, of: 'x', formula: 'dx1 + dx2', from: ['dx1', 'dx2'],
    sum: (w, i, j) => w.sum([at('dx1', i, j), at('dx2', i, j)]),
  },
};
for (const [name, gradient] of Object.entries(BACKWARD)) {
  gradient.backward = true;
  gradient.field ??= `BatchNormBackwardGraph.${name}`;
}
const NODES = {...FORWARD, ...BACKWARD};

/** The node at whose operation a gradient is computed: dxmu1 and divar at xhat, dx at x. */
const operationOf = gradient => BACKWARD[gradient].step === 0 ? 'x'
  : Object.keys(FORWARD).find(name => FORWARD[name].step === BACKWARD[gradient].step);

/**
 * A usual change of a node in column j, in the node's own unit. A gradient times that change has no
 * unit, so the gradients of two nodes can be compared.
 */
function scaleOf(node, j) {
  switch (node) {
    case 'x': case 'mu': case 'xmu': return Math.sqrt(at('var', 0, j));
    case 'sq': case 'var': return at('var', 0, j);
    case 'sqrtvar': case 'ivar': return at(node, 0, j);
    default: return 1; // normalized
  }
}

const derivative = (local, i, j) => local.node ? at(local.node, i, j) : local.at(i, j);

/** The gradient in the lower half of a node's box: all that has arrived there. */
const TOTAL = {
  x: 'dx', mu: 'dmu', xmu: 'dx1', sq: 'dsq', var: 'dvar', sqrtvar: 'dsqrtvar', ivar: 'divar',
  xhat: 'dxhat', gamma: 'dgamma', gammax: 'dgammax', beta: 'dbeta', out: 'dout',
};

// ---- The steps ----

const FORWARD_SAYS = [
  'The mini-batch x has N rows and D features. gamma and beta are what the layer learns. Step forward to compute the first node.',
  'The mean of each feature: the sum of its column, divided by N.',
  'Each value less the mean of its feature. x feeds two steps, 1 and 2: backward, two branches will meet in x.',
  'The square of each centred value. xmu feeds two steps, 3 and 7: backward, two branches will meet in xmu.',
  'The mean of the squares of each feature: the population variance, which divides by N.',
  `The standard deviation of each feature. ε = ${short(values.epsilon)} keeps the root above 0.`,
  'The inverse of the standard deviation, once for each feature.',
  'The normalized value: each feature now has the mean 0 and the variance var / (var + ε).',
  'The learned scale of each feature.',
  'The learned shift of each feature. This is the output; the next layer goes on with it.',
];
const BACKWARD_SAYS = [
  'Two branches meet in x, from steps 2 and 1: their gradients add. This is what the layer before receives.',
  'A mean gives each of its N rows the same share: 1 / N.',
  'Two branches meet in xmu, from steps 7 and 3: their gradients add. The subtraction hands the sum to x as it is, and to mu with the other sign. All rows share mu, so the rows are summed.',
  'The derivative of a square. This is the second branch into xmu.',
  'A mean gives each of its N rows the same share: 1 / N.',
  'The derivative of a root is 0.5 divided by the root.',
  'The derivative of 1 / s is −1 / s².',
  'A product hands to each factor the gradient times the other factor. All rows share ivar, so the rows are summed. dxmu1 is the first branch into xmu and waits there for the second.',
  'A product hands to each factor the gradient times the other factor. All rows share gamma, so the rows are summed.',
  'dout arrives from the next layer. A sum hands its gradient on to both terms as it is. All rows share beta, so the rows are summed.',
];
/** Where the library computes the same in another way, the last digits may differ. */
const ROUNDING = {
  f2: 'Up to rounding: the library also subtracts the rounding error of mu.',
  b2: 'Up to rounding: the library computes dmu as −Σ dout × gamma × ivar, as Σ dxmu2 is 0.',
  b0: 'Up to rounding: the library adds in another order.',
};

const STEPS = [
  ...FORWARD_SAYS.map((says, number) => ({key: String(number), number, says, backward: false})),
  ...BACKWARD_SAYS.map((says, number) => ({key: `b${number}`, number, says, backward: true})).reverse(),
];
const stepOf = name =>
  STEPS.findIndex(s => s.backward === !!NODES[name].backward && s.number === NODES[name].step);
for (const [k, step] of STEPS.entries()) {
  step.makes = Object.keys(NODES).filter(name => stepOf(name) === k);
  step.from = [...new Set(step.makes.flatMap(name => NODES[name].from))];
}
STEPS[0].title = 'Start: the inputs';
for (const step of STEPS.slice(1)) {
  step.title = step.backward
    ? `Backward, step ${step.number}: ${step.makes.filter(name => NODES[name].from.length).join(' and ')}`
    : `Forward, step ${step.number} of 9: ${step.makes}`;
}
const formulaOf = name => NODES[name].from.length ? `${name} = ${NODES[name].formula}` : name;
