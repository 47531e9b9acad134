// What cannot be read, in all steps: what is cut off, too small, or lies on something else.

const CLEAR = 2; // pixels between a text and a line beside it
const width = document.documentElement.clientWidth;
const faults = [];
let where = '';
const expect = (good, fault) => good || faults.push(`${where}: ${fault}`);
const box = element => element.getBoundingClientRect();
const sizeOf = element => parseFloat(getComputedStyle(element).fontSize);

/** The lines of a text have room above and below the letters: 3 pixels of them may overlap. */
const apart = (a, b, clear) => a.right + clear <= b.left || b.right + clear <= a.left
  || a.bottom <= b.top + 3 || b.bottom <= a.top + 3;

function checkPicture() {
  const svg = document.querySelector('#graph svg');
  const frame = box(svg);
  const scale = frame.width / svg.viewBox.baseVal.width;
  const texts = [...svg.querySelectorAll('text')]
    .filter(text => text.textContent && getComputedStyle(text).visibility === 'visible');
  const nodes = [...svg.querySelectorAll('.box')].map(box);
  for (const text of texts) {
    const area = box(text);
    const {textContent} = text;
    expect(sizeOf(text) * scale >= (width === 360 ? 10.9 : 11.9), `${textContent} is too small`);
    expect(area.left >= frame.left && area.right <= frame.right && area.bottom <= frame.bottom,
      `${textContent} leaves the picture`);
    const own = text.closest('.node')?.querySelector('.box');
    if (own) {
      expect(area.left >= box(own).left && area.right <= box(own).right, `${textContent} leaves its box`);
    } else {
      expect(nodes.every(node => apart(area, node, CLEAR)), `${textContent} is not clear of a box`);
    }
    if (text.closest('.mini')) {
      const cell = box(text.previousElementSibling);
      expect(area.left - cell.left >= CLEAR && cell.right - area.right >= CLEAR,
        `${textContent} is not clear of its frame`);
    }
  }
  const areas = texts.map(box);
  texts.forEach((text, k) => texts.slice(0, k).forEach((other, l) =>
    expect(apart(areas[k], areas[l], -1), `${text.textContent} lies on ${other.textContent}`)));
}

function checkPage() {
  expect(document.documentElement.scrollWidth <= width, 'the page is wider than the screen');
  for (const element of document.querySelectorAll('main p, main button, figcaption, h1, h2, h3, td')) {
    const area = box(element);
    if (area.width > 1) {
      expect(element.closest('.scroll') || area.left >= 0 && area.right <= width,
        `${element.textContent} is cut off`);
      expect(sizeOf(element) >= 12, `${element.textContent} is too small`);
    }
  }
  for (const button of document.querySelectorAll('#bar button')) {
    const range = document.createRange();
    range.selectNodeContents(button);
    const lines = new Set([...range.getClientRects()].map(line => line.bottom));
    expect(lines.size === 1, `${button.textContent} does not stand on one line`);
  }
}

STEPS.forEach((step, k) => {
  where = step.key;
  change({step: k});
  checkPicture();
  checkPage();
});
return faults;
