// The page: what is searched, what is asked, and which address that has.
import { get, Refused } from "./api.js";
import { bdi, button, byId, failure, make, note, several, tell } from "./dom.js";
import { cannotEdit, Editor } from "./edit.js";
import { showHistory, showSnapshots } from "./kept.js";
import { help, keyboard } from "./keys.js";
import { focusPanel, Panel } from "./panel.js";
import { Results } from "./results.js";
import { searchBy } from "./searching.js";

const SIZES = [10, 20, 50, 100];
const FIRST = 10; // results that a document is brought into, or dropped from
const box = { query: byId("query"), collection: byId("collection"), ranker: byId("ranker"), beside: byId("beside"), k: byId("k") };
const state = { collections: [], rankers: [], turn: null, kept: null };

// ---- what the parts of the page can do to each other
const app = {
  base: (ranker) => ({ collection: results.found.collection, query: results.found.query, ranker, k: results.found.k }),
  ask(kind, body) {
    panel.ask(kind, body).catch(failed).then(() => focusIfKeys());
  },
  address(key, fresh) {
    const path = `/a/${encodeURIComponent(key)}`;
    if (location.pathname === path) return;
    history[fresh ? "pushState" : "replaceState"]({ key }, "", path);
  },
  closePanel() {
    const back = results.current;
    panel.close();
    if (location.pathname !== "/") history.pushState({}, "", searchAddress());
    if (back?.isConnected) back.focus();
  },
  nameOf(id) {
    for (const column of results.columns) if (column.cards.has(id)) return column.cards.get(id).name;
    return id;
  },
  rankOf(ranker, id) {
    const column = results.columns.find((one) => one.ranker === ranker);
    return column ? column.rankOf(id) : null;
  },
  /** Of so many first results, a change can bring a document into them, or drop it: not all there are. */
  firstOf(ranker) {
    const column = results.columns.find((one) => one.ranker === ranker && one.done);
    return column ? Math.min(FIRST, column.order.length - 1) : FIRST;
  },
  edit(id, text) {
    const column = results.columns.find((one) => one.ranker === panel.body?.ranker && one.cards.has(id)) || results.columns.find((one) => one.cards.has(id));
    if (column) editor.open(column.cards.get(id), text);
    else cannotEdit();
  },
  mark(terms, forms, tones = null) {
    if (String([terms.join("\n"), tones]) === String([results.terms.join("\n"), results.tones])) return;
    results.mark(terms, forms, tones);
    kept = null;
  },
  asks,
  unmark: () => results.found && results.mark([]),
  point: (number) => results.point(number ?? kept),
  keep(number) {
    kept = kept === number ? null : number;
    results.point(kept);
    for (const one of document.querySelectorAll("#panel .term[data-term]")) one.setAttribute("aria-pressed", String(Number(one.dataset.term) === kept));
  },
  searchFor(text) {
    box.query.value = text;
    byId("search").requestSubmit();
  },
};
let kept = null; // the term that stays highlighted

/** Whether a ranker can be asked about texts; a recorded run cannot, and has only its whole ranking explained. */
function asks(ranker, say = false) {
  const able = state.rankers.find((one) => one.name === ranker)?.can?.scores !== false;
  if (!able && say) tell(`${ranker} is a recorded run, which cannot be asked about texts. Its whole ranking can be explained.`);
  return able;
}

const results = new Results(byId("results"), {
  explain: (ranker, doc) => app.ask("explain", { ...app.base(ranker), question: "document", doc }),
  pair: (ranker, doc, above) => app.ask("explain", { ...app.base(ranker), question: "pair", doc, above }),
  intent: (ranker) => app.ask("explain", { ...app.base(ranker), question: "ranking" }),
  edit: (card) => editor.open(card),
  cannot: tell,
  asks,
  picked(card) {
    const told = byId("picked");
    if (!told) return;
    told.hidden = !card;
    told.replaceChildren(...(card ? [bdi(card.name), " is picked. Choose another result with “… with this” (p), or ", button("let it go", () => results.setPicked(null)), "."] : []));
  },
});
app.results = results;
const panel = new Panel(byId("panel"), app);
const editor = new Editor(app);
app.panel = panel;

const narrow = matchMedia("(max-width: 900px)");
let byKey = false; // whether the last thing a person did was on the keyboard
addEventListener("keydown", () => { byKey = true; }, true);
addEventListener("pointerdown", () => { byKey = false; }, true);
const focusIfKeys = () => byKey && focusPanel();

