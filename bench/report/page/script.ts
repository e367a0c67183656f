/**
 * What the page does by itself: the theme, one time that all plots are read at, and the record as a file. Everything is there without it. It takes the
 * values from the tables of the figures.
 */
export const SCRIPT = `
const root = document.documentElement;
document.getElementById('theme').addEventListener('click', () => {
  const dark = getComputedStyle(root).colorScheme === 'dark' ||
    (!root.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  root.dataset.theme = dark ? 'light' : 'dark';
});

const plots = [...document.querySelectorAll('figure.plot')].map((figure) => {
  const area = figure.querySelector('.area');
  const cursor = area.appendChild(document.createElement('div'));
  cursor.className = 'cursor';
  const label = cursor.appendChild(document.createElement('b'));
  const rows = [...figure.querySelectorAll('table.read tbody tr')];
  const times = rows.map((row) => Number(row.dataset.at));
  const outputs = [...figure.querySelectorAll('output')];
  return { figure, area, cursor, label, rows, times, outputs };
});
const total = Number(document.body.dataset.seconds);
const pad = (value) => String(value).padStart(2, '0');
const clock = (at) => {
  if (total <= 120) return at.toFixed(1) + ' s';
  const [h, m, s] = [Math.floor(at / 3600), Math.floor(at / 60) % 60, Math.floor(at) % 60];
  return h > 0 ? h + ':' + pad(m) + ':' + pad(s) : m + ':' + pad(s);
};

/** The last row that is not after a time. */
const rowAt = (times, at) => {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

let reading;
const read = (at, from) => {
  reading = at;
  document.body.classList.toggle('reading', at !== undefined);
  for (const { area, cursor, label, rows, times, outputs } of plots) {
    const row = at === undefined ? undefined : rows[rowAt(times, at)];
    for (const output of outputs) output.value = row ? row.cells[Number(output.dataset.column) + 1].textContent : '';
    if (at === undefined) continue;
    cursor.style.left = (at / total) * 100 + '%';
    label.textContent = clock(at);
    label.hidden = area !== from;
  }
};
for (const { figure, area } of plots) {
  area.addEventListener('pointermove', (event) => {
    const box = area.getBoundingClientRect();
    read(Math.min(total, Math.max(0, ((event.clientX - box.left) / box.width) * total)), area);
  });
  area.addEventListener('pointerleave', (event) => {
    if (event.pointerType === 'mouse') read(undefined);
  });
  figure.querySelector('.box').addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === 'Escape') read(undefined);
    if (step === undefined) return;
    event.preventDefault();
    const by = Math.max(1, total / 200) * step * (event.shiftKey ? 10 : 1);
    read(Math.min(total, Math.max(0, (reading ?? 0) + by)), area);
  });
}

const record = document.getElementById('record').textContent;
document.getElementById('download').addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([record], { type: 'application/json' }));
  link.download = document.body.dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
const copy = document.getElementById('copy');
copy.addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(record);
    copy.textContent = 'Copied';
  } catch {
    copy.textContent = 'Not allowed here: use Download';
  }
});
`;
