// Of each number that the step makes: its cell, its label and the expression behind it.
return [...document.querySelectorAll('#equations .result [data-cell]')].map(button => {
  button.focus();
  const sum = document.getElementById('expression');
  const label = document.querySelector('#sum .short').textContent.split(' = ')[0];
  return sum && [button.dataset.cell, label, sum.textContent];
}).filter(Boolean);
