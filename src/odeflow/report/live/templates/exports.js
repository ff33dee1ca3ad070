// Buttons for files, which come over the page's own connection.
export function render({ model }) {
  const list = document.createElement("div");
  list.className = "buttons";
  for (const [kind, words] of Object.entries(model.kinds)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    button.addEventListener("click", () => { model.asked = { kind, at: performance.now() }; });
    list.append(button);
  }
  model.on("file", () => {
    if (!model.file.name) return;
    const bytes = Uint8Array.from(atob(model.file.content), letter => letter.charCodeAt(0));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes]));
    link.download = model.file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
  return list;
}
