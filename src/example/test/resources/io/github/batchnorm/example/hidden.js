// What a person who steps on a phone would have to scroll to.
const sheet = document.getElementById('controls').getBoundingClientRect();
const hidden = [];
function expect(selector, elements, top, bottom) {
  const seen = elements.map(element => element.getBoundingClientRect())
    .every(area => area.height > 0 && area.top >= top && area.bottom <= bottom);
  if (!seen) {
    hidden.push(selector);
  }
}
for (const selector of ['#position', '#says', '#sum .short', '#back', '#forward', '#run']) {
  expect(selector, [...document.querySelectorAll(selector)], sheet.top, innerHeight);
}
expect('the first node', [document.querySelector('.node.now .box')], 0, sheet.top);
return hidden;
