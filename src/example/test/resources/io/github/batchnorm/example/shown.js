// By node, by "row,column": the number in full, a space, the number as it is seen.
const [selector] = arguments;
const shown = {};
for (const button of document.querySelectorAll(`${selector} [data-cell]`)) {
  const [node, i, j] = button.dataset.cell.split(',');
  (shown[node] ??= {})[`${i},${j}`] = `${button.title} ${button.textContent}`;
}
return shown;
