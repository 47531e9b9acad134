// Of each text and arrow of the picture: its name, its contrast, the least that WCAG 2 AA asks for.
const parse = color => color.match(/[\d.]+/g).map(Number);
const over = ([r, g, b, a = 1], below) => [r, g, b].map((c, k) => a * c + (1 - a) * below[k]);
const luminance = color => color.map(c => c / 255)
  .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
const contrast = (a, b) => {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
};
const paper = parse(getComputedStyle(document.body).backgroundColor);
const fill = element => parse(getComputedStyle(element).fill);
const found = [];
for (const text of document.querySelectorAll('#graph text')) {
  const box = text.closest('.node')?.querySelector('.box');
  let below = box ? over(fill(box), paper) : paper;
  const tint = text.previousElementSibling;
  if (text.closest('.mini') && getComputedStyle(tint).fill !== 'none') {
    below = over(fill(tint), below);
  }
  found.push([text.textContent, contrast(fill(text), below), 4.5]);
}
for (const line of document.querySelectorAll('.arrow:not(.ahead) polyline')) {
  found.push(['arrow', contrast(parse(getComputedStyle(line).stroke), paper), 3]);
}
return found;
