"use strict";
// Points of the design on the left, time courses on the right; what is selected on one side is drawn on the other.
// It begins when it comes near the window, so that what stands above it is there at once.
new IntersectionObserver((seen, observer) => {
if (!seen.some(one => one.isIntersecting)) return;
observer.disconnect();
const data = JSON.parse(document.getElementById("explorer-data").textContent);
const find = id => document.getElementById(id);

// ---- numbers: columns are 32-bit floats, courses 16-bit parts of a variable's range
const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer;
const columns = data.columns.map(one => ({...one, values: new Float32Array(bytes(one.data))}));
const variables = data.variables.map(one => ({...one, parts: new Uint16Array(bytes(one.data))}));
const times = data.time.values, count = columns[0].values.length, length = times.length;
const MISSING = 65535;
const courseOf = new Map(data.courses.map((point, row) => [point, row]));
function valueAt(variable, row, step) {
  const part = variable.parts[row * length + step];
  if (part === MISSING) return NaN;
  const share = part / (MISSING - 1);
  return variable.log ? variable.low * (variable.high / variable.low) ** share
                      : variable.low + (variable.high - variable.low) * share;
}
const number = x => Number.isFinite(x) ? String(Number(x.toPrecision(4))) : "none";

// ---- state
let x, y, colour, variable, brush = null, picked = null, hovered = null, zoom = null;
const selected = point => brush === null || (x.values[point] >= brush[0] && x.values[point] <= brush[1]);

// ---- scales and axes
function scale(low, high, log, from, to) {
  if (!(high > low)) { const by = Math.abs(low) * 0.05 || 1; low -= log ? 0 : by; high = log ? low * 10 : high + by; }
  const f = log ? Math.log10 : v => v, a = f(low), b = f(high);
  const place = v => from + (f(v) - a) / (b - a) * (to - from);
  place.back = p => { const v = a + (p - from) / (to - from) * (b - a); return log ? 10 ** v : v; };
  return Object.assign(place, {low, high, log});
}
function extent(values, log) {
  let low = Infinity, high = -Infinity;
  for (const v of values) if (Number.isFinite(v) && (!log || v > 0)) { if (v < low) low = v; if (v > high) high = v; }
  return low <= high ? [low, high] : [0, 1];
}
function ticks({low, high, log}, most) {
  if (log) {
    const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
    if (last > first) {
      const step = Math.ceil((last - first + 1) / most);
      return Array.from({length: Math.floor((last - first) / step) + 1}, (_, i) => 10 ** (first + i * step));
    }
  }
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(k => k * power >= rough);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-12) && found.length < 20; i++) found.push(i * step);
  return found;
}
const raised = power => String(power).replace("+", "").replace(/./g, c => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789-".indexOf(c)]);
function label(v) {
  if (v === 0) return "0";
  if (Math.abs(v) < 1e5 && Math.abs(v) >= 1e-3) return String(Number(v.toPrecision(6))).replace("-", "−");
  const [digits, power] = Number(v.toPrecision(3)).toExponential().split("e");
  return (digits === "1" ? "" : `${digits.replace("-", "−")}·`) + `10${raised(power)}`;
}

// ---- colours, of the page's own style; the map is viridis, cut where it is too pale on white
const ink = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const VIRIDIS = [[68,1,84],[71,45,123],[59,82,139],[44,114,142],[33,145,140],[40,174,128],[94,201,98],[173,220,48],[253,231,37]];
function shade(share) {
  const at = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1), i = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return `rgb(${VIRIDIS[i].map((c, k) => Math.round(c + (VIRIDIS[i + 1][k] - c) * (at - i)))})`;
}