function failed(error) {
  tell(`${error.message} ${error.todo || ""}`);
}

// ---- searching
const chosen = () => ({ query: box.query.value.trim(), collection: box.collection.value, rankers: [box.ranker.value, box.beside.value].filter((one) => one), k: Number(box.k.value) });
const searchAddress = () => {
  if (!results.found) return "/";
  const { query: q, collection: c, k } = results.found;
  return `/?${new URLSearchParams([["q", q], ["c", c], ...results.columns.map((one) => ["r", one.ranker]), ["k", k]])}`;
};

/** Search; it is over with the first results, and those of a slower ranker are put beside them. */
async function search(wanted, { push = true, quiet = false } = {}) {
  state.turn?.abort(new Error("another search"));
  const turn = new AbortController();
  state.turn = turn;
  editor.forget();
  if (!quiet) panel.close();
  const root = byId("results");
  root.setAttribute("aria-busy", "true");
  if (!quiet) root.replaceChildren(note("Searching …"));
  const slow = setTimeout(() => state.turn === turn && sayLonger(root), 2500);
  const arrived = () => {
    if (!quiet) tell(results.columns.filter((one) => one.done).map((one) => `${one.ranker}: ${several(one.order.length, "result")}`).join(", "), false);
    if (results.columns.some((one) => one.pending)) return;
    clearTimeout(slow);
    root.removeAttribute("aria-busy");
  };
  const first = (found) => {
    if (state.turn !== turn) return;
    results.show(found);
    fillBar();
    document.title = `${found.query} · intentx`;
    if (push) history.pushState({}, "", searchAddress());
    arrived();
  };
  const more = (ranking, i) => {
    if (state.turn !== turn) return;
    results.fill(ranking, i);
    if (ranking.error) fillBar();
    if (editor.active) editor.see();
    arrived();
  };
  try {
    await searchBy(wanted, turn.signal, first, more);
  } catch (error) {
    clearTimeout(slow);
    if (state.turn !== turn) return;
    root.removeAttribute("aria-busy");
    root.replaceChildren(failure(error, "No results: ", button("Search again", () => search(wanted, { push }))));
    if (quiet) throw error;
  }
}

function sayLonger(root) {
  for (const one of root.querySelectorAll(":scope > .note, .waiting")) one.textContent = "Searching … the first search by a ranker takes longer, since its model is loaded.";
}

/** What can be asked about the results as a whole. */
function fillBar() {
  const two = results.columns.filter((one) => !one.error).length > 1;
  const able = results.columns.some((one) => one.asks);
  results.bar.replaceChildren(...[
    button(two ? "Contrast their intents" : "Explain intent", intent, { class: "main", id: "intent", "aria-keyshortcuts": "I" }),
    able && button("Where is my document?", missing, { id: "missing", "aria-keyshortcuts": "M" }),
    able && button("Edit the query and see", () => editor.openQuery(), { id: "edit-query", "aria-keyshortcuts": "Q" }),
    make("p", { id: "picked", class: "picked-bar", role: "status", hidden: true }),
  ].filter((one) => one));
}

function intent() {
  if (!results.found) return;
  const [one, other] = results.columns.filter((column) => !column.error);
  if (other) app.ask("compare", { collection: results.found.collection, query: results.found.query, rankers: [one.ranker, other.ranker], k: results.found.k });
  else app.ask("explain", { ...app.base(one.ranker), question: "ranking" });
}

