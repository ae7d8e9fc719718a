// What is kept: the history of answers, and snapshots of rankings with what differs between two.
import { get, post, query } from "./api.js";
import { bdi, button, byId, make, note, several, tell, whole } from "./dom.js";
import { chips } from "./parts.js";

const listOf = (found) => (Array.isArray(found) ? found : Object.values(found).find(Array.isArray) || []);
const when = (made) => {
  const date = new Date(typeof made === "number" ? made * 1000 : made);
  return Number.isNaN(date.getTime()) ? String(made) : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
};

/** A dialog with a title; the element that its content goes into. */
export function sheetOf(title, ...parts) {
  const sheet = byId("sheet");
  const body = make("div", { class: "sheet-body" }, parts);
  sheet.replaceChildren(make("div", { class: "panel-head" }, make("h2", { id: "sheet-title", tabindex: -1 }, title), button("×", () => sheet.close(), { class: "cross", "aria-label": "Close" })), body);
  if (!sheet.open) sheet.showModal();
  return body;
}

const failed = (error) => make("p", { class: "failed", role: "alert" }, `${error.message} ${error.todo || ""}`);

const asked = ({ kind, question }) => {
  const of = question.doc ?? (question.text ? "a text" : "");
  const what = { explain: { ranking: "Intent", document: "Why this result", pair: "Why above" }[question.question] || "Intent", compare: "Contrast", counterfactual: question.goal === "leave" ? "What drops it" : "What brings it in", missing: "Where is it", score: "Edit", search: "Search" }[kind] || kind;
  return [what, of, question.ranker || (question.rankers || []).join(" and "), question.method || ""];
};

/** Answers that were given, the newest first; `open(key)` shows one. */
export async function showHistory(collection, open) {
  const body = sheetOf("History", note("…"));
  try {
    const all = listOf(await get(`history?${query({ collection, limit: 300 })}`)).filter((one) => !["score", "search"].includes(one.kind)); // not every letter that was typed
    const find = make("input", { type: "search", dir: "auto", "aria-label": "Find in the history", placeholder: "Find", input: () => fill() });
    const list = make("ol", { class: "history" });
    const fill = () => list.replaceChildren(...all.filter((one) => JSON.stringify(one.question).toLowerCase().includes(find.value.trim().toLowerCase())).map((one) => {
      const [what, of, ranker, method] = asked(one);
      return make("li", null, make("a", { href: `/a/${encodeURIComponent(one.key)}`, click: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        byId("sheet").close();
        open(one.key);
      } }, make("b", null, what), " ", of ? [bdi(of), " "] : null, "“", bdi(one.question.query), "”"),
      make("small", null, [ranker, method].filter((part) => part).map((part) => [bdi(part), " · "]), when(one.made)));
    }));
    fill();
    body.replaceChildren(...(all.length ? [make("p", null, find), list] : [make("p", { class: "empty" }, "No answer yet. What you ask is kept here, with an address of its own.")]));
    if (all.length) find.focus();
  } catch (error) {
    body.replaceChildren(failed(error));
  }
}

/** Snapshots: keep rankings as they are, and compare two. */
export async function showSnapshots(now) {
  const body = sheetOf("Snapshots", note("…"));
  try {
    const all = listOf(await get("snapshots"));
    body.replaceChildren(newSnapshot(now), ...(all.length ? [compareForm(all)] : [make("p", { class: "empty" }, "No snapshot yet. Keep one before a change of the model and one after it, and compare them here.")]));
  } catch (error) {
    body.replaceChildren(failed(error));
  }
}