// ---- a canvas with a frame, an axis on the left and one below
function prepare(canvas, xScale, yScale, xLabel, yLabel, top) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio; canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = "12px system-ui, sans-serif";
  pen.strokeStyle = ink("line"); pen.fillStyle = ink("ink"); pen.lineWidth = 1;
  const box = {left: 62, right: width - 12, top, bottom: height - 42};
  const sx = scale(...xScale, box.left, box.right), sy = scale(...yScale, box.bottom, box.top);
  pen.textAlign = "center"; pen.textBaseline = "top";
  for (const v of ticks(sx, width < 420 ? 4 : 6)) {
    pen.beginPath(); pen.moveTo(sx(v), box.top); pen.lineTo(sx(v), box.bottom + 4); pen.stroke();
    pen.fillText(label(v), sx(v), box.bottom + 6);
  }
  pen.fillText(fit(pen, xLabel, box.right - box.left), (box.left + box.right) / 2, box.bottom + 23);
  pen.textAlign = "right"; pen.textBaseline = "middle";
  for (const v of ticks(sy, 6)) {
    pen.beginPath(); pen.moveTo(box.left - 4, sy(v)); pen.lineTo(box.right, sy(v)); pen.stroke();
    pen.fillText(label(v), box.left - 7, sy(v));
  }
  pen.save(); pen.translate(11, (box.top + box.bottom) / 2); pen.rotate(-Math.PI / 2);
  pen.textAlign = "center"; pen.fillText(fit(pen, yLabel, box.bottom - box.top), 0, 0); pen.restore();
  return {pen, box, sx, sy};
}
function fit(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  while (text.length > 4 && pen.measureText(text + "…").width > room) text = text.slice(0, -1);
  return text + "…";
}

// ---- the design: cells where both axes are a grid's, else points
let left, right;
function drawDesign() {
  const canvas = find("design");
  const frame = left = prepare(canvas, [...widened(x), x.log], [...widened(y), y.log], x.label, y.label, colour ? 34 : 8);
  const {pen, box, sx, sy} = frame;
  const range = colour ? extent(colour.values, colour.log) : null;
  const shareOf = colour && scale(range[0], range[1], colour.log, 0, 1);
  const cell = x.levels && y.levels && x !== y
    ? [(box.right - box.left) / x.levels, (box.bottom - box.top) / y.levels] : null;
  for (let i = 0; i < count; i++) {  // whole pixels, or seams would show between cells
    const px = sx(x.values[i]), py = sy(y.values[i]);
    if (!Number.isFinite(px) || !Number.isFinite(py)) continue;
    const known = !colour || Number.isFinite(colour.values[i]);
    pen.globalAlpha = selected(i) ? (cell ? 1 : .75) : .12;
    pen.fillStyle = !known ? ink("faint") : colour ? shade(shareOf(colour.values[i])) : ink("accent");
    if (cell) pen.fillRect(Math.round(px - cell[0] / 2), Math.round(py - cell[1] / 2), Math.ceil(cell[0]) + 1, Math.ceil(cell[1]) + 1);
    else { pen.beginPath(); pen.arc(px, py, count > 1500 ? 1.8 : 3, 0, 7); pen.fill(); }
  }
  pen.globalAlpha = 1;
  if (colour) {
    const from = box.left, to = box.right, step = (to - from) / 60;
    for (let i = 0; i < 60; i++) { pen.fillStyle = shade(i / 59); pen.fillRect(from + i * step, 16, step + .5, 9); }
    pen.fillStyle = ink("ink"); pen.textBaseline = "bottom";
    pen.textAlign = "left"; pen.fillText(number(range[0]), from, 14);
    pen.textAlign = "right"; pen.fillText(number(range[1]), to, 14);
    pen.textAlign = "center"; pen.fillText(fit(pen, colour.label, to - from - 110), (from + to) / 2, 14);
  }
  if (brush) {
    const edges = brush.map(v => Math.min(Math.max(sx(v), box.left), box.right));
    pen.strokeStyle = ink("mark"); pen.lineWidth = 1.5;
    pen.strokeRect(edges[0], box.top, edges[1] - edges[0], box.bottom - box.top);
  }
  const point = hovered ?? picked;
  if (point !== null) {
    pen.strokeStyle = ink("mark"); pen.lineWidth = 2.5; pen.beginPath();
    pen.arc(sx(x.values[point]), sy(y.values[point]), 7, 0, 7); pen.stroke();
  }
}
function widened(column) {
  const [low, high] = extent(column.values, column.log);
  const by = column.levels > 1 ? .5 / (column.levels - 1) : .03;
  return column.log ? [low / (high / low) ** by, high * (high / low) ** by] : [low - by * (high - low), high + by * (high - low)];
}