/** Ask for a document by its id or its text. */
function missing() {
  const able = results.found ? results.columns.filter((one) => one.asks) : [];
  if (!able.length) return results.found && asks(results.columns[0].ranker, true);
  panel.leave();
  panel.begin("missing", {});
  const ranker = make("select", { id: "missing-ranker" }, able.map((one) => make("option", null, one.ranker)));
  const id = make("input", { type: "text", id: "missing-id", dir: "auto", autocomplete: "off", maxlength: 1000 });
  const text = make("textarea", { id: "missing-text", rows: 6, dir: "auto", maxlength: 100000 });
  const told = make("p", { class: "reason", role: "alert" });
  panel.turn = null;
  panel.root.replaceChildren(make("header", { class: "panel-head" }, make("h2", { tabindex: -1 }, "Where is my document?"), button("×", () => app.closePanel(), { class: "cross", "aria-label": "Close the explanation" })),
    note("Why a document is not among the results for “", bdi(results.found.query), "”: at which stage it was lost, its rank, and what it lacks."),
    make("form", { class: "missing", submit: (event) => {
      event.preventDefault();
      const given = id.value.trim() ? { doc: id.value.trim() } : text.value.trim() ? { text: text.value } : null;
      if (given) app.ask("missing", { ...app.base(ranker.value), top: results.found.k, ...given }); // what is listed is found
      else told.textContent = "Give an id, or paste the text.";
    } }, able.length > 1 ? make("label", null, make("span", null, "Ranker"), " ", ranker) : null,
    make("label", null, make("span", null, "Its id"), " ", id), make("label", null, make("span", null, "or its text"), " ", text), told, make("p", null, make("button", { class: "main" }, "Find it"))));
  return id.focus();
}

// ---- the form
function options(select, items, chosenOne) {
  select.replaceChildren(...items.map(([value, text, more]) => make("option", { value, selected: value === chosenOne, ...more }, text)));
}

/** Rankers that can search the collection. */
function offerRankers(wanted = []) {
  const fits = state.rankers.filter((one) => !one.collections?.length || one.collections.includes(box.collection.value));
  const item = (one) => [one.name, one.error ? `${one.name} (cannot be used)` : one.name, { disabled: Boolean(one.error), title: one.error || one.spec }];
  const usable = fits.filter((one) => !one.error).map((one) => one.name);
  const first = usable.includes(wanted[0]) ? wanted[0] : usable[0];
  options(box.ranker, fits.map(item), first);
  options(box.beside, [["", "none"], ...fits.map(item)], usable.includes(wanted[1]) ? wanted[1] : "");
}

function fill(wanted) {
  if (wanted.query !== undefined) box.query.value = wanted.query;
  const names = state.collections.map((one) => one.name);
  const collection = names.includes(wanted.collection) ? wanted.collection : names.includes(box.collection.value) ? box.collection.value : names[0];
  options(box.collection, state.collections.map((one) => [one.name, one.name, { title: several(one.documents, "document") }]), collection);
  offerRankers(wanted.rankers || [box.ranker.value, box.beside.value]);
  const k = wanted.k || Number(box.k.value) || 20;
  options(box.k, [...new Set([...SIZES, k])].sort((a, b) => a - b).map((size) => [String(size), String(size)]), String(k));
  byId("collection").closest("label").hidden = names.length < 2;
}

/** What one sees before the first search. */
function welcome() {
  const here = state.collections.find((one) => one.name === box.collection.value);
  byId("results").replaceChildren(make("div", { class: "welcome" }, make("h2", null, "Search, and ask why"),
    make("p", null, "Rank ", here ? [several(here.documents, "document"), " of ", bdi(here.name)] : "documents", " with one ranker, or with two beside each other. Then ask which terms explain its order, which words put a result where it is, and what would change that."),
    here?.queries?.length ? [make("p", { class: "note" }, "Queries to begin with:"), make("p", { class: "chips" }, here.queries.slice(0, 24).map((text) => button([bdi(text)], () => app.searchFor(text), { class: "chip" })))] : null,
    make("p", { class: "note" }, "Press ", make("kbd", null, "?"), " for the keyboard.")));
  document.title = "intentx: search, and ask why";
}

// ---- addresses
async function openKey(key) {
  const root = byId("results");
  try {
    const found = await get(`answers/${encodeURIComponent(key)}`);
    const asked = found.question;
    const wanted = { query: asked.query, collection: asked.collection, rankers: asked.rankers || [asked.ranker], k: asked.k };
    const shown = results.found && results.found.query === asked.query && results.found.collection === asked.collection && results.found.k === asked.k
      && wanted.rankers.every((one) => results.columns.some((column) => column.ranker === one));
    if (!shown) {
      fill(wanted);
      root.replaceChildren(note("Searching …"));
      await search(wanted, { push: false, quiet: true }).catch(() => undefined); // the answer can be read without the results
    }
    app.address(key, true);
    await panel.open_(found);
  } catch (error) {
    const gone = error instanceof Refused && error.status === 404;
    root.replaceChildren(make("div", { class: "job failed", role: "alert" }, make("p", null, make("b", null, gone ? "There is no such answer here. " : "No answer: "), gone ? "It was made on another server, or deleted." : error.message), error.todo ? make("p", { dir: "auto" }, error.todo) : null, make("p", null, make("a", { href: "/" }, "To the search"))));
  }
}