function newSnapshot(now) {
  const name = make("input", { type: "text", dir: "auto", required: true, maxlength: 200, value: `${now.ranker}, ${new Date().toLocaleDateString(undefined, { dateStyle: "medium" })}` });
  const queries = make("textarea", { rows: 4, dir: "auto", required: true });
  queries.value = [...new Set([now.query, ...now.queries].filter((one) => one))].slice(0, 100).join("\n");
  const told = make("output", { role: "status" });
  const keep = make("button", { class: "main" }, "Keep a snapshot");
  return make("form", { class: "snapshot", submit: async (event) => {
    event.preventDefault();
    keep.disabled = true;
    told.textContent = "Searching …";
    try {
      const wanted = queries.value.split("\n").map((one) => one.trim()).filter((one) => one);
      await post("snapshots", { name: name.value.trim(), collection: now.collection, queries: wanted, ranker: now.ranker, k: now.k });
      tell("The snapshot was kept.");
      if (keep.isConnected && byId("sheet").open) await showSnapshots(now); // and not where one has turned to something else
    } catch (error) {
      keep.disabled = false;
      told.textContent = `${error.message} ${error.todo || ""}`;
    }
  } }, note("The rankings of ", bdi(now.ranker), " in ", bdi(now.collection), " as they are now, for these queries, one a line."),
  make("label", null, make("span", null, "Name"), " ", name), make("label", null, make("span", null, "Queries"), " ", queries), make("p", null, keep, " ", told));
}

function compareForm(all) {
  const options = (chosen) => all.map((one, i) => make("option", { value: String(one.id ?? one.name), selected: i === chosen }, `${one.name} · ${one.ranker} · ${when(one.made)}`));
  const left = make("select", null, options(Math.min(1, all.length - 1))); // the newest one comes first
  const right = make("select", null, options(0));
  const found = make("div", { "aria-live": "polite" });
  return make("section", { class: "diff-of", "aria-label": "Compare two snapshots" }, make("h3", null, several(all.length, "snapshot")),
    make("form", { class: "row", submit: async (event) => {
      event.preventDefault();
      found.replaceChildren(note("…"));
      try {
        found.replaceChildren(...difference(await get(`diff?${query({ left: left.value, right: right.value })}`)));
      } catch (error) {
        found.replaceChildren(failed(error));
      }
    } }, make("label", null, make("span", null, "Before"), " ", left), make("label", null, make("span", null, "After"), " ", right), make("button", null, "Compare")), found);
}

function difference(diff) {
  const changed = diff.queries.filter((one) => one.moved.length + one.entered.length + one.left.length > 0);
  const parts = [make("p", { class: "verdict" }, make("b", { class: "badge" }, changed.length ? `${whole(changed.length)} of ${whole(diff.queries.length)} queries differ` : "No difference"),
    make("span", null, changed.length ? "Ranks before and after; what entered and what left." : `The rankings of ${several(diff.queries.length, "query", "queries")} are the same.`))];
  for (const [names, which] of [[diff.only_left, "before"], [diff.only_right, "after"]]) if (names?.length) parts.push(note(`Only ${which}: `), chips(names));
  for (const one of changed) {
    const rows = [
      ...one.moved.map((doc) => [doc, `${doc.rank_after < doc.rank_before ? "▲" : "▼"}${whole(Math.abs(doc.rank_after - doc.rank_before))}`, doc.rank_after < doc.rank_before ? "up" : "down"]),
      ...one.entered.map((doc) => [doc, "entered", "up"]), ...one.left.map((doc) => [doc, "left", "down"]),
    ].sort((a, b) => (a[0].rank_after ?? a[0].rank_before) - (b[0].rank_after ?? b[0].rank_before));
    parts.push(make("h4", null, "“", bdi(one.query), "” ", make("small", null, `${several(one.unchanged, "document")} as before`)), make("div", { class: "scroll" }, make("table", { "aria-label": `What differs for ${one.query}` },
      make("thead", null, make("tr", null, ["document", "before", "after", ""].map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", null, rows.map(([doc, text, way]) => make("tr", null, make("th", { scope: "row" }, bdi(doc.doc_id)), make("td", { class: "n" }, whole(doc.rank_before)), make("td", { class: "n" }, whole(doc.rank_after)), make("td", { class: way }, text)))))));
  }
  return parts;
}
