// Copy a text, and save a file.
import { byId, button, make, tell } from "./dom.js";

/** Copy a text; where the browser forbids that, it is shown to be copied by hand. */
export async function copied(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    tell(`${what} was copied.`);
  } catch {
    const sheet = byId("sheet");
    const box = make("textarea", { readonly: true, rows: 16, "aria-label": what });
    box.value = text;
    sheet.replaceChildren(make("h2", { id: "sheet-title" }, `${what}, to be copied`), box, make("p", null, button("Close", () => sheet.close())));
    sheet.showModal();
    box.select();
  }
}

export function saved(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  tell(`${name} was saved.`);
}