// ---- time courses: all that are kept in grey, those selected in colour, the picked one over them
function drawCourses() {
  const whole = [times[0], times[length - 1]];
  const log = data.time.log && times[0] > 0, t = zoom ? zoom.t : whole;
  const v = zoom ? zoom.v : [variable.low, variable.high];
  const frame = right = prepare(find("courses"), [t[0], t[1], log], [v[0], v[1], variable.log], data.time.label, variable.label, 8);
  const {pen, box, sx, sy} = frame;
  pen.save(); pen.beginPath(); pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top); pen.clip();
  const rest = [], chosen = [];
  data.courses.forEach((point, row) => (brush && selected(point) ? chosen : rest).push(row));
  pen.lineWidth = .7; pen.strokeStyle = ink("faint"); pen.globalAlpha = Math.max(.12, Math.min(.7, 60 / rest.length));
  pen.beginPath(); rest.forEach(row => trace(pen, row, sx, sy)); pen.stroke();
  pen.strokeStyle = ink("accent"); pen.globalAlpha = Math.max(.25, Math.min(.9, 60 / (chosen.length || 1)));
  pen.beginPath(); chosen.forEach(row => trace(pen, row, sx, sy)); pen.stroke();
  pen.globalAlpha = 1;
  const point = hovered ?? picked;
  if (point !== null && courseOf.has(point)) {
    pen.strokeStyle = ink("mark"); pen.lineWidth = 2.2;
    pen.beginPath(); trace(pen, courseOf.get(point), sx, sy); pen.stroke();
  }
  pen.restore();
}
function trace(pen, row, sx, sy) {
  let down = false;
  for (let i = 0; i < length; i++) {
    const v = valueAt(variable, row, i), px = sx(times[i]), py = sy(v);
    if (!Number.isFinite(v) || !Number.isFinite(px)) { down = false; continue; }
    down ? pen.lineTo(px, py) : pen.moveTo(px, py); down = true;
  }
}

// ---- what is said of the picked trajectory
function say(step) {
  const point = hovered ?? picked;
  if (point === null) {
    const chosen = brush ? [...Array(count).keys()].filter(selected).length : count;
    find("said").textContent = brush ? `${chosen} of ${count} trajectories selected.` : "No trajectory picked.";
    return;
  }
  const facts = columns.filter(one => one.axis || one === y || one === colour).map(one => `${one.label}: ${number(one.values[point])}`);
  const row = courseOf.get(point);
  const at = row !== undefined && step !== undefined ? ` At ${number(times[step])}: ${variable.label} ${number(valueAt(variable, row, step))}.` : "";
  find("said").textContent = `Trajectory ${data.numbers[point]}. ${facts.join("; ")}.${at}`;
}
function redraw(step) { drawDesign(); drawCourses(); say(step); }