async function follow() {
  const key = location.pathname.match(/^\/a\/(.+)$/)?.[1];
  if (key) return openKey(decodeURIComponent(key));
  const given = new URLSearchParams(location.search);
  if (!given.get("q")) {
    results.columns = [];
    results.found = null;
    panel.close();
    return welcome();
  }
  const wanted = { query: given.get("q"), collection: given.get("c") || undefined, rankers: given.getAll("r"), k: Math.min(1000, Math.max(1, Math.trunc(Number(given.get("k"))) || 20)) };
  if (results.found && searchAddress() === location.pathname + location.search) return panel.open && panel.close();
  fill(wanted);
  const asked = chosen();
  const lost = wanted.rankers.filter((one) => !asked.rankers.includes(one));
  await search(asked, { push: false });
  if (lost.length && results.found) results.bar.append(make("p", { class: "picked-bar", role: "status" }, "The address names a ranker that cannot be used here: ", lost.map((one, i) => [i ? ", " : "", bdi(one)]), "."));
  return undefined;
}

// ---- light and dark
const dark = matchMedia("(prefers-color-scheme: dark)");
function paint(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  byId("theme").textContent = (theme || (dark.matches ? "dark" : "light")) === "dark" ? "Light" : "Dark";
}
byId("theme").addEventListener("click", () => {
  const next = byId("theme").textContent.toLowerCase();
  const same = next === (dark.matches ? "dark" : "light");
  if (same) localStorage.removeItem("theme");
  else localStorage.setItem("theme", next);
  paint(same ? null : next);
});
dark.addEventListener("change", () => paint(localStorage.getItem("theme")));
paint(localStorage.getItem("theme"));

// ---- listening
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = chosen();
  if (wanted.query) search(wanted);
});
box.collection.addEventListener("change", () => {
  offerRankers([box.ranker.value, box.beside.value]);
  if (!results.found) welcome();
});
for (const name of ["collection", "ranker", "beside", "k"]) box[name].addEventListener("change", () => results.found && box.query.value.trim() && search(chosen()));
byId("home").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState({}, "", "/");
  box.query.value = "";
  follow().catch(failed);
});
byId("open-history").addEventListener("click", () => showHistory("", (key) => openKey(key)));
byId("open-snapshots").addEventListener("click", () => showSnapshots({ ...chosen(), ranker: box.ranker.value, queries: state.collections.find((one) => one.name === box.collection.value)?.queries || [] }));
byId("open-help").addEventListener("click", help);
addEventListener("popstate", () => follow().catch(failed));
addEventListener("pagehide", () => panel.leave());

const here = () => results.card(document.activeElement?.closest?.(".card")) || (results.current?.isConnected ? results.card(results.current) : undefined);
const onCard = (act) => () => {
  const card = here();
  if (card && asks(card.column.ranker, true)) act(card);
};
keyboard({
  "/": () => {
    box.query.focus();
    box.query.select();
  },
  "?": help,
  h: () => byId("open-history").click(),
  i: intent,
  m: missing,
  q: () => results.columns.some((one) => one.asks) && editor.openQuery(),
  e: onCard((card) => results.act.explain(card.column.ranker, card.id)),
  p: onCard((card) => results.pick(card)),
  x: onCard((card) => editor.open(card)),
  first: () => document.querySelector("#results .card")?.focus(),
  escape() {
    if (results.picked) results.setPicked(null);
    else if (editor.active) editor.close();
    else if (panel.open) app.closePanel();
    else return false;
    return true;
  },
});

// ---- begin
async function begin() {
  byId("results").replaceChildren(note("…"));
  const [collections, rankers] = await Promise.all([get("collections"), get("rankers")]);
  state.collections = Array.isArray(collections) ? collections : collections.collections;
  state.rankers = Array.isArray(rankers) ? rankers : rankers.rankers;
  fill({});
  await follow();
  if (location.pathname === "/" && !location.search && !narrow.matches) box.query.focus();
}
begin().catch((error) => {
  byId("results").replaceChildren(make("div", { class: "job failed", role: "alert" }, make("p", null, error.message), error.todo ? make("p", null, error.todo) : null));
});
