// Files dropped anywhere on the page.

/** Give dropped files to `add(files)`; `area` shows that they are welcome. Folders are left out. */
export function acceptDrops(area, add) {
  let depth = 0; // dragenter and dragleave come for every element below
  const mark = (change) => {
    depth = change === 0 ? 0 : depth + change;
    area.classList.toggle("over", depth > 0);
  };
  document.addEventListener("dragenter", () => mark(1));
  document.addEventListener("dragleave", () => mark(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(0);
    const items = [...event.dataTransfer.items].filter((item) => !item.webkitGetAsEntry?.()?.isDirectory);
    add(items.map((item) => item.getAsFile()).filter(Boolean));
  });
}
