// What lines and areas are, once for all pictures.
export function render({ model }) {
  const list = document.createElement("ul");
  list.setAttribute("aria-label", "Legend");
  const show = () => list.replaceChildren(...model.entries.map(entry => {
    const item = document.createElement("li"), key = document.createElement("span");
    key.className = `key ${entry.kind}`;
    key.style.color = entry.colour;
    key.style.opacity = entry.opacity;
    item.append(key, entry.name);
    return item;
  }));
  model.on("entries", show);
  show();
  return list;
}
