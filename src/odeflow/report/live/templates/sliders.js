// A slider and a number for each quantity. The next values are sent once the last were answered.
const STEPS = 400;

export function render({ model }) {
  const root = document.createElement("div");
  root.className = "rows";
  let values = { ...model.values }, slices = new Set(model.slices), waiting = false, changed = false;
  const rows = new Map();

  function send() {
    if (waiting) { changed = true; return; }
    waiting = true;
    changed = false;
    model.asked = { values: { ...values }, slices: [...slices], number: model.answered + 1 };
  }
  model.on("answered", () => {
    waiting = false;
    if (changed) send();
  });

  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => { if (model.dark !== scheme.matches) model.dark = scheme.matches; };
  scheme.addEventListener("change", follow);
  follow();

  const shown = value => String(Number(value.toPrecision(5)));
  const at = (row, place) => row.log
    ? row.low * (row.high / row.low) ** (place / STEPS)
    : row.low + (row.high - row.low) * place / STEPS;
  const place = (row, value) => {
    const part = row.log ? Math.log(value / row.low) / Math.log(row.high / row.low)
                         : (value - row.low) / (row.high - row.low);
    return Math.round(STEPS * Math.min(Math.max(part, 0), 1));
  };

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function put(row, value) {
    values[row.name] = value;
    const { slider, number } = rows.get(row.name);
    slider.value = place(row, value);
    slider.setAttribute("aria-valuetext", `${shown(value)} ${row.units}`);
    number.value = shown(value);
  }

  function rowOf(row, index) {
    const id = `quantity-${index}`;
    const slider = element("input", { type: "range", min: 0, max: STEPS, step: 1, id });
    const number = element("input", { type: "number", step: "any", id: `${id}-number` });
    number.setAttribute("aria-label", `${row.label}, as a number`);
    rows.set(row.name, { slider, number });
    slider.addEventListener("input", () => {
      const value = at(row, Number(slider.value));
      put(row, row.whole ? Math.round(value) : Number(value.toPrecision(5)));
      send();
    });
    number.addEventListener("change", () => {
      const value = Number(number.value);
      if (number.value === "" || !Number.isFinite(value)) { put(row, values[row.name]); return; }
      put(row, value);
      send();
    });
    const name = element("label", { className: "name", htmlFor: id, textContent: row.label });
    const units = element("span", { className: "units", textContent: row.units });
    const made = element("div", { className: "row" }, name,
                         element("span", { className: "value" }, number, units), slider);
    if (row.slice) {
      const box = element("input", { type: "checkbox", checked: slices.has(row.name) });
      box.addEventListener("change", () => {
        if (box.checked) slices.add(row.name); else slices.delete(row.name);
        send();
      });
      made.append(element("label", { className: "slice" }, box, row.slice));
    }
    put(row, values[row.name]);
    return made;
  }

  const first = model.rows.filter(row => row.first), rest = model.rows.filter(row => !row.first);
  first.forEach((row, i) => root.append(rowOf(row, i)));
  if (rest.length) {
    const inner = element("div", { className: "inner" });
    rest.forEach((row, i) => inner.append(rowOf(row, first.length + i)));
    const words = `${rest.length} more: parameters and initial values`;
    root.append(element("details", { open: !first.length }, element("summary", { textContent: words }), inner));
  }
  const back = element("button", { type: "button", textContent: "Back to where it began" });
  back.addEventListener("click", () => {
    for (const row of model.rows) put(row, row.value);
    send();
  });
  root.append(back);
  return root;
}