// ---- hands: pointer, keys, fields
const nearest = (px, py, from) => {
  let best = null, least = 900;
  for (const i of from) {
    if (!courseOf.has(i)) continue;
    const far = (left.sx(x.values[i]) - px) ** 2 + (left.sy(y.values[i]) - py) ** 2;
    if (far < least) { least = far; best = i; }
  }
  return best;
};
const all = [...Array(count).keys()];
let pending = false;
function later(action) { if (!pending) { pending = true; requestAnimationFrame(() => { pending = false; action(); }); } }
function drags(canvas, {hover, click, drag, end}) {
  let start = null;
  const place = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", event => { start = place(event); canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", event => {
    const here = place(event);
    later(() => start && Math.abs(here[0] - start[0]) > 5 ? drag(start, here) : start || hover(here));
  });
  canvas.addEventListener("pointerup", event => {
    const here = place(event), far = start && Math.abs(here[0] - start[0]) > 5;
    if (start) far ? end(start, here) : click(here);
    start = null;
  });
  canvas.addEventListener("pointercancel", () => { start = null; });
  canvas.addEventListener("pointerleave", () => { if (!start) { hovered = null; redraw(); } });
}
function setBrush(range) {
  brush = range && (range[0] <= range[1] ? range : [range[1], range[0]]);
  find("brush-from").value = brush ? number(brush[0]) : ""; find("brush-to").value = brush ? number(brush[1]) : "";
  redraw();
}
const brushed = (start, here) => setBrush([left.sx.back(start[0]), left.sx.back(here[0])]);
drags(find("design"), {
  hover: here => { hovered = nearest(...here, all); redraw(); },
  click: here => { picked = nearest(...here, all); hovered = null; redraw(); },
  drag: brushed, end: brushed,
});
const stepAt = px => { const t = right.sx.back(px); let best = 0; times.forEach((v, i) => { if (Math.abs(v - t) < Math.abs(times[best] - t)) best = i; }); return best; };
function onCourse(here) {
  const step = stepAt(here[0]);
  let best = null, least = 30;
  data.courses.forEach((point, row) => {
    if (!selected(point)) return;
    const far = Math.abs(right.sy(valueAt(variable, row, step)) - here[1]);
    if (far < least) { least = far; best = point; }
  });
  return [best, step];
}
drags(find("courses"), {
  hover: here => { const [point, step] = onCourse(here); hovered = point; redraw(step); },
  click: here => { const [point, step] = onCourse(here); picked = point; hovered = null; redraw(step); },
  drag: (start, here) => {
    drawCourses(); const {pen} = right; pen.strokeStyle = ink("mark");
    pen.strokeRect(start[0], start[1], here[0] - start[0], here[1] - start[1]);
  },
  end: (start, here) => {
    const t = [start[0], here[0]].map(right.sx.back).sort((a, b) => a - b);
    const v = Math.abs(here[1] - start[1]) > 8 ? [start[1], here[1]].map(right.sy.back).sort((a, b) => a - b) : [right.sy.low, right.sy.high];
    zoom = {t, v}; redraw();
  },
});
find("courses").addEventListener("dblclick", () => { zoom = null; redraw(); });
function step(by) {
  const among = data.courses.filter(selected);
  if (!among.length) return;
  const at = among.indexOf(picked);
  picked = among[at < 0 ? (by > 0 ? 0 : among.length - 1) : (at + by + among.length) % among.length];
  hovered = null; redraw();
}
for (const id of ["design", "courses"]) find(id).addEventListener("keydown", event => {
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") { step(event.key === "ArrowRight" ? 1 : -1); event.preventDefault(); }
  if (event.key === "Escape") { picked = hovered = zoom = null; setBrush(null); }
});
find("previous").addEventListener("click", () => step(-1));
find("following").addEventListener("click", () => step(1));
find("zoom-out").addEventListener("click", () => { zoom = null; redraw(); });
find("brush-clear").addEventListener("click", () => { picked = null; setBrush(null); });
for (const id of ["brush-from", "brush-to"]) find(id).addEventListener("change", () => {
  const [low, high] = extent(x.values, false), from = find("brush-from").value, to = find("brush-to").value;
  setBrush(from === "" && to === "" ? null : [from === "" ? low : Number(from), to === "" ? high : Number(to)]);
});

// ---- what is shown
function choose(id, among, chosen, set, none) {
  const list = find(id);
  if (none) list.add(new Option("none", ""));
  among.forEach((one, i) => list.add(new Option(one.label, String(i))));
  list.value = chosen === null ? "" : String(among.indexOf(chosen));
  list.addEventListener("change", () => { set(list.value === "" ? null : among[Number(list.value)]); redraw(); });
  set(chosen);
}
const named = name => columns.find(one => one.name === name) ?? null;
choose("pick-x", columns, named(data.shown.x), one => { x = one; brush = null; find("brush-from").value = find("brush-to").value = ""; });
choose("pick-y", columns, named(data.shown.y), one => { y = one; });
choose("pick-colour", columns, named(data.shown.colour), one => { colour = one; }, true);
choose("pick-variable", variables, variables[0], one => { variable = one; zoom = null; });
redraw();
new ResizeObserver(() => later(() => redraw())).observe(find("explore"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
}, {rootMargin: "300px"}).observe(document.getElementById("explore"));
