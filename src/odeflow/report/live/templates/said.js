// A line of text that a screen reader says when it changes.
export function render({ model }) {
  const line = document.createElement("output");
  line.setAttribute("aria-live", "polite");
  const show = () => { line.textContent = model.text; };
  model.on("text", show);
  show();
  return line;
}
